"""Numbers, days and moments as steps of a grid: range, multiple and digits are decided once, exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from random import Random
from typing import Any, Final

from mesh.rules.compilation import bounds, step_of
from mesh.rules.model import MultipleOf, Range, Rule
from mesh.rules.types import Day, Exact, Moment, Real, Type, Whole

Ordered = Whole | Real | Exact | Moment | Day
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT: Final = Context(prec=400)
_FORMATS: Final = {
    "i8": (-(2**7), 2**7 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "u8": (0, 2**8 - 1),
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
}
_FINE: Final = 2**40  #: so many places a float tells apart evenly
_DIGITS: Final = 2  #: after the point, where no rule says
_WINDOW: Final = 1_000  #: how far values go from their only bound
_MOMENTS: Final = (
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, tzinfo=UTC),
)


@dataclass(frozen=True)
class Grid:
    """The values `value_at(k)` for k from `low` to `high`; empty when low is above high."""

    low: int
    high: int
    value_at: Callable[[int], Any]
    step_of: Callable[[Any], int]
    window: tuple[int, int]  #: where values come from when nothing else says
    reach: int  #: how far a value may be from the only example
    exact: bool  #: whether the values keep range and steps as they stand, without rounding

    @property
    def size(self) -> int:
        """How many values there are."""
        return max(0, self.high - self.low + 1)

    def clipped(self, step: int) -> int:
        """The nearest step that is on the grid."""
        return min(max(step, self.low), self.high)

    def around(self, steps: Sequence[int]) -> Callable[[Random], int]:
        """Draws steps close to one of `steps`, each as likely as often it stands there."""
        low, high = self.low, self.high
        single = min(abs(steps[0]) // 4, self.reach, self.size // 8)
        spread = (max(steps) - min(steps)) // 4 or single

        def near(rng: Random) -> int:
            chosen = steps[between(rng, 0, len(steps) - 1)]
            moved = chosen + between(rng, -spread, spread)
            return moved if low <= moved <= high else chosen

        return near


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from low to high; several times faster than randint where a float is fine enough."""
    width = high - low + 1
    return low + int(rng.random() * width) if width < _FINE else rng.randint(low, high)


def grid_of(found: Ordered, rules: Sequence[Rule], spelled: str = "") -> Grid:
    """The grid of a type under rules; `spelled` is the format of whole numbers (i8, u16, …)."""
    ranges = [(rule, rule.check) for rule in rules if isinstance(rule.check, Range)]
    tests = [test for rule, check in ranges for test in bounds(rule, check, found)]
    steps = [step_of(rule, rule.check) for rule in rules if isinstance(rule.check, MultipleOf)]
    least = [_number(bound) for symbol, bound in tests if symbol in (">", ">=")]
    most = [_number(bound) for symbol, bound in tests if symbol in ("<", "<=")]
    unit = _unit(found, steps, max(least, default=None), min(most, default=None))
    low, high, window = _natural(found, spelled, unit)
    for symbol, bound in tests:
        at = _number(bound) / unit
        if symbol == ">=":
            low = max(low, math.ceil(at))
        elif symbol == ">":
            low = max(low, math.floor(at) + 1)
        elif symbol == "<=":
            high = min(high, math.floor(at))
        else:
            high = min(high, math.ceil(at) - 1)
    width = window[1] - window[0]
    if least and most:
        window = (low, high)
    elif least and window[0] <= low:
        window = (low, low + max(width, abs(low) // 4))
    elif most and window[1] >= high:
        window = (high - max(width, abs(high) // 4), high)
    window = (min(max(window[0], low), high), max(min(window[1], high), low))
    month = {Moment: 30 * 86_400, Day: 30}.get(type(found))
    reach = high - low if month is None else math.ceil(month / unit)
    return Grid(
        low,
        high,
        _value(found, unit),
        lambda value: round(_number(value) / unit),
        window,
        reach,
        exact=not isinstance(found, Real),
    )


def _unit(found: Type, steps: Sequence[Fraction], low: Fraction | None, high: Fraction | None) -> Fraction:
    units = [Fraction(1, 10**found.scale)] if isinstance(found, Exact) else []
    if isinstance(found, Whole):
        units = [Fraction(1)]
    if units or steps:
        unit, *more = [*units, *steps]
        for other in more:
            numerator = math.lcm(unit.numerator * other.denominator, other.numerator * unit.denominator)
            unit = Fraction(numerator, unit.denominator * other.denominator)
        return unit
    if isinstance(found, Day):
        return Fraction(1)
    digits = 0 if isinstance(found, Moment) else _DIGITS
    if low is not None and high is not None:
        # A narrow range needs finer values: about a thousand of them, or the one there is.
        width = high - low
        if width > 0:
            digits = max(digits, math.ceil(3 - math.log10(width))) if width < _WINDOW else digits
        else:
            digits = max(digits, _digits_of(low))
    return Fraction(1, 10 ** min(digits, 6 if isinstance(found, Moment) else 330))


def _digits_of(number: Fraction) -> int:
    text = str(_EXACT.divide(Decimal(number.numerator), Decimal(number.denominator)))
    exponent = Decimal(text).as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _natural(found: Ordered, spelled: str, unit: Fraction) -> tuple[int, int, tuple[int, int]]:
    """What the type itself can hold, and where values come from when no rule says."""
    match found:
        case Whole(bits):
            low, high = _FORMATS.get(spelled, (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
            edges, window = (Fraction(low), Fraction(high)), (Fraction(0), Fraction(_WINDOW))
        case Exact(precision, scale):
            most = Fraction(10**precision - 1, 10**scale)
            edges, window = (-most, most), (Fraction(0), min(Fraction(_WINDOW), most))
        case Real(bits):
            most = Fraction(10) ** (38 if bits == 32 else 308)
            edges, window = (-most, most), (Fraction(0), Fraction(_WINDOW))
        case Moment():
            first, last, start, end = map(_number, _MOMENTS)
            edges, window = (start, end), (first, last)
        case Day():
            first, last, start, end = (_number(moment.date()) for moment in _MOMENTS)
            edges, window = (start, end), (first, last)
    return (
        math.ceil(edges[0] / unit),
        math.floor(edges[1] / unit),
        (math.ceil(window[0] / unit), math.floor(window[1] / unit)),
    )


def _number(value: Any) -> Fraction:
    """A value as an exact number: moments in seconds from 1970, days in days from the year 1."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        passed = aware - _EPOCH
        return Fraction((passed.days * 86_400 + passed.seconds) * 10**6 + passed.microseconds, 10**6)
    if isinstance(value, date):
        return Fraction(value.toordinal())
    return Fraction(str(value))


def _value(found: Ordered, unit: Fraction) -> Callable[[int], Any]:
    numerator, denominator = unit.numerator, unit.denominator
    match found:
        case Whole():
            return lambda step: step * numerator
        case Real():
            return lambda step: float(step * unit) if denominator > 10**15 else step * numerator / denominator
        case Exact():
            # `unit` is a whole number of 10^-scale.
            scale = found.scale
            units = int(unit * 10**scale)
            return lambda step: Decimal(step * units).scaleb(-scale, _EXACT)
        case Moment():
            start = _EPOCH if found.utc else _EPOCH.replace(tzinfo=None)
            return lambda step: start + timedelta(microseconds=step * numerator * 10**6 // denominator)
        case Day():
            return lambda step: date.fromordinal(step * numerator)
