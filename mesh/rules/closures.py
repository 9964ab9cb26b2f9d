"""Record rules over one event at a time: the same verdicts as the masks, for a row in hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

import pyarrow as pa

from mesh.rules.arrow import object_of
from mesh.rules.compilation import Place, bounds, choices, counts, place_of, regex_of, step_of
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
from mesh.rules.operands import as_float32, is_multiple
from mesh.rules.types import Items, Moment, Real, Type

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
    event = object_of(schema)
    return RowGuard([(rule, _passes(rule, place_of(rule, event))) for rule in rules])


def _passes(rule: Rule, place: Place) -> Passes:
    name, *inside = place.steps
    holds = _within(inside, _closure(rule, place.type), isinstance(rule.check, Required))
    return lambda row: holds(row.get(name))


def _within(steps: Sequence[str], holds: Holds, required: bool) -> Holds:
    """What is asked of all that is inside a value."""
    if not steps:
        return holds
    step, *rest = steps
    inner = _within(rest, holds, required)
    match step:
        case "[]":
            return lambda value: value is None or all(map(inner, value))
        case "{}":
            return lambda value: value is None or all(map(inner, _values(value)))
        case name if required and not rest:
            # what an absent object would have to hold is not missed
            return lambda value: value is None or inner(value.get(name))
        case name:
            return lambda value: inner(None if value is None else value.get(name))


def _values(entries: Any) -> Iterable[Any]:
    """The values of a map: a dict, or the pairs that Arrow makes of it."""
    return entries.values() if isinstance(entries, Mapping) else (value for _, value in entries)


def _closure(rule: Rule, found: Type) -> Holds:
    check = rule.check
    match check:
        case Required():
            return lambda value: value is not None
        case OneOf():
            allowed = frozenset(choices(rule, check, found))
            return _stored(lambda value: value in allowed, found)
        case Pattern():
            search = regex_of(rule, check).search
            return _stored(lambda value: search(value) is not None, found)
        case Length() | ItemCount():
            low, most = counts(rule, check)
            high = math.inf if most is None else most
            return _stored(lambda value: low <= len(value) <= high, found)
        case Range():
            tests = [(_COMPARE[symbol], bound) for symbol, bound in bounds(rule, check, found)]
            return _stored(lambda value: all(test(value, bound) for test, bound in tests), found)
        case MultipleOf():
            step = step_of(rule, check)
            return _stored(lambda value: is_multiple(value, step), found)
        case UniqueItems():
            assert isinstance(found, Items)  # what `place_of` allows
            item = _as_stored(found.item)
            return _stored(lambda value: _all_different(map(item, value)), found)


def _stored(holds: Holds, found: Type) -> Holds:
    """A check of the value as the event will carry it; null passes."""
    if not (found == Real(32) or isinstance(found, Moment)):
        return lambda value: value is None or holds(value)
    convert = _as_stored(found)
    return lambda value: value is None or holds(convert(value))


def _as_stored(found: Type) -> Callable[[Any], Any]:
    if found == Real(32):
        return lambda value: None if value is None else as_float32(value)
    if isinstance(found, Moment):
        return _in_utc if found.utc else _local
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
