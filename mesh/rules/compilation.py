"""What is decided once per rule, the same for every engine: the place, its type, the operands.

MESH-C040  a rule on a property that does not exist    MESH-C042  a pattern that RE2 refuses
MESH-C041  a check that its type cannot have           MESH-C043  a bound that is no value of the type
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import re2

from mesh import limits
from mesh.rules.model import (
    ITEMS,
    VALUES,
    ItemCount,
    Length,
    MultipleOf,
    OneOf,
    Pattern,
    Range,
    Rule,
    UniqueItems,
    steps_of,
)
from mesh.rules.operands import LARGEST, bound_of, choice_of, exactly, refuse, scaled, whole
from mesh.rules.types import (
    Day,
    Entries,
    Exact,
    Flag,
    Items,
    Moment,
    Object,
    Real,
    Text,
    Type,
    Whole,
)

_NUMBERS: Final = (Whole, Real, Exact)
_PLAIN: Final = (int, float, Decimal)


@dataclass(frozen=True, slots=True)
class Place:
    """The place a rule looks at: steps from the top, and the type found there.

    `around` has, for each step, what the step was taken in.
    """

    steps: tuple[str, ...]
    type: Type
    around: tuple[Type, ...] = ()


def place_of(rule: Rule, event: Object) -> Place:
    """Where a rule looks; raises DeclarationError for no such property, or a check its type cannot have."""
    steps = steps_of(rule.path)
    found: Type = event
    around: list[Type] = []
    for step in steps:
        around.append(found)
        inner = _inside(found, step)
        if inner is None:
            refuse(rule, "MESH-C040", f"the schema has no property {rule.path!r}")
        found = inner
    if not _allowed(rule, found):
        refuse(rule, "MESH-C041", f"a value of type {found} has no such check: {rule.check}")
    return Place(steps, found, tuple(around))


def _inside(found: Type, step: str) -> Type | None:
    match found, step:
        case Items(item), "[]":
            return item
        case Entries(value), "{}":
            return value
        case Object(), name if name not in (ITEMS, VALUES):
            return found.field(name)
    return None


def _allowed(rule: Rule, found: Type) -> bool:
    match rule.check:
        case Pattern() | Length():
            return isinstance(found, Text)
        case ItemCount():
            return isinstance(found, Items | Entries)
        case UniqueItems():
            return isinstance(found, Items) and not isinstance(found.item, Items | Entries | Object)
        case MultipleOf():
            return isinstance(found, _NUMBERS)
        case Range():
            return isinstance(found, (*_NUMBERS, Moment, Day))
        case OneOf():
            return isinstance(found, (*_NUMBERS, Text, Flag))
    return True


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


def bounds(rule: Rule, check: Range, found: Type) -> list[tuple[str, Any]]:
    """The comparisons of a range with bounds of the type itself; raises DeclarationError.

    Whole numbers are compared with whole bounds (`> 1.5` is `>= 2`) and decimals with decimals of their own
    scale: never through a float, and never beyond what the type can hold.
    """
    tests = [(symbol, bound_of(rule, bound, found)) for symbol, bound in check.bounds()]
    match found:
        case Whole():
            return [whole(symbol, bound) for symbol, bound in tests]
        case Exact():
            return [scaled(symbol, bound, found) for symbol, bound in tests]
    return tests


def choices(rule: Rule, check: OneOf, found: Type) -> list[Any]:
    """The allowed values as values of the type; raises DeclarationError for one that is none."""
    return [choice_of(rule, value, found) for value in check.values]


def counts(rule: Rule, check: Length | ItemCount) -> tuple[int, int | None]:
    """The least and the most of a length or number; raises DeclarationError for one that counts nothing."""
    least = 0 if check.least is None else _count(rule, check.least)
    most = None if check.most is None else _count(rule, check.most)
    return min(least, LARGEST), None if most is None or most > LARGEST else most


def _count(rule: Rule, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        refuse(rule, "MESH-C043", f"{number!r} counts nothing")
    if number != int(number) or number < 0:
        refuse(rule, "MESH-C043", f"{number!r} is no whole number from 0")
    return int(number)


def step_of(rule: Rule, check: MultipleOf) -> Fraction:
    """The step as the fraction its decimal text says: 0.1 is one tenth; raises DeclarationError below 0."""
    if isinstance(check.step, bool) or not isinstance(check.step, _PLAIN) or not math.isfinite(check.step):
        refuse(rule, "MESH-C043", f"{check.step!r} is no number to be a multiple of")
    step = exactly(check.step)
    if step <= 0:
        refuse(rule, "MESH-C043", f"a value is a multiple of something greater than 0, not of {check.step}")
    return step


def prepare(rule: Rule, event: Object) -> Place:
    """The place of a rule that compiles, operands included; raises DeclarationError naming it."""
    place = place_of(rule, event)
    match rule.check:
        case OneOf() as check:
            choices(rule, check, place.type)
        case Pattern() as check:
            regex_of(rule, check)
        case (Length() | ItemCount()) as check:
            counts(rule, check)
        case Range() as check:
            bounds(rule, check, place.type)
        case MultipleOf() as check:
            step_of(rule, check)
    return place
