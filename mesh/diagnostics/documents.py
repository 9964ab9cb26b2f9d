"""Findings for programs: one JSON document whose keys stay."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mesh.errors import Finding, Location

FORMAT_VERSION = "1.0"


def row(finding: Finding) -> dict[str, object]:
    """One finding; `file`, `line` and `column` are null where the place is no file."""
    place = finding.where if isinstance(finding.where, Location) else None
    return {
        "code": finding.code,
        "message": finding.message,
        "severity": finding.severity,
        "where": str(finding.where),
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "why": finding.why,
        "fix": finding.fix,
    }


def json_text(findings: Sequence[Finding]) -> str:
    """`{"format_version", "findings": […]}`."""
    document = {"format_version": FORMAT_VERSION, "findings": [row(finding) for finding in findings]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
