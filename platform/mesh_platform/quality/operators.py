"""ODCS operators: a measured number against a threshold, and the same in words.

`mustBeBetween` includes both ends, as people expect and other tools do; the standard's text leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_HOLDS: Final[dict[str, Callable[[float, Any], bool]]] = {
    "mustBe": lambda measured, limit: measured == limit,
    "mustNotBe": lambda measured, limit: measured != limit,
    "mustBeGreaterThan": lambda measured, limit: measured > limit,
    "mustBeGreaterOrEqualTo": lambda measured, limit: measured >= limit,
    "mustBeLessThan": lambda measured, limit: measured < limit,
    "mustBeLessOrEqualTo": lambda measured, limit: measured <= limit,
    "mustBeBetween": lambda measured, limit: limit[0] <= measured <= limit[1],
    "mustNotBeBetween": lambda measured, limit: not limit[0] <= measured <= limit[1],
}
_SYMBOLS: Final = {
    "mustBe": "=",
    "mustNotBe": "≠",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": "≥",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "≤",
}


def holds(operator: str, measured: float, threshold: Any) -> bool:
    """Whether a measure satisfies an ODCS operator."""
    return _HOLDS[operator](measured, threshold)


def limit(operator: str, threshold: Any, unit: str) -> str:
    """The limit in words: `≤ 1 %`, `between 3,000 and 4,000`."""
    percent = " %" if unit == "percent" else ""
    if operator in ("mustBeBetween", "mustNotBeBetween"):
        low, high = threshold
        words = f"between {number(low)} and {number(high)}{percent}"
        return words if operator == "mustBeBetween" else f"not {words}"
    return f"{_SYMBOLS[operator]} {number(threshold)}{percent}"


def number(value: Any) -> str:
    """A number as people read it: `328,521`, `0.5`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def share(count: int, rows: int) -> str:
    """A part of the rows in percent: `0.76 %`; never 0 or 100 when it is not."""
    percent = 100 * count / rows
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.99 < percent < 100:
        return "> 99.99 %"
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"
