"""Findings for people: one line each, or a block with the line in question and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mesh.diagnostics.rendering import Paint
from mesh.errors import Finding, Location, Severity

_WIDEST = 160
_COLOURS: Mapping[Severity, str] = {"error": "red", "warning": "yellow", "info": "blue"}
# What moves the cursor or is no character must not reach a terminal.
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TOKEN = re.compile(r"- |'[^']*'|\"[^\"]*\"|[^\s:,{}\[\]]+")


def concise(findings: Sequence[Finding], paint: Paint) -> str:
    """`file:line:column: CODE message`, a line each."""
    return "".join(f"{_head(finding, paint)}\n" for finding in findings)


def full(findings: Sequence[Finding], sources: Mapping[str, str], paint: Paint) -> str:
    """A block each: place, code, what; the line it is about; why; what to do next."""
    lines: list[str] = []
    split: dict[str, list[str]] = {}
    for finding in findings:
        lines.append(_head(finding, paint))
        if isinstance(finding.where, Location) and finding.where.file in sources:
            file = finding.where.file
            if file not in split:
                split[file] = sources[file].split("\n")
            lines += _shown(split[file], finding.where, paint)
        if finding.why:
            lines.append(f"  why:  {visible(finding.why)}")
        if finding.fix:
            lines.append(f"  next: {visible(finding.fix)}")
    return "".join(f"{line}\n" for line in lines)


def visible(text: str) -> str:
    """The text with every character that a terminal would obey, or cannot show, replaced."""
    return _UNSHOWN.sub("\ufffd", text)


def _head(finding: Finding, paint: Paint) -> str:
    code = paint(finding.code, _COLOURS[finding.severity])
    return f"{visible(str(finding.where))}: {code} {visible(finding.message)}"


def _shown(lines: Sequence[str], where: Location, paint: Paint) -> list[str]:
    if not 1 <= where.line <= len(lines):
        return []
    line, column = lines[where.line - 1].removesuffix("\r").replace("\t", " "), where.column - 1
    if not line.strip() or column > len(line):
        return []
    token = _TOKEN.match(line, column)
    width = len(token[0].rstrip()) if token else 1
    cut = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    gutter = str(where.line)
    blank = " " * len(gutter)
    carets = "^" * min(width, _WIDEST // 2)
    return [
        f"  {blank} |",
        f"  {gutter} | {visible(line[cut : cut + _WIDEST])}",
        f"  {blank} | {' ' * (column - cut)}{paint(carets, 'red')}",
    ]
