"""Durations as declarations write them: ISO 8601 (`P400D`, `PT15M`), `forever`, or value and unit."""

from __future__ import annotations

import re
from typing import Any

FOREVER = -1
_ISO = re.compile(
    r"P(?:(?P<y>\d{1,4})Y)?(?:(?P<w>\d{1,5})W)?(?:(?P<d>\d{1,6})D)?"
    r"(?:T(?:(?P<h>\d{1,7})H)?(?:(?P<m>\d{1,8})M)?(?:(?P<s>\d{1,9})S)?)?\Z"
)
_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_UNITS = {
    "": "d",
    "y": "y",
    "yr": "y",
    "year": "y",
    "w": "w",
    "week": "w",
    "d": "d",
    "day": "d",
    "h": "h",
    "hr": "h",
    "hour": "h",
    "m": "m",
    "min": "m",
    "minute": "m",
    "s": "s",
    "sec": "s",
    "second": "s",
    "ms": "ms",
    "milli": "ms",
    "millisecond": "ms",
}
LONGEST = 2**63 - 1  #: what Kafka can hold


def milliseconds(text: Any) -> int | None:
    """`P400D` in milliseconds, `forever` as -1, None when it is neither."""
    if text == "forever":
        return FOREVER
    match = _ISO.match(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()) or not text.isascii():
        return None
    return sum(int(count) * _MS[unit] for unit, count in match.groupdict().items() if count)


def from_unit(value: Any, unit: str) -> int:
    """An SLA value with its unit in milliseconds; -1 (keep for ever) when it has no such reading."""
    word = _unit(unit)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, int | float) and not isinstance(value, bool) and word:
        return int(min(value * _MS[word], LONGEST)) if value >= 0 else FOREVER
    found = milliseconds(value)
    return FOREVER if found is None else found


def known_unit(unit: str) -> bool:
    """Whether a unit of an SLA property is one of time; none at all means days."""
    return bool(_unit(unit))


def _unit(unit: str) -> str:
    word = unit.lower()
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s"), "")


def words(ms: int) -> str:
    """400 days, 36 hours, for ever: as people say it."""
    if ms < 0:
        return "for ever"
    for name, size in (("day", "d"), ("hour", "h"), ("minute", "m"), ("second", "s")):
        if ms and ms % _MS[size] == 0:
            count = ms // _MS[size]
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{ms:,} ms"
