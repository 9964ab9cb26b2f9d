"""Record rules over a batch: one Arrow mask per rule, millions of events per second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mesh.rules.arrow import object_of
from mesh.rules.compilation import bounds, choices, counts, place_of, regex_of, step_of
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
from mesh.rules.operands import LARGEST, is_multiple, refuse
from mesh.rules.types import Entries, Type

Mask = Callable[[pa.Array], pa.BooleanArray]
_COMPARE = {">=": pc.greater_equal, ">": pc.greater, "<=": pc.less_equal, "<": pc.less}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a batch came to: `valid` has one entry per row and is None when every row is valid.

    `failures` counts broken rows per rule, warnings included; only rules of severity `error` refuse.
    """

    valid: pa.BooleanArray | None
    failures: Mapping[Rule, int]
    broken: tuple[tuple[Rule, pa.BooleanArray], ...] = ()

    @property
    def refused(self) -> int:
        """How many rows are not valid."""
        return 0 if self.valid is None else len(self.valid) - int(self.valid.true_count)

    def reasons(self, row: int) -> tuple[Rule, ...]:
        """The rules that a row breaks, in their order, warnings included."""
        return tuple(rule for rule, holds in self.broken if not holds[row].as_py())


class BatchGuard:
    """The rules of a contract for whole batches."""

    def __init__(self, rules: Sequence[tuple[Rule, str, Mask]]) -> None:
        self._rules = tuple(rules)

    def check(self, batch: pa.RecordBatch) -> Verdict:
        """Judge every row of a batch that has the schema the rules were compiled for."""
        valid: pa.BooleanArray | None = None
        broken: list[tuple[Rule, pa.BooleanArray]] = []
        failures: dict[Rule, int] = {}
        for rule, name, mask in self._rules:
            holds = mask(batch.column(name))
            failed = len(holds) - holds.true_count
            if not failed:
                continue
            failures[rule] = failed
            broken.append((rule, holds))
            if rule.severity == "error":
                valid = holds if valid is None else pc.and_(valid, holds)
        return Verdict(valid, failures, tuple(broken))


def compile_masks(rules: Sequence[Rule], schema: pa.Schema) -> BatchGuard:
    """Rules for batches of an Arrow schema; raises DeclarationError naming a rule that cannot be."""
    event, compiled = object_of(schema), []
    for rule in rules:
        place = place_of(rule, event)
        found = _arrow_at(schema, place.steps)
        mask = _tried(rule, _mask(rule, place.type, found), found)
        name, *inside = place.steps
        compiled.append((rule, name, _within(inside, mask, isinstance(rule.check, Required))))
    return BatchGuard(compiled)


def _arrow_at(schema: pa.Schema, steps: Sequence[str]) -> pa.DataType:
    found = pa.struct(list(schema))
    for step in steps:
        match step:
            case "[]":
                found = found.value_type
            case "{}":
                found = found.item_type
            case name:
                found = found.field(name).type
    return found


def _within(steps: Sequence[str], mask: Mask, required: bool) -> Mask:
    """The mask of what is inside, one entry per row: it holds where it holds for all that is inside."""
    if not steps:
        return mask
    step, *rest = steps
    inner = _within(rest, mask, required)
    match step:
        case "[]":
            return lambda column: _each(inner, column)
        case "{}":
            return lambda column: _each(lambda pairs: inner(pairs.field(1)), _pairs(column))
        case name if required and not rest:
            # what an absent object would have to hold is not missed
            return lambda column: pc.or_(inner(pc.struct_field(column, name)), column.is_null())
        case name:
            return lambda column: inner(pc.struct_field(column, name))


def _each(inner: Mask, column: pa.Array) -> pa.BooleanArray:
    holds = inner(pc.list_flatten(column))
    if holds.true_count == len(holds):
        return pa.repeat(pa.scalar(value=True), len(column))
    broken = pc.list_parent_indices(column).filter(pc.invert(holds))
    return pc.invert(pc.is_in(pa.array(range(len(column)), broken.type), value_set=broken))


def _pairs(column: pa.MapArray) -> pa.ListArray:
    """A map as the list of its pairs, for which Arrow has kernels."""
    kind = column.type
    return column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field])))


def _entry_count(column: pa.MapArray) -> pa.Array:
    return pc.list_value_length(_pairs(column))


def _tried(rule: Rule, mask: Mask, found: pa.DataType) -> Mask:
    """A mask that Arrow takes, tried on no rows: what it refuses is refused before the first event."""
    try:
        mask(pa.nulls(0, found))
    except (pa.ArrowException, OverflowError) as error:
        refuse(rule, "MESH-C043", f"it does not compare with {found}: {error}")
    return mask


