"""Findings as SARIF 2.1.0 (OASIS), which code scanning and editors read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mesh.diagnostics.catalogue import rule_of
from mesh.diagnostics.fingerprints import fingerprints
from mesh.errors import Finding, Location, Severity

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def log(findings: Sequence[Finding], sources: Mapping[str, str]) -> str:
    """One run; its rules are those of the codes that were found, in the order of their codes."""
    codes = sorted({finding.code for finding in findings})
    driver = {"name": "mesh", "rules": [_rule(code) for code in codes]}
    marks = fingerprints(findings, sources)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, codes.index(finding.code), mark)
            for finding, mark in zip(findings, marks, strict=True)
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule = rule_of(code)
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.summary}\n\n{rule.why}\n\nMore: mesh rule {code}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int, mark: str) -> dict[str, Any]:
    told = [finding.message, *(text for text in (finding.why, finding.fix) if text)]
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(told)},
        "locations": [_location(finding)],
        "partialFingerprints": {"mesh/v1": mark},
    }


def _location(finding: Finding) -> dict[str, Any]:
    place = finding.where
    if not isinstance(place, Location):
        return {"logicalLocations": [{"fullyQualifiedName": str(place)}]}
    return {
        "physicalLocation": {
            # A name may hold bytes that are no UTF-8; they travel as they are.
            "artifactLocation": {"uri": quote(place.file.encode(errors="surrogateescape"))},
            "region": {"startLine": max(1, place.line), "startColumn": max(1, place.column)},
        }
    }
