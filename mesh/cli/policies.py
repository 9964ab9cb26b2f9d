"""`mesh policy`: what the organisation asks, tests of it, and what would fail today."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import data, finding_rows, note, paint, table, tell_findings, timed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mesh.declaration import Declaration
    from mesh.errors import Finding
    from mesh.interfaces import Platform
    from mesh.policy import Policy, Shelf, Subject

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Files = Annotated[list[Path] | None, typer.Argument(help="Policy files; default: all policies in force.")]

policies = typer.Typer(
    name="policy",
    help="Policies: what the organisation asks of contracts, products and changes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    if not policies.registered_commands:
        policies.command("list")(list_policies)
        policies.command("test")(run_examples)
        for command in (show, rehearse):
            policies.command()(command)
    app.add_typer(policies)


def today() -> date:
    """The day on which the command line asks."""
    return datetime.now(UTC).date()


def shelf(files: Iterable[Path] = ()) -> Shelf:
    """The policies in force around the working folder, and these files."""
    from mesh.adapters.policies import shelf_of
    from mesh.adapters.workspace import find_root
    from mesh.config import policies_folder

    root = find_root(Path.cwd())
    return shelf_of(root, policies_folder(root, os.environ), tuple(files))


def policy_findings(declared: Declaration, base: Declaration | None = None) -> tuple[Finding, ...]:
    """What the policies in force have against what is declared, and what is wrong with their own files.

    With a `base`, what was declared before, the policies of changes are asked too.
    """
    from mesh.policy import changed, findings, subjects

    known = shelf()
    changes = changed(base, declared) if base is not None else ()
    return (*known.findings, *findings(known.policies, (*subjects(declared), *changes), today()))


def list_policies(as_json: AsJson = False) -> None:
    """List the policies in force here: those that mesh brings, of installed packages, of policies/.

    Example: mesh policy list
    """
    known = shelf()
    rows = [_row(policy) for policy in known.policies.policies]
    if as_json:
        facts = {"sha256": known.policies.sha256, "findings": finding_rows(known.findings)}
        data({"format_version": "1.0", **facts, "policies": rows})
    else:
        table(
            [[r["name"], r["state"], ", ".join(r["applies_to"]), r["title"]] for r in rows],
            ["policy", "severity", "applies to", "title"],
        )
        tell_findings(known.findings, sys.stderr)
    raise typer.Exit(1 if known.findings else 0)


def show(
    name: Annotated[str, typer.Argument(help="The policy's name.")],
    as_json: AsJson = False,
) -> None:
    """Show one policy: why it is there, whom it concerns, since when, and whom it spares.

    Example: mesh policy show owner-present
    """
    policy = shelf().named(name)
    row = _row(policy)
    if as_json:
        data({"format_version": "1.0", "policy": row})
        return
    print(f"{paint(policy.name, 'bold')}: {policy.title}")
    print(f"  why:       {' '.join(policy.description.split())}")
    if policy.fix:
        print(f"  fix:       {policy.fix}")
    print(f"  severity:  {row['state']}")
    print(f"  applies:   {', '.join(policy.applies_to)}")
    for key, values in row["scope"].items():
        print(f"  only:      {key} {', '.join(values)}")
    for exemption in row["exemptions"]:
        print(f"  spares:    {exemption['subject']} until {exemption['expires']}: {exemption['reason']}")
    for link in policy.links:
        print(f"  see:       {link}")
    print(f"  declared:  {policy.where}")


def run_examples(files: Files = None, as_json: AsJson = False) -> None:
    """Run the examples that policies carry; exits 1 when one is not met or a policy has none that fails.

    Example: mesh policy test policies/units-in-names.policy.yaml
    """
    from mesh.adapters.python_policies import INSTALLED
    from mesh.policy.cases import failures, run_cases, untested

    known = shelf(files or ())
    chosen = _of_files(known, files)
    with timed("tested"):
        results = list(run_cases(chosen, today()))
    # What an installed package brings is tested there, in Python.
    here = [policy for policy in chosen if not policy.where.file.startswith(INSTALLED)]
    found = [*known.findings, *untested(here), *failures(results)]
    if as_json:
        facts = {"policies": len(chosen), "examples": len(results)}
        data({"format_version": "1.0", **facts, "findings": finding_rows(found)})
    else:
        tell_findings(found, sys.stdout)
        word = paint("failed", "red") if found else paint("ok", "green")
        met = sum(result.holds for result in results)
        print(f"{word}: {len(chosen)} policies, {met} of {len(results)} examples met")
    raise typer.Exit(1 if found else 0)


def rehearse(
    files: Files = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="What the platform holds, its past proposals too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what would fail today over the whole estate: now, after grace, and without exemptions.

    Example: mesh policy rehearse policies/units-in-names.policy.yaml
    """
    from mesh.policy.rehearsal import rehearse as play

    known = shelf(files or ())
    if known.findings:
        # Without them the others would look as if they were all there is.
        tell_findings(known.findings, sys.stderr)
        raise typer.Exit(1)
    with timed("rehearsed"):
        made = play(_of_files(known, files), _estate(deployed), today())
    if as_json:
        data({"format_version": "1.0", **made.to_json()})
        return
    rows = [
        [r.policy, r.domain, *(str(len(names)) for names in r.counts), ", ".join(r.names)] for r in made.rows
    ]
    if rows:
        table(rows, ["policy", "domain", "fails", "in grace", "exempt", "unknown", "who"])
    else:
        print("nothing would fail")
    note(f"{made.policies} policies over {made.subjects} contracts, products and changes")


