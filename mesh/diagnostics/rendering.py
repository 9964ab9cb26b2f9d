"""Findings in the format that is asked for: a function of values, without files or terminals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from mesh.errors import Finding

Format = Literal["full", "concise", "json", "github", "junit", "sarif"]
FORMATS: tuple[Format, ...] = get_args(Format)

Paint = Callable[[str, str], str]  #: text and colour to what a terminal shows


def unpainted(text: str, colour: str) -> str:  # noqa: ARG001 - the shape of every `Paint`
    """The text as it is."""
    return text


def render(
    findings: Sequence[Finding],
    format: Format,  # noqa: A002 - the word of the option it stands for
    sources: Mapping[str, str] | None = None,
    paint: Paint = unpainted,
) -> str:
    """Findings as text; `sources` maps the name of each file that was looked at to its text.

    With sources, `full` shows the line in question, `junit` names the files that passed too.
    """
    texts = sources or {}
    if format == "full":
        from mesh.diagnostics.text import full

        return full(findings, texts, paint)
    if format == "concise":
        from mesh.diagnostics.text import concise

        return concise(findings, paint)
    if format == "json":
        from mesh.diagnostics.documents import json_text

        return json_text(findings)
    if format == "github":
        from mesh.diagnostics.github import commands

        return commands(findings)
    if format == "junit":
        from mesh.diagnostics.junit import report

        return report(findings, texts)
    from mesh.diagnostics.sarif import log

    return log(findings, texts)
