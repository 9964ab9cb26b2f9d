"""`mesh check`: whether what is declared holds; `mesh rule`: what a code means."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mesh.cli.declarations import AsJson
from mesh.cli.output import data, note, paint, table, timed

if TYPE_CHECKING:
    from mesh.cli.checking import Checked
    from mesh.diagnostics import Format
    from mesh.diagnostics.baseline import Compared

_BASELINE = ".mesh-baseline.json"


class OutputFormat(StrEnum):
    """How findings are told."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    SARIF = "sarif"


Wanted = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH|SELECTOR]...",
        help="Files, folders, or selectors: a.product, domain:x, tag:x, status:x, state:changed, +x, x+.",
    ),
]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(check)
    app.command()(rule)


def check(
    wanted: Wanted = None,
    output_format: Annotated[
        OutputFormat, typer.Option(help="How to tell what is found.")
    ] = OutputFormat.FULL,
    as_json: AsJson = False,
    against: Annotated[str, typer.Option(help="The revision that state:changed compares with.")] = "HEAD",
    fix: Annotated[bool, typer.Option("--fix", help="Mend what has one right answer.")] = False,
    show_diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="A file of known findings: they are counted, and fail nothing.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write what is found now as the baseline.")
    ] = False,
) -> None:
    """Check contracts and products: standards, references, Avro types, rules, policies.

    Example: mesh check domain:weather --output-format concise
    """
    from mesh.cli.checking import checked, mend, write_known

    with timed("checked"):
        found = checked(wanted or [], against)
    if show_diff:
        print("".join(found.patches()), end="")
        raise typer.Exit(1 if found.edits else 0)
    if fix and found.edits:
        count = len(found.edits)
        mend(found)
        found = checked(wanted or [], against)
        note(f"mended {count} findings")
    if write_baseline:
        count = write_known(found, baseline or Path(_BASELINE))
        note(f"{baseline or _BASELINE} holds {count} findings")
        raise typer.Exit(0)
    _tell(found, found.beside(baseline), OutputFormat.JSON if as_json else output_format)


def _tell(found: Checked, compared: Compared, output_format: OutputFormat) -> None:
    from dataclasses import asdict

    from mesh.diagnostics import render
    from mesh.diagnostics.documents import row

    errors = sum(finding.severity == "error" for finding in compared.new)
    warnings = sum(finding.severity == "warning" for finding in compared.new)
    facts = {"contracts": len(found.declared.contracts), "products": len(found.declared.products)}
    if output_format is OutputFormat.JSON:
        known = {"known": len(compared.known), "removable": [asdict(each) for each in compared.removable]}
        data({"format_version": "1.0", **facts, **known, "findings": [row(each) for each in compared.new]})
    else:
        sys.stdout.write(render(compared.new, cast("Format", output_format.value), found.texts, paint))
    if output_format in (OutputFormat.FULL, OutputFormat.CONCISE):
        word = paint("failed", "red") if errors else paint("ok", "green")
        print(
            f"{word}: {facts['contracts']} contracts, {facts['products']} products,"
            f" {errors} errors, {warnings} warnings"
            + (f", {len(compared.known)} known" if compared.known else "")
        )
        if found.edits:
            note(f"{len(found.edits)} can be mended: mesh check --fix")
        for entry in compared.removable:
            note(f"mended, and still in the baseline: {entry.file} {entry.code} {entry.message}")
    raise typer.Exit(1 if errors else 0)


def rule(
    code: Annotated[str, typer.Argument(help="A code or a rule's name; without one, all are listed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Explain what a code means, with an example that breaks it and one that does not.

    Example: mesh rule MESH-C022
    """
    from dataclasses import asdict

    from mesh.diagnostics.catalogue import all_rules, require_rule

    if not code:
        rows = list(all_rules().values())
        if as_json:
            data({"format_version": "1.0", "rules": [asdict(each) for each in rows]})
        else:
            table(
                [[r.code, r.name, r.severity, r.summary] for r in rows], ["code", "name", "severity", "what"]
            )
        return
    found = require_rule(code)
    if as_json:
        data({"format_version": "1.0", "rule": asdict(found)})
        return
    mendable = ", mended by mesh check --fix" if found.fixable else ""
    print(f"{paint(found.code, 'bold')} {found.name} ({found.severity}{mendable})")
    print(f"\n{found.summary}\n{found.why}")
    for label, text in (("Not so", found.bad), ("But so", found.good)):
        if text:
            print(f"\n{label}:\n" + "\n".join(f"    {line}" for line in text.rstrip().split("\n")))