def _of_files(known: Shelf, files: list[Path] | None) -> list[Policy]:
    from mesh.adapters.workspace import find_root

    policies = known.policies.policies
    if not files:
        return list(policies)
    root, wanted = find_root(Path.cwd()), {file.resolve() for file in files}
    return [policy for policy in policies if (root / policy.where.file).resolve() in wanted]


def _estate(deployed: bool) -> list[Subject]:
    from mesh.cli.declarations import declared
    from mesh.policy import subjects

    if not deployed:
        return list(subjects(declared(None)))
    from mesh.connection import connect

    with connect() as mesh:
        return deployed_estate(mesh.platform)


def deployed_estate(platform: Platform) -> list[Subject]:
    """Everything a platform holds, as policies see it: contracts in force, products, and every proposal."""
    from mesh.contract.reading import read_contract
    from mesh.declaration import CONTRACT_SUFFIX, PRODUCT_SUFFIX, SourceFile, declare
    from mesh.errors import DeclarationError
    from mesh.policy import of_change, subjects

    contracts, products = platform.contracts().values(), platform.products().values()
    declared = declare(
        [
            *(SourceFile(fact.id + CONTRACT_SUFFIX, fact.text.encode()) for fact in contracts),
            *(SourceFile(fact.full_name + PRODUCT_SUFFIX, fact.text.encode()) for fact in products),
        ]
    )
    if not declared.holds:
        note(f"{len(declared.findings)} findings in what the platform holds: not all of it is rehearsed")
    estate = list(subjects(declared))
    for row in platform.proposals():
        made = platform.proposal(row["number"])
        try:
            old, new = (read_contract(made[key].encode(), made["file"]) for key in ("base_text", "text"))
        except DeclarationError:
            note(f"review {made['number']} is not rehearsed: its contract is gone, or does not hold any more")
            continue
        proposed = of_change(old, new, [p for p in [declared.product_of(new.id)] if p is not None])
        estate.append(replace(proposed, note=f"review {made['number']}"))
    return estate


def _row(policy: Policy) -> dict[str, Any]:
    now = today()
    state: str = policy.severity if policy.enabled else "off"
    if policy.enabled and policy.in_grace(now):
        state = f"warning until {policy.grace}"
    scope = {key: getattr(policy.scope, key) for key in policy.scope.__dataclass_fields__}
    return {
        "name": policy.name,
        "title": policy.title,
        "description": policy.description,
        "severity": policy.severity,
        "state": state,
        "applies_to": list(policy.applies_to),
        "scope": {key: list(values) for key, values in scope.items() if values},
        "grace": str(policy.grace or ""),
        "exemptions": [
            {"subject": e.subject, "reason": e.reason, "expires": str(e.expires)} for e in policy.exemptions
        ],
        "fix": policy.fix,
        "links": list(policy.links),
        "where": str(policy.where),
    }
