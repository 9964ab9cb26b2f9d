"""A record rule as a SQL predicate in DuckDB's dialect: true for a row that the rule accepts, never null.

The columns are those that an Arrow table of the events has in DuckDB. Source: DuckDB's documentation,
«Functions» and «Data Types».
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from mesh.rules.compilation import Place, bounds, choices, counts, regex_of, step_of
from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import (
    ItemCount,
    Length,
    MultipleOf,
    OneOf,
    Pattern,
    Range,
    Required,
    Rule,
    UniqueItems,
)
from mesh.rules.operands import LARGEST, SMALLEST, units_of
from mesh.rules.types import Day, Entries, Exact, Flag, Items, Moment, Object, Real, Text, Type, Whole

MOST_DIGITS: Final = 38
_VALUE: Final = "\0"


class _Cannot(Exception):
    """Why a check has no exact predicate."""


def predicate(rule: Rule, place: Place) -> str | Inexpressible:
    """The rule in SQL. Raises DeclarationError for a rule that does not compile."""
    try:
        for step, inside in zip(place.steps, place.around, strict=True):
            if isinstance(inside, Object) and inside.names_alike(step):
                raise _Cannot(f"it does not tell {step!r} from another name in other case")
        required = isinstance(rule.check, Required)
        test = "true" if required else _test(rule, place.type)
        name, *inside_steps = place.steps
        column = quoted(name)
        if required and not inside_steps:
            return f"{column} IS NOT NULL"
        return f"{column} IS NULL OR {_grouped(_within(column, inside_steps, test, required))}"
    except _Cannot as why:
        return Inexpressible("SQL", str(why))


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text literal."""
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def _within(here: str, steps: Sequence[str], test: str, required: bool, depth: int = 0) -> str:
    """What is asked of the value that the steps lead to from `here`, which is not null."""
    if not steps:
        return test.replace(_VALUE, here)
    step, *rest = steps
    if step in ("[]", "{}"):
        items, item = here if step == "[]" else f"map_values({here})", f"i{depth}" if depth else "i"
        if required and not rest:
            return f"len(list_filter({items}, lambda {item}: {item} IS NULL)) = 0"
        inner = f"{item} IS NULL OR {_grouped(_within(item, rest, test, required, depth + 1))}"
        return f"len(list_filter({items}, lambda {item}: NOT ({inner}))) = 0"
    there = f"struct_extract({here}, {text(step)})"
    if required and not rest:
        return f"{there} IS NOT NULL"
    return f"{there} IS NULL OR {_grouped(_within(there, rest, test, required, depth))}"


def _test(rule: Rule, found: Type) -> str:
    """The check of a value that is not null, written for `_VALUE`."""
    value, check = _VALUE, rule.check
    if isinstance(found, Exact) and found.precision > MOST_DIGITS:
        raise _Cannot(f"its decimals end at {MOST_DIGITS} digits")
    match check:
        case OneOf():
            allowed = [_literal(one, found) for one in choices(rule, check, found)]
            return f"{value} IN ({', '.join(allowed)})" if allowed else "false"
        case Pattern(regex):
            regex_of(rule, check)
            return f"regexp_matches({value}, {text(regex)})"
        case Length():
            return _counted(f"length({value})", *counts(rule, check))
        case ItemCount():
            size = "cardinality" if isinstance(found, Entries) else "len"
            return _counted(f"{size}({value})", *counts(rule, check))
        case Range():
            tests = [f"{value} {symbol} {_literal(b, found)}" for symbol, b in bounds(rule, check, found)]
            # NaN is the greatest number here
            return " AND ".join([f"NOT isnan({value})", *tests] if isinstance(found, Real) else tests)
        case MultipleOf():
            return _multiple(value, rule, check, found)
        case UniqueItems():
            assert isinstance(found, Items)  # what `place_of` allows
            return _unique(value, found.item)
    raise AssertionError(check)


def _literal(value: Any, found: Type) -> str:
    match found:
        case Text():
            return text(value)
        case Flag():
            return "true" if value else "false"
        case Whole():
            return str(value)
        case Real(bits):
            return f"CAST('{value!r}' AS {'FLOAT' if bits == 32 else 'DOUBLE'})"
        case Exact(precision, scale):
            assert isinstance(value, Decimal)
            return f"CAST('{value:f}' AS DECIMAL({precision}, {scale}))"
        case Day():
            assert isinstance(value, date)
            return f"DATE '{value.isoformat()}'"
        case Moment(unit="ns"):
            raise _Cannot("it compares nanoseconds only within the years 1677 to 2262")
        case Moment(utc=utc):
            assert isinstance(value, datetime)
            moment = value.replace(tzinfo=None).isoformat(" ")
            return f"TIMESTAMPTZ '{moment}+00'" if utc else f"TIMESTAMP '{moment}'"
    raise AssertionError(found)


def _counted(count: str, least: int, most: int | None) -> str:
    tests = [f"{count} >= {least}"] if least or most is None else []
    return " AND ".join(tests + ([f"{count} <= {most}"] if most is not None else []))


def _multiple(value: str, rule: Rule, check: MultipleOf, found: Type) -> str:
    step = step_of(rule, check)
    match found:
        case Whole():
            units = units_of(step, 0)
            if units > LARGEST:
                return f"{value} IN (0, {SMALLEST})" if units == -SMALLEST else f"{value} = 0"
            return f"{value} % {units} = 0"
        case Exact(precision, scale):
            units = units_of(step, scale)
            if units >= 10**precision:
                return f"{value} = 0"
            return f"{value} % {_literal(Decimal(units).scaleb(-scale), found)} = 0"
    raise _Cannot("it computes with binary floats, in which 0.3 is no multiple of 0.1")


def _unique(value: str, item: Type) -> str:
    if isinstance(item, Exact) and item.precision > MOST_DIGITS:
        raise _Cannot(f"its decimals end at {MOST_DIGITS} digits")
    if isinstance(item, Moment) and item.unit == "ns":
        raise _Cannot("it reads nanoseconds as microseconds inside lists")
    number = isinstance(item, Real)
    wanted = "one IS NOT NULL AND NOT isnan(one)" if number else "one IS NOT NULL"
    items = f"list_filter({value}, lambda one: {wanted})"
    nulls = f"len(list_filter({value}, lambda one: one IS NULL)) <= 1"
    return f"list_unique({items}) = len({items}) AND {nulls}"


def _grouped(test: str) -> str:
    return f"({test})" if " AND " in test or " OR " in test else test
