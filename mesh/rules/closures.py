"""Record rules over one event at a time: the same verdicts as the masks, for a row in hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import Any

import pyarrow as pa

from mesh.rules.compilation import Target, operand, regex_of, target_of
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

Holds = Callable[[Any], bool]
COMPARE = {">=": ge, ">": gt, "<=": le, "<": lt}


class RowGuard:
    """The rules of a contract for single rows."""

    def __init__(self, rules: Sequence[tuple[Rule, Target, Holds]]) -> None:
        self._rules = tuple(rules)

    def check(self, row: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules that a row breaks, in their order."""
        return tuple(rule for rule, target, holds in self._rules if not holds(_value(row, target.names)))


def compile_closures(rules: Sequence[Rule], schema: pa.Schema) -> RowGuard:
    """Rules for rows of an Arrow schema; raises DeclarationError naming a rule that cannot be."""
    compiled = []
    for rule in rules:
        target = target_of(rule, schema)
        compiled.append((rule, target, _closure(rule, target)))
    return RowGuard(compiled)


def _value(row: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if row is None:
            return None
        row = row.get(name)
    return row


def _closure(rule: Rule, target: Target) -> Holds:
    check = rule.check
    match check:
        case Required():
            return lambda value: value is not None
        case OneOf(values):
            return _one_of(values, target.type)
        case Pattern():
            search = regex_of(rule, check).search
            return lambda value: value is None or search(value) is not None
        case Length(least, most) | ItemCount(least, most):
            low, high = least or 0, math.inf if most is None else most
            return lambda value: value is None or low <= len(value) <= high
        case Range():
            return _range(rule, check, target.type)
        case MultipleOf(step):
            return _multiple(step, target.type)
        case UniqueItems():
            return has_no_item_twice


def _one_of(values: tuple[Any, ...], found: pa.DataType) -> Holds:
    boolean = pa.types.is_boolean(found)
    allowed = frozenset(value for value in values if isinstance(value, bool) == boolean)
    return lambda value: value is None or value in allowed


def _range(rule: Rule, check: Range, found: pa.DataType) -> Holds:
    tests = [(COMPARE[symbol], operand(rule, bound, found)) for symbol, bound in check.bounds()]
    if pa.types.is_timestamp(found):
        as_type = _aware if found.tz is not None else _naive
        return lambda value: value is None or all(test(as_type(value), bound) for test, bound in tests)
    return lambda value: value is None or all(test(value, bound) for test, bound in tests)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _multiple(step: float | Decimal, found: pa.DataType) -> Holds:
    exact = exactly(step)
    if pa.types.is_integer(found) and exact.denominator == 1:
        whole = exact.numerator
        return lambda value: value is None or value % whole == 0
    return lambda value: value is None or is_multiple(value, exact)


def exactly(number: float | Decimal) -> Fraction:
    """A number as the fraction its decimal text says: 0.1 is one tenth."""
    return Fraction(str(number))


def is_multiple(value: float | Decimal, step: Fraction) -> bool:
    """Whether a value is a whole multiple of a step; NaN and the infinities are not."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return exactly(value) % step == 0


def has_no_item_twice(value: Any) -> bool:
    """Whether a list holds each item once; a null passes."""
    if value is None:
        return True
    seen = set()
    for item in value:
        # NaN equals no number, itself included; -0.0 equals 0.0
        if isinstance(item, float) and math.isnan(item):
            continue
        if item in seen:
            return False
        seen.add(item)
    return True
