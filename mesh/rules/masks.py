"""Record rules over a batch: one Arrow mask per rule, millions of events per second."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mesh.rules.closures import exactly, has_no_item_twice, is_multiple
from mesh.rules.compilation import Target, operand, refuse, regex_of, target_of
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

Mask = Callable[[pa.Array], pa.BooleanArray]
_LIMITS = {bits: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)}
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

    def __init__(self, rules: Sequence[tuple[Rule, Target, Mask]]) -> None:
        self._rules = tuple(rules)

    def check(self, batch: pa.RecordBatch) -> Verdict:
        """Judge every row of a batch that has the schema the rules were compiled for."""
        valid: pa.BooleanArray | None = None
        broken: list[tuple[Rule, pa.BooleanArray]] = []
        failures: dict[Rule, int] = {}
        for rule, target, mask in self._rules:
            holds = mask(_column(batch, target.names))
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
    compiled = []
    for rule in rules:
        target = target_of(rule, schema)
        compiled.append((rule, target, _mask(rule, target)))
    return BatchGuard(compiled)


def _column(batch: pa.RecordBatch, names: tuple[str, ...]) -> pa.Array:
    column = batch.column(names[0])
    return pc.struct_field(column, list(names[1:])) if names[1:] else column


def _mask(rule: Rule, target: Target) -> Mask:
    """The mask of a rule: never null, as nulls pass everything but `Required`."""
    check = rule.check
    match check:
        case Required():
            return lambda column: column.is_valid()
        case OneOf(values):
            return _one_of(rule, values, target.type)
        case Pattern(regex):
            regex_of(rule, check)
            return _passing_nulls(lambda column: pc.match_substring_regex(column, regex))
        case Length(least, most):
            return _passing_nulls(_counted(pc.utf8_length, least, most))
        case ItemCount(least, most):
            return _passing_nulls(_counted(pc.list_value_length, least, most))
        case Range():
            return _range(rule, check, target.type)
        case MultipleOf(step):
            return _multiple(step, target.type)
        case UniqueItems():
            return _unique


def _passing_nulls(test: Mask) -> Mask:
    def mask(column: pa.Array) -> pa.BooleanArray:
        holds = test(column)
        return pc.fill_null(holds, True) if holds.null_count else holds

    return mask


def _one_of(rule: Rule, values: tuple[Any, ...], found: pa.DataType) -> Mask:
    boolean = pa.types.is_boolean(found)
    known = [value for value in values if isinstance(value, bool) == boolean]
    try:
        value_set = pa.array(known, found)
    except (pa.ArrowException, OverflowError) as error:
        refuse(rule, "MESH-C043", f"its values are not of type {found}: {error}")
    return _passing_nulls(
        lambda column: pc.or_kleene(pc.is_in(column, value_set=value_set), column.is_null())
    )


def _counted(count: Callable[[pa.Array], pa.Array], least: int | None, most: int | None) -> Mask:
    def mask(column: pa.Array) -> pa.BooleanArray:
        counts = count(column)
        if most is None:
            return pc.greater_equal(counts, least or 0)
        at_most = pc.less_equal(counts, most)
        return pc.and_(at_most, pc.greater_equal(counts, least)) if least else at_most

    return mask


def _range(rule: Rule, check: Range, found: pa.DataType) -> Mask:
    tests = [_bound(symbol, operand(rule, bound, found), found) for symbol, bound in check.bounds()]

    def mask(column: pa.Array) -> pa.BooleanArray:
        holds = tests[0](column)
        for test in tests[1:]:
            holds = pc.and_(holds, test(column))
        return holds

    return _passing_nulls(mask)


def _bound(symbol: str, bound: Any, found: pa.DataType) -> Mask:
    """One comparison, exact: an integer column is compared with an integer, never by way of a double."""
    if not pa.types.is_integer(found):
        scalar = _scalar(bound, found)
        return lambda column: _COMPARE[symbol](column, scalar)
    if isinstance(bound, float) and math.isinf(bound):
        holds = (bound < 0) == (symbol in (">", ">="))
        return lambda column: pa.array([holds] * len(column), pa.bool_())
    whole = math.ceil(bound) if symbol in (">=", "<") else math.floor(bound)
    least, most = _LIMITS[found.bit_width]
    if not least <= whole <= most:
        holds = (whole < least) == (symbol in (">", ">="))
        return lambda column: pa.array([holds] * len(column), pa.bool_())
    integer = pa.scalar(whole, found)
    return lambda column: _COMPARE[symbol](column, integer)


def _scalar(bound: Any, found: pa.DataType) -> pa.Scalar:
    if pa.types.is_decimal(found):
        return pa.scalar(Decimal(str(bound)))
    return pa.scalar(float(bound) if pa.types.is_floating(found) else bound, found)


def _multiple(step: float | Decimal, found: pa.DataType) -> Mask:
    exact = exactly(step)
    if pa.types.is_integer(found) and exact.denominator == 1 and 0 < exact.numerator <= _LIMITS[32][1]:
        whole = pa.scalar(exact.numerator, found)
        return _passing_nulls(lambda column: pc.equal(pc.multiply(pc.divide(column, whole), whole), column))
    return lambda column: pa.array([v is None or is_multiple(v, exact) for v in column.to_pylist()], pa.bool_())


def _unique(column: pa.Array) -> pa.BooleanArray:
    return pa.array([has_no_item_twice(value) for value in column.to_pylist()], pa.bool_())
