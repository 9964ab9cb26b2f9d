"""Record rules over one event at a time: the same verdicts as the masks, for a row in hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

import pyarrow as pa

from mesh.rules.compilation import (
    Target,
    as_float32,
    bounds,
    choices,
    is_multiple,
    regex_of,
    step_of,
    target_of,
)
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
Passes = Callable[[Mapping[str, Any]], bool]
_COMPARE = {">=": ge, ">": gt, "<=": le, "<": lt}


class RowGuard:
    """The rules of a contract for single rows."""

    def __init__(self, rules: Sequence[tuple[Rule, Passes]]) -> None:
        self._rules = tuple(rules)

    def check(self, row: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules that a row breaks, in their order."""
        return tuple([rule for rule, passes in self._rules if not passes(row)])


def compile_closures(rules: Sequence[Rule], schema: pa.Schema) -> RowGuard:
    """Rules for rows of an Arrow schema; raises DeclarationError naming a rule that cannot be."""
    return RowGuard([(rule, _passes(rule, target_of(rule, schema))) for rule in rules])


def _passes(rule: Rule, target: Target) -> Passes:
    holds, names = _closure(rule, target), target.names
    if len(names) == 1:
        (name,) = names
        return lambda row: holds(row.get(name))
    if isinstance(rule.check, Required):
        # what an absent object would have to hold is not missed
        return lambda row: _value(row, names[:-1]) is None or holds(_value(row, names))
    return lambda row: holds(_value(row, names))


def _value(row: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if row is None:
            return None
        row = row.get(name)
    return row


def _closure(rule: Rule, target: Target) -> Holds:
    check, found = rule.check, target.type
    match check:
        case Required():
            return lambda value: value is not None
        case OneOf():
            allowed = frozenset(choices(rule, check, found))
            return _stored(lambda value: value in allowed, found)
        case Pattern():
            search = regex_of(rule, check).search
            return _stored(lambda value: search(value) is not None, found)
        case Length(least, most) | ItemCount(least, most):
            low, high = least or 0, math.inf if most is None else most
            return _stored(lambda value: low <= len(value) <= high, found)
        case Range():
            tests = [(_COMPARE[symbol], bound) for symbol, bound in bounds(rule, check, found)]
            return _stored(lambda value: all(test(value, bound) for test, bound in tests), found)
        case MultipleOf():
            step = step_of(rule, check)
            return _stored(lambda value: is_multiple(value, step), found)
        case UniqueItems():
            item = _as_stored(found.value_type)
            return _stored(lambda value: _all_different(map(item, value)), found)


def _stored(holds: Holds, found: pa.DataType) -> Holds:
    """A check of the value as the event will carry it; null passes."""
    if not (pa.types.is_float32(found) or pa.types.is_timestamp(found)):
        return lambda value: value is None or holds(value)
    convert = _as_stored(found)
    return lambda value: value is None or holds(convert(value))


def _as_stored(found: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_float32(found):
        return lambda value: None if value is None else as_float32(value)
    if pa.types.is_timestamp(found):
        return _in_utc if found.tz is not None else _local
    return lambda value: value


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _local(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment


def _all_different(items: Iterable[Any]) -> bool:
    seen = set()
    for item in items:
        if item != item:  # NaN equals no number, itself included
            continue
        if item in seen:
            return False
        seen.add(item)
    return True
