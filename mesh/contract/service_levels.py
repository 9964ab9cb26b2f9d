"""SLA properties: known names, elements that exist, values that can be measured (MESH-C084…C086)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mesh.contract import durations, instants
from mesh.contract.references import targets
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

Kind = Literal["duration", "number", "share", "date", "text"]

#: name in lower case: (name, two letters, kind); ODCS, Service-Level Agreement.
_ALL: tuple[tuple[str, str, Kind], ...] = (
    ("availability", "av", "share"),
    ("throughput", "th", "number"),
    ("errorRate", "er", "share"),
    ("generalAvailability", "ga", "date"),
    ("endOfSupport", "es", "date"),
    ("endOfLife", "el", "date"),
    ("retention", "re", "duration"),
    ("frequency", "fy", "duration"),
    ("latency", "ly", "duration"),
    ("timeToDetect", "td", "duration"),
    ("timeToNotify", "tn", "duration"),
    ("timeToRepair", "tr", "duration"),
    ("timeOfAvailability", "", "text"),
)
_KNOWN = {name.lower(): (name, letters, kind) for name, letters, kind in _ALL}
_SYNONYMS = {letters: name for name, letters, _ in _KNOWN.values() if letters}
_EXPECTED: Mapping[Kind, str] = {
    "duration": "a number with a unit such as d, h, m or s, or an ISO 8601 duration",
    "number": "a number",
    "share": "a number, from 0 to 100 when the unit is percent",
    "date": "a date or a time such as 2028-12-31",
}


def canonical(name: str) -> str:
    """The standard's name of an SLA property, whatever its case or by its two letters; else as written."""
    lower = name.lower()
    return _KNOWN.get(_SYNONYMS.get(lower, name).lower(), (name,))[0]


def findings(document: Document) -> Iterator[Finding]:
    """MESH-C084 unknown name, C085 element that is not there, C086 a value or unit without a meaning."""
    for index, level in enumerate(document.data.get("slaProperties") or []):
        path: Path = ("slaProperties", index)
        name = canonical(level["property"])
        known = _KNOWN.get(name.lower())
        if known is None:
            names = [entry[0] for entry in _KNOWN.values()]
            yield Finding(
                code="MESH-C084",
                severity="warning",
                message=f"the SLA property {level['property'][:80]!r} is not known"
                + did_you_mean(level["property"], names),
                where=document.at(*path, "property"),
                why="it is kept and shown, but nobody measures it; known: " + ", ".join(names),
                fix="correct the name, or keep it as a promise to people",
            )
        elif not _means(known[2], level.get("value"), str(level.get("unit", ""))):
            unit = f" {level['unit']}" if level.get("unit") else ""
            yield Finding(
                code="MESH-C086",
                message=f"{name} cannot be {str(level.get('value'))[:80]!r}{unit[:40]}",
                where=document.at(*path, "value"),
                why=f"expected {_EXPECTED[known[2]]}",
                fix="correct value or unit, so that it can be measured",
            )
        yield from _elements(document, level.get("element"), path)


def _means(kind: Kind, value: Any, unit: str) -> bool:
    number = _number(value)
    if value is None or kind == "text":
        return True
    if kind == "date":
        return instants.is_date(value) or instants.is_timestamp(value)
    if kind == "duration":
        if number is None:
            return durations.milliseconds(value) is not None
        return number >= 0 and durations.known_unit(unit)
    percent = unit.lower() in ("percent", "%")
    return number is not None and number >= 0 and not (kind == "share" and percent and number > 100)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) and value.isascii() and len(value) <= 40 else None
    except ValueError:
        return None


def _elements(document: Document, element: Any, path: Path) -> Iterator[Finding]:
    if not isinstance(element, str):
        return
    known = targets(document.data)
    for name in (part.strip() for part in element.split(",")[:100]):
        if not known.have(name):
            near = known.near(name)
            yield Finding(
                code="MESH-C085",
                message=f"this contract has no element {name[:80]!r}"
                + (f"; did you mean {near!r}?" if near else ""),
                where=document.at(*path, "element"),
                why="an SLA property names its element by schema.property; several are separated by commas",
                fix=f"write element: {near or 'schema.property'}",
            )