def _mask(rule: Rule, kind: Type, found: pa.DataType) -> Mask:
    """The mask of a rule: never null, as nulls pass everything but `Required`."""
    check = rule.check
    match check:
        case Required():
            return lambda column: column.is_valid()
        case OneOf():
            return _passing_nulls(_one_of(choices(rule, check, kind), found))
        case Pattern(regex):
            regex_of(rule, check)
            return _passing_nulls(lambda column: pc.match_substring_regex(column, regex))
        case Length():
            return _passing_nulls(_counted(pc.utf8_length, *counts(rule, check)))
        case ItemCount():
            size = _entry_count if isinstance(kind, Entries) else pc.list_value_length
            return _passing_nulls(_counted(size, *counts(rule, check)))
        case Range():
            return _passing_nulls(_range(bounds(rule, check, kind), found))
        case MultipleOf():
            return _passing_nulls(_multiple(step_of(rule, check), found))
        case UniqueItems():
            return _unique


def _passing_nulls(test: Mask) -> Mask:
    def mask(column: pa.Array) -> pa.BooleanArray:
        holds = test(column)
        return pc.fill_null(holds, True) if holds.null_count else holds

    return mask


def _one_of(values: Sequence[Any], found: pa.DataType) -> Mask:
    if pa.types.is_floating(found) or pa.types.is_decimal(found):
        # is_in compares bit patterns, and 0.0 has two
        return lambda column: reduce(
            pc.or_kleene, (pc.equal(column, value) for value in values), column.is_null()
        )
    value_set = pa.array(values, pa.int64() if pa.types.is_integer(found) else found)
    return lambda column: pc.or_(pc.is_in(column, value_set=value_set), column.is_null())


def _counted(count: Callable[[pa.Array], pa.Array], least: int, most: int | None) -> Mask:
    def mask(column: pa.Array) -> pa.BooleanArray:
        counts = count(column)
        if most is None:
            return pc.greater_equal(counts, least)
        at_most = pc.less_equal(counts, most)
        return pc.and_(at_most, pc.greater_equal(counts, least)) if least else at_most

    return mask


def _range(tests: Sequence[tuple[str, Any]], found: pa.DataType) -> Mask:
    scalars = [(_COMPARE[symbol], _scalar(bound, found)) for symbol, bound in tests]

    def mask(column: pa.Array) -> pa.BooleanArray:
        return reduce(pc.and_, (compare(column, bound) for compare, bound in scalars), column.is_valid())

    return _passing_nulls(lambda column: pc.or_(pc.fill_null(mask(column), False), column.is_null()))


def _scalar(bound: Any, found: pa.DataType) -> pa.Scalar:
    if isinstance(bound, datetime):
        return pa.scalar(bound, pa.timestamp("us", found.tz))
    return pa.scalar(bound, found) if pa.types.is_decimal(found) else pa.scalar(bound)


def _multiple(step: Fraction, found: pa.DataType) -> Mask:
    whole = step.numerator  # a whole number is a multiple of 3/2 when it is one of 3
    if pa.types.is_integer(found) and whole <= LARGEST:
        return lambda column: _divides(column.cast(pa.int64()), whole)

    def mask(column: pa.Array) -> pa.BooleanArray:
        # exact arithmetic costs microseconds, so each distinct value is asked once
        coded = column.dictionary_encode()
        verdicts = [value is None or is_multiple(value, step) for value in coded.dictionary.to_pylist()]
        return pa.array(verdicts, pa.bool_()).take(coded.indices)

    return mask


def _divides(column: pa.Array, whole: int) -> pa.BooleanArray:
    return pc.equal(pc.multiply(pc.divide(column, whole), whole), column)


def _unique(column: pa.Array) -> pa.BooleanArray:
    items = pc.list_flatten(column)
    parents = pc.list_parent_indices(column)
    if pa.types.is_floating(items.type):
        # NaN equals no number, itself included, and -0.0 + 0.0 is 0.0
        numbers = pc.fill_null(pc.invert(pc.is_nan(items)), True)
        items, parents = pc.add(items, pa.scalar(0.0, items.type)).filter(numbers), parents.filter(numbers)
    pairs = pa.table({"parent": parents, "item": items})
    counts = pairs.group_by(["parent", "item"]).aggregate([([], "count_all")])
    if counts.num_rows == pairs.num_rows:
        return pa.repeat(True, len(column))
    twice = counts.filter(pc.greater(counts["count_all"], 1))["parent"].combine_chunks()
    return pc.invert(pc.is_in(pa.array(range(len(column)), parents.type), value_set=twice))
