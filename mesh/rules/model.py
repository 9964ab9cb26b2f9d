"""Record rules: what a contract asks of a single event, as values.

A null breaks `Required` only; every other check lets nulls pass (ODCS counts nulls apart from
invalid values). Patterns are searched for, as JSON Schema does: anchor them with ^ and $.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from mesh.errors import Severity

Bound = int | float | Decimal | date | datetime
ITEMS: Final = "[]"  #: the step of a path into each item of a list
VALUES: Final = "{}"  #: the step into each value of a map
_STEP: Final = re.compile(r"\[\]|\{\}|[^.\[\]{}]+")


@dataclass(frozen=True, slots=True)
class Required:
    """There is a value."""

    def __str__(self) -> str:
        return "is required"


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of `values`; true and false are no numbers here."""

    values: tuple[str | int | float | bool, ...]

    def __str__(self) -> str:
        return f"is one of {', '.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """`regex` (RE2) occurs in the text."""

    regex: str

    def __str__(self) -> str:
        return f"matches {self.regex}"


@dataclass(frozen=True, slots=True)
class Length:
    """The text has `least` to `most` characters (code points)."""

    least: int | None = None
    most: int | None = None

    def __str__(self) -> str:
        return f"has {_between(self.least, self.most)} characters"


@dataclass(frozen=True, slots=True)
class Range:
    """The value lies within the bounds; NaN lies within none.

    Bounds of dates and timestamps may be ISO 8601 text; without zone it is UTC.
    """

    minimum: Bound | str | None = None
    maximum: Bound | str | None = None
    exclusive_minimum: Bound | str | None = None
    exclusive_maximum: Bound | str | None = None

    def __str__(self) -> str:
        return "is " + " and ".join(f"{symbol} {bound}" for symbol, bound in self.bounds())

    def bounds(self) -> Iterator[tuple[str, Bound | str]]:
        """Each bound that is set, with its comparison: `>=`, `>`, `<=` or `<`."""
        for symbol, bound in (
            (">=", self.minimum),
            (">", self.exclusive_minimum),
            ("<=", self.maximum),
            ("<", self.exclusive_maximum),
        ):
            if bound is not None:
                yield symbol, bound


@dataclass(frozen=True, slots=True)
class MultipleOf:
    """The number is a whole multiple of `step`, in exact arithmetic of the decimal texts."""

    step: int | float | Decimal

    def __str__(self) -> str:
        return f"is a multiple of {self.step}"


@dataclass(frozen=True, slots=True)
class ItemCount:
    """The list has `least` to `most` items."""

    least: int | None = None
    most: int | None = None

    def __str__(self) -> str:
        return f"has {_between(self.least, self.most)} items"


@dataclass(frozen=True, slots=True)
class UniqueItems:
    """No two items of the list are equal."""

    def __str__(self) -> str:
        return "has no item twice"


Check = Required | OneOf | Pattern | Length | Range | MultipleOf | ItemCount | UniqueItems


@dataclass(frozen=True, slots=True)
class Rule:
    """A check on one property of the event.

    `path` is its name, dotted inside nested objects; `tags[]` is every item of a list, `labels{}` every value
    of a map. Such a rule holds for an event when it holds for all of them.
    """

    name: str
    path: str
    check: Check
    severity: Severity = "error"
    description: str = ""

    @property
    def sentence(self) -> str:
        """What the rule asks, in words: `dep_delay is >= -60`."""
        return f"{self.path} {self.check}"


def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path from the top: `stops[].city` is `stops`, `[]`, `city`."""
    return tuple(_STEP.findall(path))


def _between(least: int | None, most: int | None) -> str:
    if least == most:
        return f"exactly {least}"
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"
