"""`mesh check`, `mesh plan`, `mesh apply`, `mesh products`: what is declared, and making it so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.output import data, finding_rows, note, paint, table, tell_findings, timed

if TYPE_CHECKING:
    from mesh.apply import World
    from mesh.declaration import Declaration
    from mesh.plan import Plan

Paths = Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: contracts and domains.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(check)
    app.command()(plan)
    app.command()(apply)
    app.command()(products)


def declared(paths: list[Path] | None) -> Declaration:
    """Everything that stands in `paths`, or in the mesh around the working folder."""
    from mesh.adapters.workspace import FOLDERS, find_root, read_sources
    from mesh.declaration import Declaration, declare
    from mesh.errors import UsageError

    root = find_root(Path.cwd())
    chosen = paths or [root / name for name in FOLDERS if (root / name).is_dir()]
    found = declare(read_sources(chosen, root))
    if not found.contracts and not found.products and not found.findings:
        raise UsageError(
            "nothing is declared here",
            code="MESH-U022",
            where=str(root),
            why="no *.odcs.yaml or *.odps.yaml was found",
            fix="see docs/quickstart.md, or run: mesh demo",
        )
    if paths:
        # A part of the mesh cannot be expected to hold what its ports refer to.
        kept = tuple(f for f in found.findings if f.code not in ("MESH-C061", "MESH-C064"))
        return Declaration(found.contracts, found.products, kept)
    return found


def check(paths: Paths = None, as_json: AsJson = False) -> None:
    """Check contracts and products: standards, references, Avro types, rules.

    Example: mesh check contracts/operations
    """
    with timed("checked"):
        found = declared(paths)
    errors = sum(1 for f in found.findings if f.severity == "error")
    warnings = len(found.findings) - errors
    if as_json:
        facts = {"contracts": len(found.contracts), "products": len(found.products)}
        data({"format_version": "1.0", **facts, "findings": finding_rows(found.findings)})
    else:
        tell_findings(found.findings, sys.stdout)
        word = paint("failed", "red") if errors else paint("ok", "green")
        print(
            f"{word}: {len(found.contracts)} contracts, {len(found.products)} products,"
            f" {errors} errors, {warnings} warnings"
        )
    raise typer.Exit(1 if errors else 0)


def plan(
    paths: Paths = None,
    as_json: AsJson = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 3 when the plan has changes.")
    ] = False,
) -> None:
    """Show what `mesh apply` would change: topics, schemas, contracts, products.

    Example: mesh plan --json
    """
    made, _, _ = _planned(paths)
    if as_json:
        data(made.to_json())
    else:
        show(made)
    if made.blocked:
        raise typer.Exit(1)
    raise typer.Exit(3 if detailed_exitcode and made.changes else 0)


def apply(
    paths: Paths = None,
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make the mesh as declared; asks first on a terminal.

    Example: mesh apply --yes
    """
    from mesh.apply import apply as carry_out

    made, desired, world = _planned(paths)
    if not as_json:
        show(made)
    if made.changes and not made.blocked and not yes and sys.stdin.isatty():
        typer.confirm("Apply these changes?", abort=True, err=True)
    outcomes = []
    for outcome in carry_out(made, desired, world):
        outcomes.append(
            {"verb": outcome.change.verb, "subject": outcome.change.subject, "answer": outcome.answer}
        )
        mark, change = paint("✓", "green", sys.stderr), outcome.change
        note(f"{mark} {change.verb} {change.subject}: {outcome.answer}")
    if as_json:
        data({"format_version": "1.0", "applied": outcomes})
    else:
        print(f"applied {len(outcomes)} changes")


def products(as_json: AsJson = False) -> None:
    """List the products in the catalog.

    Example: mesh products --json
    """
    from mesh.connection import connect
    from mesh.product import read_product

    with connect() as mesh:
        facts = list(mesh.platform.products().values())
    read = [read_product(fact.text.encode(), fact.full_name) for fact in facts]
    if as_json:
        rows = [
            {
                "name": p.full_name,
                "version": p.version,
                "status": p.status,
                "owner": p.team_name,
                "purpose": p.purpose,
            }
            for p in read
        ]
        data({"format_version": "1.0", "products": rows})
        return
    table(
        [[p.full_name, p.version, p.status, p.team_name] for p in read],
        ["product", "version", "status", "owner"],
    )


def show(made: Plan) -> None:
    """A plan for people, on stdout."""
    for change in made.changes:
        mark = paint("!", "red") if change in made.blocked else paint("+", "green")
        print(f"{mark} {change.verb} {paint(change.subject, 'bold')}  {paint(change.detail, 'dim')}")
    for blocked in made.blocked:
        print(f"  next for {blocked.subject}: {blocked.fix}")
    count = len(made.changes) - len(made.blocked)
    print(f"{count} to change, {len(made.blocked)} blocked" if made.changes else "nothing to change")


def _planned(paths: list[Path] | None) -> tuple[Plan, Declaration, World]:
    from mesh.connection import connect
    from mesh.plan import make_plan

    desired = declared(paths).require()
    world = connect().world()
    return make_plan(desired, world.actual(desired)), desired, world
