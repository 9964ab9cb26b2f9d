"""`mesh plan`, `mesh apply`: what it takes to make the mesh as declared, and doing it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.declarations import AsJson, Paths, declared
from mesh.cli.output import data, note, paint

if TYPE_CHECKING:
    from mesh.apply import World
    from mesh.declaration import Declaration
    from mesh.plan import Plan


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(plan)
    app.command()(apply)


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
