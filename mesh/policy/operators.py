"""The tests of a condition: equal, among, matching, longer, larger, later, named like."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Protocol

from mesh.contract import durations
from mesh.policy.conditions import Held, Run
from mesh.policy.paths import NodePath
from mesh.policy.subject import Milliseconds

Comparison = Callable[[Any, Any], bool]
COMPARISONS: Mapping[str, Comparison] = {
    "atLeast": operator.ge,
    "atMost": operator.le,
    "moreThan": operator.gt,
    "lessThan": operator.lt,
}
KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "mapping": lambda value: isinstance(value, dict),
    "date": lambda value: _as_date(value) is not None,
    "duration": lambda value: durations.milliseconds(value) is not None,
}
_TODAY = re.compile(r"today(?:(?P<sign>[+-])P(?P<days>\d{1,5})D)?\Z")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Among:
    """The value is one of these; `equals` is a choice of one."""

    values: tuple[Any, ...]

    def holds(self, value: Any, _run: Run) -> Held:
        return any(type(value) is type(wanted) and value == wanted for wanted in self.values)


@dataclass(frozen=True, slots=True)
class SameAs:
    """The value is equal to that of another path."""

    path: NodePath

    def holds(self, value: Any, run: Run) -> Held:
        return bool(value == self.path.value(run.subject.data, run.subject))


@dataclass(frozen=True, slots=True)
class Matches:
    """An RE2 pattern is found in the text: linear in its length, whoever wrote the pattern."""

    pattern: Any  #: compiled

    def holds(self, value: Any, run: Run) -> Held:
        if not isinstance(value, str):
            return None
        run.spend(1 + len(value) // 64)
        return self.pattern.search(value) is not None


@dataclass(frozen=True, slots=True)
class Contains:
    """A list has one of these items, or a text one of these parts."""

    values: tuple[Any, ...]

    def holds(self, value: Any, run: Run) -> Held:
        if isinstance(value, str):
            run.spend(1 + len(value) // 64)
            return any(str(part) in value for part in self.values)
        if isinstance(value, list):
            run.spend(len(value))
            return any(item == wanted for item in value for wanted in self.values)
        return None


@dataclass(frozen=True, slots=True)
class Is:
    """The value is of a kind."""

    kind: str

    def holds(self, value: Any, _run: Run) -> Held:
        return KINDS[self.kind](value)


@dataclass(frozen=True, slots=True)
class Words:
    """One of these words, or rows of words, stands in a name: `homePhone` and `home_phone` have `phone`."""

    rows: frozenset[tuple[str, ...]]
    longest: int

    def holds(self, value: Any, run: Run) -> Held:
        if not isinstance(value, str):
            return None
        run.spend(1 + len(value) // 8)
        words = words_of(value[:1_000])
        rows = self.rows
        for start in range(len(words)):
            for length in range(1, self.longest + 1):
                if words[start : start + length] in rows:
                    return True
        return False


class Operand(Protocol):
    """What a value is compared with."""

    def pair(self, value: Any, run: Run, /) -> tuple[Any, Any] | None:
        """The value and itself, comparable; None when they are not."""


@dataclass(frozen=True, slots=True)
class Compare:
    """Larger, smaller, later, longer."""

    name: str
    operand: Operand

    def holds(self, value: Any, run: Run) -> Held:
        pair = self.operand.pair(value, run)
        return None if pair is None else COMPARISONS[self.name](*pair)


@dataclass(frozen=True, slots=True)
class Length:
    """The number of characters, items or keys, compared."""

    tests: tuple[Compare, ...]

    def holds(self, value: Any, run: Run) -> Held:
        if not isinstance(value, str | list | dict):
            return None
        return all(test.holds(len(value), run) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Number:
    """A number; a boolean is none."""

    number: float

    def pair(self, value: Any, _run: Run) -> tuple[Any, Any] | None:
        return (
            (value, self.number) if KINDS["number"](value) and not isinstance(value, Milliseconds) else None
        )


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time; `forever` is longer than any."""

    ms: float

    def pair(self, value: Any, _run: Run) -> tuple[Any, Any] | None:
        ms = value if isinstance(value, Milliseconds) else durations.milliseconds(value)
        return None if ms is None else (_FOREVER if ms < 0 else ms, self.ms)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    day: date

    def pair(self, value: Any, _run: Run) -> tuple[Any, Any] | None:
        found = _as_date(value)
        return None if found is None else (found, self.day)


@dataclass(frozen=True, slots=True)
class DayFromToday:
    """A day so many days from the one on which the policy is asked."""

    days: int

    def pair(self, value: Any, run: Run) -> tuple[Any, Any] | None:
        found = _as_date(value)
        try:
            return None if found is None else (found, run.today + timedelta(days=self.days))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class InUnit:
    """Makes a span of time of a value and the unit that stands beside it."""

    unit: NodePath

    def of(self, value: Any, here: Any, run: Run) -> Any:
        unit = self.unit.value(here, run.subject)
        ms = durations.from_unit(value, str(unit or ""))
        if ms < 0 and value != "forever":
            run.unsure = run.unsure or f"{value!r} {unit!r} is no span of time"[:200]
            return None
        return Milliseconds(ms)


def operand(wanted: Any) -> Operand | None:
    """What a policy file compares with: 3, P400D, forever, 2026-12-31, today+P90D; None for anything else."""
    if KINDS["number"](wanted):
        return Number(wanted)
    ms = durations.milliseconds(wanted)
    if ms is not None:
        return Duration(_FOREVER if ms < 0 else ms)
    if not isinstance(wanted, str):
        return None
    relative = _TODAY.match(wanted) if wanted.isascii() else None
    if relative is not None:
        days = int(relative["days"] or 0)
        return DayFromToday(-days if relative["sign"] == "-" else days)
    day = _as_date(wanted)
    return Day(day) if day is not None else None


def words(entries: Sequence[str]) -> Words:
    """A test for names that hold one of these words; an entry of several words is a row of them."""
    rows = frozenset(row for row in map(words_of, entries) if row)
    return Words(rows, max(map(len, rows), default=0))


@lru_cache(maxsize=8_192)
def words_of(name: str) -> tuple[str, ...]:
    """`homePhone`, `home_phone` and `Home phone` are the words home and phone."""
    return tuple(_NOT_A_LETTER.sub(" ", _CAPITAL.sub(" ", name).lower()).split())


def _as_date(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) < 10 or not value.isascii():
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None
