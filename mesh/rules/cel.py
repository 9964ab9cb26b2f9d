"""A record rule as a CEL expression on `message`, as clients of a Confluent registry evaluate it.

The expression is true for an event that the rule accepts. An event is what a producer hands to its
serialiser, so a field may be absent (its default counts), a float may be written as a whole number, a date
comes as days since 1970 and a timestamp as itself or as a number since 1970. Source: the Common Expression
Language specification, «Language Definition»; Confluent's data contracts, «CEL».
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
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
from mesh.rules.operands import LARGEST, SMALLEST, float32_range, units_of, whole
from mesh.rules.types import Day, Exact, Flag, Items, Moment, Real, Text, Type, Whole

EVENT: Final = "message"
#: Every pair of items is compared, which takes the slowest client half a millisecond each.
MOST_COMPARED_ITEMS: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND: Final = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
#: Words of the grammar: a field of that name is reached by index.
_RESERVED: Final = re.compile(
    "as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var"
    "|void|while"
)
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\"}


class _Cannot(Exception):
    """Why a check has no exact expression."""


def expression(rule: Rule, place: Place, *, most_items: int | None = None) -> str | Inexpressible:
    """The rule in CEL; `most_items` is what another rule allows in the same list.

    Raises DeclarationError for a rule that does not compile.
    """
    try:
        required = isinstance(rule.check, Required)
        return _within(
            EVENT, place.steps, "true" if required else _test(rule, place.type, most_items), required
        )
    except _Cannot as why:
        return Inexpressible("CEL", str(why))


def _within(here: str, steps: Sequence[str], test: str, required: bool, depth: int = 0) -> str:
    """What is asked of the value that the steps lead to from `here`; `{}` in the test stands for it."""
    if not steps:
        return test.replace(_VALUE, here)
    step, *rest = steps
    name = f"i{depth}" if depth else "i"
    match step:
        case "[]":
            return f"{here}.all({name}, {_judged(name, rest, test, required, depth)})"
        case "{}":
            return f"{here}.all({name}, {_judged(f'{here}[{name}]', rest, test, required, depth)})"
    there, is_there = _field(here, step)
    present = f"{is_there} && {_is_null(there, '!=')}"
    if required and not rest:
        return present
    # Not `||`: an engine may look at both of its sides, and null has no items.
    return f"{present} ? {_grouped(_within(there, rest, test, required, depth))} : true"


def _judged(item: str, rest: Sequence[str], test: str, required: bool, depth: int) -> str:
    present = _is_null(item, "!=")
    if required and not rest:
        return present
    return f"{present} ? {_grouped(_within(item, rest, test, required, depth + 1))} : true"


def _field(here: str, name: str) -> tuple[str, str]:
    if _RESERVED.fullmatch(name):
        return f'{here}["{name}"]', f'("{name}" in {here})'
    return f"{here}.{name}", f"has({here}.{name})"


def _is_null(value: str, compare: str = "==") -> str:
    # A number does not compare with null everywhere; its type does.
    return f"type({value}) {compare} null_type"


_VALUE: Final = "\0"


def _test(rule: Rule, found: Type, most_items: int | None) -> str:
    """The check of a value that is there, written for `_VALUE`."""
    value, check = _VALUE, rule.check
    if isinstance(found, Exact):
        raise _Cannot("it has no decimals, and a double does not hold every one")
    match check:
        case OneOf():
            return _one_of(value, choices(rule, check, found), found)
        case Pattern(regex):
            regex_of(rule, check)
            return f"{value}.matches({text(regex)})"
        case Length() | ItemCount():
            return _counted(f"size({value})", *counts(rule, check))
        case Range():
            tests = [_compared(value, symbol, bound, found) for symbol, bound in bounds(rule, check, found)]
            return " && ".join(tests)
        case MultipleOf():
            if not isinstance(found, Whole):
                raise _Cannot("it computes with binary floats, in which 0.3 is no multiple of 0.1")
            return _multiple(value, units_of(step_of(rule, check), 0))
        case UniqueItems():
            assert isinstance(found, Items)  # what `place_of` allows
            return _unique(value, found.item, most_items)
    raise AssertionError(check)


def _compared(value: str, symbol: str, bound: Any, found: Type) -> str:
    match found:
        case Whole():
            return f"{value} {symbol} {bound}"
        case Real(32):
            return _single(value, symbol, bound)
        case Real():
            return f"double({value}) {symbol} {real(bound)}"
        case Day():
            assert isinstance(bound, date)
            return f"{value} {symbol} {bound.toordinal() - _EPOCH.toordinal()}"
        case Moment(utc=True, unit=unit):
            assert isinstance(bound, datetime)
            whole_symbol, number = whole(symbol, _since_epoch(bound) * _PER_SECOND[unit])
            moment = f'timestamp("{bound.replace(tzinfo=None).isoformat(timespec="microseconds")}Z")'
            as_number, as_moment = f"{value} {whole_symbol} {number}", f"{value} {symbol} {moment}"
            return f"(type({value}) == int ? {as_number} : {as_moment})"
    raise _Cannot("its timestamps are instants, and a local clock reading is none")


def _since_epoch(moment: datetime) -> Fraction:
    passed = moment - _EPOCH
    return passed.days * 86_400 + passed.seconds + Fraction(passed.microseconds, 1_000_000)


def _single(value: str, symbol: str, bound: float) -> str:
    """A comparison of what a 64-bit number becomes in 32 bits, said of the number itself."""
    low, high, ends = float32_range(bound)
    if symbol == ">=" or symbol == "<":
        edge, inclusive = low, ends if symbol == ">=" else not ends
    else:
        edge, inclusive = high, ends if symbol == "<=" else not ends
    return f"double({value}) {symbol[0]}{'=' if inclusive else ''} {real(edge)}"


def _one_of(value: str, allowed: Sequence[Any], found: Type) -> str:
    match found:
        case Real(32):
            ranges = [f"{_single(value, '>=', one)} && {_single(value, '<=', one)}" for one in allowed]
            return " || ".join(f"({both})" for both in ranges) or "false"
        case Real():
            return f"double({value}) in [{', '.join(map(real, allowed))}]"
        case Text():
            return f"{value} in [{', '.join(map(text, allowed))}]"
        case Flag():
            return f"{value} in [{', '.join('true' if one else 'false' for one in allowed)}]"
    return f"{value} in [{', '.join(map(str, allowed))}]"


def _counted(count: str, least: int, most: int | None) -> str:
    tests = [f"{count} >= {least}"] if least or most is None else []
    return " && ".join(tests + ([f"{count} <= {most}"] if most is not None else []))


def _multiple(value: str, units: int) -> str:
    if units <= LARGEST:
        return f"{value} % {units} == 0"
    return f"{value} in [0, {SMALLEST}]" if units == -SMALLEST else f"{value} == 0"


def _unique(value: str, item: Type, most_items: int | None) -> str:
    if most_items is None or most_items > MOST_COMPARED_ITEMS:
        raise _Cannot(
            f"it would compare every pair of items; with maxItems of at most {MOST_COMPARED_ITEMS} it can"
        )
    match item:
        case Real(32) | Exact() | Moment(utc=False):
            raise _Cannot(f"it does not compare items of type {item} as they are stored")
        case Real():
            same = "double(one) == double(other)"
        case _:
            same = "one == other"
    equal = f"{_is_null('one')} ? {_is_null('other')} : {_is_null('other', '!=')} && {same}"
    return f"{value}.all(one, size({value}.filter(other, {equal})) <= 1)"


def real(number: float) -> str:
    """A literal of a double, infinite ones too: they are the ends of 32-bit numbers."""
    if math.isinf(number):
        return f'double("{"-" if number < 0 else ""}Infinity")'
    return repr(number)


def text(value: str) -> str:
    """A text literal. No semicolon stands in it: clients take what is before the first for a guard."""
    return '"' + "".join(map(_character, value)) + '"'


def _character(one: str) -> str:
    if one in _ESCAPED:
        return _ESCAPED[one]
    plain = one.isprintable() and one != ";"
    return one if plain else f"\\u{ord(one):04x}" if ord(one) <= 0xFFFF else f"\\U{ord(one):08x}"


def _grouped(test: str) -> str:
    """A test that keeps its meaning after `||`."""
    return f"({test})" if " && " in test or " || " in test or " ? " in test else test
