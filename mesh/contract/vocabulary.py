"""Words with an agreed meaning: classifications, severities, units, dates, and keys of older versions.

Codes: MESH-C092 a word outside the vocabulary, C093 a key that the standard has given up, C098 a date
that cannot be read. All are warnings: the standard leaves these texts free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh.contract import instants
from mesh.contract.elements import schema_objects
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
SEVERITIES = ("info", "warning", "error")
UNITS = ("rows", "percent")
DRIVERS = ("regulatory", "analytics", "operational")


def findings(document: Document, *, classifications: Sequence[str] = CLASSIFICATIONS) -> Iterator[Finding]:
    """MESH-C092, C093 and C098 over a contract."""
    data = document.data
    for schema in schema_objects(data):
        yield from _of_rules(document, schema.item, schema.path)
        for element in schema.elements():
            word = element.item.get("classification")
            yield from _outside(document, word, classifications, (*element.path, "classification"))
            yield from _of_rules(document, element.item, element.path)
    for index, level in enumerate(data.get("slaProperties") or []):
        yield from _outside(document, level.get("driver"), DRIVERS, ("slaProperties", index, "driver"))
    yield from _given_up(document)
    yield from dates(document, "contractCreatedTs")


def dates(document: Document, created: str) -> Iterator[Finding]:
    """MESH-C098 over the time of making and the team's dates, of a contract or a product."""
    data = document.data
    if (text := data.get(created)) is not None and not instants.is_timestamp(text):
        yield _unreadable(document, created, text, (created,), "a time such as '2026-01-31T10:00:00Z'")
    team = data.get("team") or {}
    members = team.get("members") or [] if isinstance(team, dict) else team
    base: Path = ("team", "members") if isinstance(team, dict) else ("team",)
    for index, member in enumerate(members):
        for key in ("dateIn", "dateOut"):
            text = member.get(key)
            if text is not None and not (instants.is_date(text) or instants.is_timestamp(text)):
                yield _unreadable(document, key, text, (*base, index, key), "a date such as '2026-01-31'")
        start, end = member.get("dateIn"), member.get("dateOut")
        if instants.is_date(start) and instants.is_date(end) and end < start:
            path = (*base, index, "dateOut")
            yield _unreadable(document, "dateOut", end, path, f"a day that is not before dateIn, {start}")


def _unreadable(document: Document, key: str, text: Any, path: Path, expected: str) -> Finding:
    return Finding(
        code="MESH-C098",
        severity="warning",
        message=f"{key} cannot be {str(text)[:80]!r}",
        where=document.at(*path),
        why=f"expected {expected}",
        fix="write it as ISO 8601",
    )


def _of_rules(document: Document, item: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for index, rule in enumerate(item.get("quality") or []):
        here = (*path, "quality", index)
        yield from _outside(document, rule.get("severity"), SEVERITIES, (*here, "severity"))
        if rule.get("metric"):
            yield from _outside(document, rule.get("unit"), UNITS, (*here, "unit"))
        elif "rule" in rule:
            yield _old(document, (*here, "rule"), f"write metric: {rule['rule']}")


def _outside(document: Document, word: Any, known: Sequence[str], path: Path) -> Iterator[Finding]:
    if isinstance(word, str) and word not in known:
        yield Finding(
            code="MESH-C092",
            severity="warning",
            message=f"{path[-1]} {word[:80]!r} is not in the vocabulary" + did_you_mean(word, known),
            where=document.at(*path),
            why=f"known: {', '.join(known)}; what depends on it does not know this word",
            fix="write one of them",
        )


def _given_up(document: Document) -> Iterator[Finding]:
    data = document.data
    if "dataProduct" in data:
        fix = "remove it, and name the contract in an output port of the product (contractId)"
        yield _old(document, ("dataProduct",), fix)
    if "slaDefaultElement" in data:
        fix = f"remove it, and write element: {str(data['slaDefaultElement'])[:80]} on each SLA property"
        yield _old(document, ("slaDefaultElement",), fix)
    if isinstance(data.get("team"), list):
        yield _old(document, ("team",), "write team: as a mapping, with the list under members:")


def _old(document: Document, path: Path, fix: str) -> Finding:
    return Finding(
        code="MESH-C093",
        severity="warning",
        message=f"{path[-1]} is deprecated",
        where=document.at(*path),
        why="the standard has given it up; later versions will not read it",
        fix=fix,
    )
