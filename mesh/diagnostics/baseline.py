"""What was wrong already: findings that are counted and not reported, until somebody mends them.

A baseline names findings by fingerprints that hold when lines move. It is a file for review: sorted, one
entry each, with the message as it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mesh.diagnostics.fingerprints import fingerprints
from mesh.errors import Finding, Location, UsageError

FORMAT_VERSION = "1.0"
_KEYS = ("code", "file", "fingerprint", "message")


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """One finding that a baseline holds."""

    file: str
    code: str
    fingerprint: str
    message: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings beside a baseline: what is new, what was known, what a baseline holds in vain."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    removable: tuple[Known, ...]


def known_from(text: str, file: str) -> tuple[Known, ...]:
    """The entries of a baseline; raises UsageError (MESH-U104) for a text that is none."""
    try:
        document = json.loads(text)
        version = document["format_version"]
        entries = tuple(Known(**{key: str(entry[key]) for key in _KEYS}) for entry in document["findings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_baseline(file, f"it cannot be read: {type(error).__name__}: {error}") from error
    if version != FORMAT_VERSION:
        raise _no_baseline(file, f"its format_version is {version!r}, this mesh reads {FORMAT_VERSION!r}")
    return entries


def baseline_text(findings: Sequence[Finding], sources: Mapping[str, str]) -> str:
    """The baseline that makes all these findings known."""
    marks = fingerprints(findings, sources)
    entries = sorted(
        Known(_file(finding), finding.code, mark, finding.message)
        for finding, mark in zip(findings, marks, strict=True)
    )
    rows = [{key: getattr(entry, key) for key in _KEYS} for entry in entries]
    return (
        json.dumps({"format_version": FORMAT_VERSION, "findings": rows}, indent=2, ensure_ascii=False) + "\n"
    )


def compared(
    findings: Sequence[Finding],
    known: Collection[Known],
    sources: Mapping[str, str],
    looked_at: Collection[str] | None = None,
) -> Compared:
    """Findings told apart by a baseline; an entry can go only if its file was `looked_at` (None: all)."""
    expected = {(entry.file, entry.code, entry.fingerprint) for entry in known}
    found = {
        (_file(finding), finding.code, mark): finding
        for finding, mark in zip(findings, fingerprints(findings, sources), strict=True)
    }
    gone = (
        entry
        for entry in known
        if (entry.file, entry.code, entry.fingerprint) not in found
        and (looked_at is None or entry.file in looked_at)
    )
    return Compared(
        new=tuple(finding for key, finding in found.items() if key not in expected),
        known=tuple(finding for key, finding in found.items() if key in expected),
        removable=tuple(sorted(gone)),
    )


def _file(finding: Finding) -> str:
    return finding.where.file if isinstance(finding.where, Location) else str(finding.where)


def _no_baseline(file: str, why: str) -> UsageError:
    return UsageError(
        "this is no baseline",
        code="MESH-U104",
        where=file,
        why=why,
        fix=f"mesh check --write-baseline --baseline {file}",
    )
