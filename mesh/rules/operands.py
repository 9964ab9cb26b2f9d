"""The numbers, days and moments that a rule compares with, as values of the property's own type."""

from __future__ import annotations

import math
import struct
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NoReturn

from mesh.errors import DeclarationError
from mesh.rules.model import Rule
from mesh.rules.types import Day, Exact, Flag, Moment, Real, Text, Type, Whole

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)
_FLOAT32: Final = struct.Struct("<f")
_BITS32: Final = struct.Struct("<I")
_FAILURES: Final = (ValueError, TypeError, OverflowError, InvalidOperation)
#: Exact for whatever fits into a file.
_WIDE: Final = Context(prec=2_000)


def bound_of(rule: Rule, bound: object, found: Type) -> Any:
    """A bound as a value that compares with the type; raises DeclarationError when it is none."""
    try:
        match found:
            case Moment():
                return _moment(bound, utc=found.utc)
            case Day():
                return _day(bound)
        return _number(bound, found)
    except _FAILURES as error:
        refuse(rule, "MESH-C043", f"{bound!r} is no bound for a {found}: {error}")


def choice_of(rule: Rule, value: object, found: Type) -> Any:
    """A value as the type can have it; raises DeclarationError when it cannot."""
    try:
        match found:
            case Text() | Flag():
                if not isinstance(value, str if isinstance(found, Text) else bool):
                    raise ValueError(f"it is no {found}")
                return value
            case Whole():
                number = _number(value, found)
                if number != int(number) or not SMALLEST <= number <= LARGEST:
                    raise ValueError("it is no whole number of 64 bits")
                return int(number)
            case Exact():
                return _at_scale(_number(value, found), found)
        return _number(value, found)
    except _FAILURES as error:
        refuse(rule, "MESH-C043", f"{value!r} can never be a value of a {found}: {error}")


def whole(symbol: str, bound: float | Decimal | Fraction) -> tuple[str, int]:
    """The same comparison for whole numbers of 64 bits: `> 1.5` is `>= 2`."""
    same, number = _to_grid(symbol, bound)
    # beyond 64 bits the answer is the same for every value there is
    if number > LARGEST:
        return (">", LARGEST) if same == ">=" else ("<=", LARGEST)
    if number < SMALLEST:
        return ("<", SMALLEST) if same == "<=" else (">=", SMALLEST)
    return same, number


def scaled(symbol: str, bound: Decimal, found: Exact) -> tuple[str, Decimal]:
    """The same comparison for decimals of one type: `> 1.505` is `>= 1.51` at scale 2."""
    same, number = _to_grid(symbol, _WIDE.scaleb(bound, found.scale))
    most = 10**found.precision - 1
    if abs(number) > most:
        beyond = "> <=" if number > 0 else ">= <"
        above, below = beyond.split()
        same, number = (above if same == ">=" else below), int(math.copysign(1, number)) * most
    return same, _WIDE.scaleb(Decimal(number), -found.scale)


def _to_grid(symbol: str, bound: float | Decimal | Fraction) -> tuple[str, int]:
    match symbol:
        case ">=":
            return ">=", math.ceil(bound)
        case ">":
            return ">=", math.floor(bound) + 1
        case "<=":
            return "<=", math.floor(bound)
    return "<=", math.ceil(bound) - 1


def exactly(number: float | Decimal) -> Fraction:
    """A number as the fraction its decimal text says."""
    return Fraction(str(number))


def is_multiple(value: float | Decimal, step: Fraction) -> bool:
    """Whether a value is a whole multiple of a step; NaN and the infinities are not."""
    return math.isfinite(value) and exactly(value) % step == 0


def units_of(step: Fraction, scale: int) -> int:
    """Of how many units of 10^-scale a value must be a multiple to be one of `step`."""
    unit = Fraction(1, 10**scale)
    together = step / unit
    return together.numerator


def as_float32(number: float) -> float:
    """A number as a 32-bit float keeps it."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def float32_range(number: float) -> tuple[float, float, bool]:
    """Between which 64-bit numbers lie those that become this 32-bit one, and whether the ends do."""
    if math.isinf(number):
        edge = float32_range(math.copysign(_LARGEST32, number))
        return (edge[1], math.inf, True) if number > 0 else (-math.inf, edge[0], True)
    below, above = _neighbour(number, -math.inf), _neighbour(number, math.inf)
    even = _BITS32.unpack(_FLOAT32.pack(number))[0] % 2 == 0
    return (below + number) / 2, (number + above) / 2, even


_LARGEST32: Final = float(_FLOAT32.unpack(_BITS32.pack(0x7F7FFFFF))[0])


def _neighbour(number: float, towards: float) -> float:
    """The next 32-bit float; beyond the largest the one that would follow."""
    bits = _BITS32.unpack(_FLOAT32.pack(abs(number)))[0]
    away = (towards > 0) == (number >= 0) if number else True
    if number == 0:
        return math.copysign(_FLOAT32.unpack(_BITS32.pack(1))[0], towards)
    if away and bits == 0x7F7FFFFF:
        return math.copysign(2.0**128, number)
    step = _FLOAT32.unpack(_BITS32.pack(bits + 1 if away else bits - 1))[0]
    return math.copysign(step, number)


def _at_scale(number: Decimal, found: Exact) -> Decimal:
    units = _WIDE.scaleb(number, found.scale)
    if units != int(units):
        raise ValueError(f"it has more than {found.scale} digits after the point")
    if abs(units) >= 10**found.precision:
        raise ValueError(f"it has more than {found.precision} digits")
    return _WIDE.scaleb(Decimal(int(units)), -found.scale)


def _number(value: object, found: Type) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("it is no number")
    if not math.isfinite(value):
        raise ValueError("it is not finite")
    match found:
        case Real(bits):
            return as_float32(float(value)) if bits == 32 else float(value)
        case Exact():
            return Decimal(str(value))
    return value


def _moment(bound: object, *, utc: bool) -> datetime:
    moment = datetime.fromisoformat(bound) if isinstance(bound, str) else bound
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if not isinstance(moment, datetime):
        raise ValueError("it is no point in time")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC) if utc else aware.astimezone(UTC).replace(tzinfo=None)


def _day(bound: object) -> date:
    day = date.fromisoformat(bound) if isinstance(bound, str) else bound
    if isinstance(day, datetime) or not isinstance(day, date):
        raise ValueError("it is no date")
    return day


def refuse(rule: Rule, code: str, why: str) -> NoReturn:
    """Raise DeclarationError naming the rule."""
    raise DeclarationError(
        f"rule {rule.name!r} cannot be compiled",
        code=code,
        where=rule.path,
        why=why,
        fix="correct the rule in the contract, then: mesh check",
    )
