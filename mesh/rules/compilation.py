"""What is decided once per rule, the same for batches and rows: the column, its type, the operands.

MESH-C040  a rule on a property that does not exist    MESH-C042  a pattern that RE2 refuses
MESH-C041  a check that its type cannot have           MESH-C043  a bound that is no value of the type
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NoReturn

import pyarrow as pa
import re2

from mesh import limits
from mesh.errors import DeclarationError
from mesh.rules.model import ItemCount, Length, MultipleOf, OneOf, Pattern, Range, Rule, UniqueItems

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)
_FLOAT32: Final = struct.Struct("<f")


@dataclass(frozen=True, slots=True)
class Target:
    """The place a rule looks at: names from the top, and the Arrow type found there."""

    names: tuple[str, ...]
    type: pa.DataType


def target_of(rule: Rule, schema: pa.Schema) -> Target:
    """Where a rule looks; raises DeclarationError for no such property, or a check its type cannot have."""
    names = tuple(rule.path.split("."))
    found: pa.DataType = pa.struct(list(schema))
    for name in names:
        if not pa.types.is_struct(found) or found.get_field_index(name) < 0:
            refuse(rule, "MESH-C040", f"the schema has no property {rule.path!r}")
        found = found.field(name).type
    if not _allowed(rule, found):
        refuse(rule, "MESH-C041", f"a value of type {found} has no such check: {rule.check}")
    return Target(names, found)


def _allowed(rule: Rule, found: pa.DataType) -> bool:
    types = pa.types
    match rule.check:
        case Pattern() | Length():
            return bool(types.is_string(found))
        case ItemCount():
            return bool(types.is_list(found) or types.is_map(found))
        case UniqueItems():
            return bool(types.is_list(found) and not types.is_nested(found.value_type))
        case MultipleOf():
            return is_number(found)
        case Range():
            return is_number(found) or bool(types.is_timestamp(found) or types.is_date(found))
        case OneOf():
            return is_number(found) or bool(types.is_string(found) or types.is_boolean(found))
    return True


def is_number(found: pa.DataType) -> bool:
    """Whether an Arrow type holds numbers."""
    types = pa.types
    return bool(types.is_integer(found) or types.is_floating(found) or types.is_decimal(found))


def regex_of(rule: Rule, check: Pattern) -> Any:
    """The compiled pattern; raises DeclarationError for one too long, or that RE2 does not know."""
    if len(check.regex) > limits.PATTERN_LENGTH:
        refuse(rule, "MESH-C042", f"its pattern is longer than {limits.PATTERN_LENGTH:,} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(check.regex, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        refuse(rule, "MESH-C042", f"RE2 does not take its pattern {check.regex!r}: {reason}")


def bounds(rule: Rule, check: Range, found: pa.DataType) -> list[tuple[str, Any]]:
    """The comparisons of a range with bounds of the type itself; raises DeclarationError.

    Whole numbers are compared with whole bounds (`> 1.5` is `>= 2`): never through a float.
    """
    tests = [(symbol, _bound(rule, bound, found)) for symbol, bound in check.bounds()]
    return [_whole(symbol, bound) for symbol, bound in tests] if pa.types.is_integer(found) else tests


def choices(rule: Rule, check: OneOf, found: pa.DataType) -> list[Any]:
    """The allowed values as values of the type; raises DeclarationError for one that is none."""
    return [_choice(rule, value, found) for value in check.values]


def step_of(rule: Rule, check: MultipleOf) -> Fraction:
    """The step as the fraction its decimal text says: 0.1 is one tenth; raises DeclarationError below 0."""
    step = exactly(check.step)
    if step <= 0:
        refuse(rule, "MESH-C043", f"a value is a multiple of something greater than 0, not of {check.step}")
    return step


def exactly(number: float | Decimal) -> Fraction:
    """A number as the fraction its decimal text says."""
    return Fraction(str(number))


def is_multiple(value: float | Decimal, step: Fraction) -> bool:
    """Whether a value is a whole multiple of a step; NaN and the infinities are not."""
    return math.isfinite(value) and exactly(value) % step == 0


def as_float32(number: float) -> float:
    """A number as a 32-bit float keeps it."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def _choice(rule: Rule, value: object, found: pa.DataType) -> Any:
    try:
        if pa.types.is_boolean(found) or pa.types.is_string(found):
            wanted = bool if pa.types.is_boolean(found) else str
            if not isinstance(value, wanted):
                raise ValueError(f"it is no {wanted.__name__}")
            return value
        number = _number(value, found)
        if pa.types.is_integer(found) and (number != int(number) or abs(number) > LARGEST):
            raise ValueError("it is no whole number of 64 bits")
        return int(number) if pa.types.is_integer(found) else number
    except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
        refuse(rule, "MESH-C043", f"{value!r} can never be a value of {found}: {error}")


def _bound(rule: Rule, bound: object, found: pa.DataType) -> Any:
    try:
        if pa.types.is_timestamp(found):
            return _moment(bound, utc=found.tz is not None)
        return _day(bound) if pa.types.is_date(found) else _number(bound, found)
    except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
        refuse(rule, "MESH-C043", f"{bound!r} is no bound for {found}: {error}")


def _number(value: object, found: pa.DataType) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("it is no number")
    if not math.isfinite(value):
        raise ValueError("it is not finite")
    if pa.types.is_floating(found):
        return as_float32(float(value)) if pa.types.is_float32(found) else float(value)
    return Decimal(str(value)) if pa.types.is_decimal(found) else value


def _whole(symbol: str, bound: float | Decimal) -> tuple[str, int]:
    match symbol:
        case ">=":
            whole, same = math.ceil(bound), ">="
        case ">":
            whole, same = math.floor(bound) + 1, ">="
        case "<=":
            whole, same = math.floor(bound), "<="
        case _:
            whole, same = math.ceil(bound) - 1, "<="
    # beyond 64 bits the answer is the same for every value there is
    if whole > LARGEST:
        return (">", LARGEST) if same == ">=" else ("<=", LARGEST)
    if whole < SMALLEST:
        return ("<", SMALLEST) if same == "<=" else (">=", SMALLEST)
    return same, whole


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
