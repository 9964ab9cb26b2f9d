"""`mesh ci`: all that a change has to pass before it is merged, told where the reviewers are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.declarations import AsJson, declared
from mesh.cli.output import data, note, paint, timed

if TYPE_CHECKING:
    from mesh.change import Difference
    from mesh.contract.yaml import Document
    from mesh.declaration import Declaration
    from mesh.errors import Finding


class FailOn(StrEnum):
    """From which severity on the run fails."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Stage:
    """One question that was asked, and what was found."""

    name: str
    findings: tuple[Finding, ...]


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.command()(ci)


def ci(
    base: Annotated[
        str, typer.Option(help="The revision to compare with, such as origin/main.")
    ] = "origin/main",
    fail_on: Annotated[FailOn, typer.Option(help="Exit 1 from this severity on.")] = FailOn.ERROR,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report to this file.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write a SARIF log to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check, compare with a base revision, and ask the policies: what a change has to pass.

    In GitHub Actions findings become annotations, and the changes a summary of the step.

    Example: mesh ci --base main --fail-on warning
    """
    from mesh.adapters.git import sources_at
    from mesh.adapters.workspace import find_root
    from mesh.change import differences
    from mesh.declaration import declare

    with timed("checked"):
        after = declared(None)
        before = declare(sources_at(base, find_root(Path.cwd())), os.environ)
        stages = tuple(_stages(before, after))
        changed = differences(before, after)
    findings = tuple(finding for stage in stages for finding in stage.findings)
    failed = _fails(findings, fail_on)
    sources = {document.file: document.text for document in _documents(after)}
    _write(junit, sarif, findings, sources)
    _summarise(stages, changed, failed=failed)
    if as_json:
        data(_as_data(stages, changed, base, failed=failed))
    else:
        _tell(findings, sources)
        _tell_stages(stages, changed, failed=failed)
    raise typer.Exit(1 if failed else 0)


def _stages(before: Declaration, after: Declaration) -> Iterator[Stage]:
    """The questions in the order in which they are asked; each is asked though another found something."""
    from mesh.change import version_findings
    from mesh.change.compatibility import compatibility_findings
    from mesh.cli.policies import policy_findings

    yield Stage("declarations", after.findings)
    yield Stage("compatibility", compatibility_findings(before, after))
    yield Stage("versions", version_findings(before, after))
    yield Stage("policies", policy_findings(after, before))


def _fails(findings: Sequence[Finding], fail_on: FailOn) -> bool:
    severities = {finding.severity for finding in findings}
    grave = {FailOn.ERROR: {"error"}, FailOn.WARNING: {"error", "warning"}, FailOn.NEVER: set[str]()}
    return not severities.isdisjoint(grave[fail_on])


def _documents(declaration: Declaration) -> Iterator[Document]:
    yield from (contract.document for contract in declaration.contracts.values())
    yield from (product.document for product in declaration.products.values())


def _write(
    junit: Path | None, sarif: Path | None, findings: Sequence[Finding], sources: Mapping[str, str]
) -> None:
    from mesh.diagnostics import render

    if junit is not None:
        _file(junit, render(findings, "junit", sources))
    if sarif is not None:
        _file(sarif, render(findings, "sarif", sources))


def _file(path: Path, text: str) -> None:
    from mesh.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report {path} cannot be written",
            code="MESH-U105",
            where=str(path),
            why=error.strerror or str(error),
            fix="name a file that you may write",
        ) from error


def _tell(findings: Sequence[Finding], sources: Mapping[str, str]) -> None:
    """Annotations where GitHub reads them, blocks for people elsewhere."""
    from mesh.diagnostics import render

    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    sys.stdout.write(render(findings, "github" if on_github else "full", sources))


def _tell_stages(stages: Sequence[Stage], changed: Sequence[Difference], *, failed: bool) -> None:
    for stage in stages:
        note(f"{stage.name}: {_counts(stage.findings)}")
    word = paint("failed", "red") if failed else paint("ok", "green")
    print(f"{word}: {len(changed)} contracts and products differ, {_counts(_all(stages))}")


def _all(stages: Sequence[Stage]) -> list[Finding]:
    return [finding for stage in stages for finding in stage.findings]


def _counts(findings: Sequence[Finding]) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    return f"{errors} errors, {warnings} warnings"


def _summarise(stages: Sequence[Stage], changed: Sequence[Difference], *, failed: bool) -> None:
    """Append to the page that GitHub shows for a step, where there is one."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if not page:
        return
    from mesh.change.text import as_markdown

    lines = [f"## mesh: {'failed' if failed else 'ok'}", "", "| stage | findings |", "| --- | --- |"]
    lines += [f"| {stage.name} | {_counts(stage.findings)} |" for stage in stages]
    for finding in _all(stages):
        if finding.severity != "info":
            lines.append(f"- `{finding.where}` **{finding.code}** {_escaped(finding.message)}")
    lines += ["", *as_markdown(changed)]
    with open(page, "a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _escaped(text: str) -> str:
    """Text of a declaration as Markdown shows it: as it stands."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-.!|" else c for c in text.replace("\n", " "))


def _as_data(
    stages: Sequence[Stage], changed: Sequence[Difference], base: str, *, failed: bool
) -> dict[str, object]:
    from mesh.diagnostics.documents import row

    return {
        "format_version": "1.0",
        "base": base,
        "outcome": "failed" if failed else "passed",
        "stages": [
            {"name": stage.name, "findings": [row(finding) for finding in stage.findings]} for stage in stages
        ],
        "differences": [difference.as_data() for difference in changed],
    }
