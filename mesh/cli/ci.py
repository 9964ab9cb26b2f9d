"""`mesh ci`: what a pull request does to declarations: check, policies, versions, compatibility."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.checking import Checked, checked
from mesh.cli.declarations import AsJson
from mesh.cli.output import data, note, paint, timed
from mesh.errors import Finding

if TYPE_CHECKING:
    from mesh.change import Difference
    from mesh.declaration import Declaration


class FailOn(StrEnum):
    """From which severity on `mesh ci` fails."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


_FAILS = {FailOn.ERROR: {"error"}, FailOn.WARNING: {"error", "warning"}, FailOn.NEVER: set[str]()}


@dataclass(frozen=True, slots=True)
class Change:
    """What stood at the base, and what stands here."""

    base: Declaration
    here: Checked


Stage = Callable[[Change], Sequence[Finding]]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(ci)


def ci(
    base: Annotated[str, typer.Option(help="The revision to compare with.")] = "origin/main",
    fail_on: Annotated[FailOn, typer.Option(help="Exit 1 from this severity on.")] = FailOn.ERROR,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report here.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write a SARIF log here.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="A file of known findings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a change for a pull request: declarations, policies, versions and compatibility against a base.

    Example: mesh ci --base origin/main --sarif mesh.sarif
    """
    from mesh.change import differences
    from mesh.diagnostics import render
    from mesh.diagnostics.documents import row

    with timed("checked"):
        here = checked([])
        change = Change(_declared_at(base), here)
        found = [*here.findings, *(each for stage in STAGES.values() for each in stage(change))]
        compared = replace(here, findings=tuple(dict.fromkeys(found))).beside(baseline)
        changed = list(differences(change.base, here.declared))
    if junit is not None:
        _write(junit, render(compared.new, "junit", here.texts))
    if sarif is not None:
        _write(sarif, render(compared.new, "sarif", here.texts))
    failed = any(finding.severity in _FAILS[fail_on] for finding in compared.new)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write("\n".join(_summary(compared.new, changed, base, failed=failed)) + "\n")
    if as_json:
        told = {"base": base, "outcome": "failed" if failed else "passed", "known": len(compared.known)}
        rows = [row(finding) for finding in compared.new]
        data({"format_version": "1.0", **told, "findings": rows, "changes": [d.as_data() for d in changed]})
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        print(render(compared.new, "github"), end="")
    else:
        _tell(compared.new, here, changed, failed=failed)
    raise typer.Exit(1 if failed else 0)


def _write(report: Path, text: str) -> None:
    from mesh.errors import UsageError

    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report {report} cannot be written",
            code="MESH-U105",
            where=str(report),
            why=error.strerror or str(error),
            fix="name a file that you may write",
        ) from error


def _policies(change: Change) -> Sequence[Finding]:
    from mesh.cli.policies import policy_findings

    return policy_findings(change.here.declared, change.base)


def _versions(change: Change) -> Sequence[Finding]:
    from mesh.change import version_findings

    unread = {name for name in change.base.contracts if _has_a_file(name, change)}
    base = _without(change.base, unread)
    return version_findings(base, change.here.declared)


def _has_a_file(contract: str, change: Change) -> bool:
    """Whether a contract that could not be read here still has its file: its own findings are enough."""
    file = change.base.contracts[contract].document.file
    return contract not in change.here.declared.contracts and file in change.here.texts


def _without(declared: Declaration, without: set[str]) -> Declaration:
    """A declaration without some of its contracts."""
    kept = {name: each for name, each in declared.contracts.items() if name not in without}
    return replace(declared, contracts=kept)


def _compatibility(change: Change) -> Sequence[Finding]:
    from mesh.change.compatibility import compatibility_findings

    return compatibility_findings(change.base, change.here.declared)


#: What is asked of a change, in this order; a line more is a stage more.
STAGES: dict[str, Stage] = {
    "policies": _policies,
    "versions": _versions,
    "compatibility": _compatibility,
}


def _declared_at(base: str) -> Declaration:
    from mesh.adapters.git import sources_at
    from mesh.adapters.workspace import find_root
    from mesh.declaration import declare

    return declare(sources_at(base, find_root(Path.cwd())), os.environ)


def _tell(found: Sequence[Finding], here: Checked, changed: Sequence[Difference], *, failed: bool) -> None:
    from mesh.change.text import as_text
    from mesh.diagnostics import render

    print(render(found, "full", here.texts, paint), end="")
    for line in as_text(list(changed), paint):
        print(line)
    print(f"{paint('failed', 'red') if failed else paint('ok', 'green')}: {_counted(found, changed)}")
    if failed:
        note("what a code means: mesh rule CODE")


def _counted(found: Sequence[Finding], changed: Sequence[Difference]) -> str:
    errors, warnings = (sum(f.severity == word for f in found) for word in ("error", "warning"))
    return f"{len(changed)} changed, {errors} errors, {warnings} warnings"


def _summary(
    found: Sequence[Finding], changed: Sequence[Difference], base: str, *, failed: bool
) -> Iterator[str]:
    from mesh.change.text import as_markdown

    yield f"## mesh: {'failed' if failed else 'ok'}\n"
    yield f"Compared with `{base}`: {_counted(found, changed)}.\n"
    if found:
        yield "| | code | where | what | next |\n| --- | --- | --- | --- | --- |"
    for finding in found:
        cells = (finding.severity, f"`{finding.code}`", str(finding.where), finding.message, finding.fix)
        yield "| " + " | ".join(map(_cell, cells)) + " |"
    if changed:
        yield "\n" + "\n".join(as_markdown(list(changed)))


def _cell(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())
