"""What is decided once per rule, the same for batches and rows: the column, its type, the operands.

MESH-C040  a rule on a property that does not exist    MESH-C042  a pattern that RE2 refuses
MESH-C041  a check that its type cannot have           MESH-C043  a bound that is no value of the type
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import pyarrow as pa
import re2

from mesh import limits
from mesh.errors import DeclarationError
from mesh.rules.model import ItemCount, Length, MultipleOf, OneOf, Pattern, Range, Rule, UniqueItems


@dataclass(frozen=True, slots=True)
class Target:
    """The place a rule looks at: names from the top, and the Arrow type found there."""

    names: tuple[str, ...]
    type: pa.DataType


def target_of(rule: Rule, schema: pa.Schema) -> Target:
    """Find a rule's property; raises DeclarationError when there is none, or its type cannot have the check."""
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


def operand(rule: Rule, bound: object, found: pa.DataType) -> Any:
    """A bound as a Python value that compares with the values of a type; raises DeclarationError."""
    try:
        if pa.types.is_timestamp(found):
            return _moment(bound, utc=found.tz is not None)
        if pa.types.is_date(found):
            return _day(bound)
        if isinstance(bound, bool) or not isinstance(bound, int | float | Decimal):
            raise ValueError("it is no number")
        return bound
    except (ValueError, TypeError, InvalidOperation) as error:
        refuse(rule, "MESH-C043", f"{bound!r} is no bound for {found}: {error}")


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
