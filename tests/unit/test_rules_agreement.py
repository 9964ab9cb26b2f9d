"""Masks and closures are two spellings of one rule: they agree on every row."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.rules.closures import compile_closures
from mesh.rules.guard import FEW, compile_guard
from mesh.rules.masks import compile_masks
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

EDGE_FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1.5, math.nan, math.inf, -math.inf, 2.0**53, 1e308]
EDGE_LONGS = [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
EDGE_TEXTS = ["", "a", "A", "ab", "é", "e\u0301", "𝄞", "\n", "a\nb", "N12345"]
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))

SCHEMA = pa.schema(
    [
        ("whole", pa.int64()),
        ("small", pa.int32()),
        ("real", pa.float64()),
        ("single", pa.float32()),
        ("money", pa.decimal128(10, 2)),
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("at", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("tags", pa.list_(pa.string())),
        ("reals", pa.list_(pa.float64())),
        ("inside", pa.struct([("whole", pa.int64()), ("text", pa.string())])),
    ]
)


def reals() -> st.SearchStrategy[float]:
    """Whole numbers among them: people write 5 where 5.0 is stored."""
    return st.sampled_from(EDGE_FLOATS) | st.floats() | st.integers(-(2**53), 2**53) | st.integers(-5, 5)


def longs() -> st.SearchStrategy[int]:
    return st.sampled_from(EDGE_LONGS) | st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)


def texts() -> st.SearchStrategy[str]:
    return st.sampled_from(EDGE_TEXTS) | st.text(max_size=6)


def rows() -> st.SearchStrategy[dict[str, Any]]:
    money = st.decimals(Decimal("-99999"), Decimal("99999"), places=2)
    values: dict[str, st.SearchStrategy[Any]] = {
        "whole": longs(),
        "small": st.integers(-(2**31), 2**31 - 1) | st.integers(-5, 5),
        "real": reals(),
        "single": st.floats(width=32),
        "money": money,
        "text": texts(),
        "flag": st.booleans(),
        "at": MOMENTS,
        "day": st.dates(),
        "tags": st.lists(st.none() | texts(), max_size=4),
        "reals": st.lists(st.none() | reals(), max_size=4),
        "inside": st.fixed_dictionaries({"whole": st.none() | longs(), "text": st.none() | texts()}),
    }
    return st.fixed_dictionaries({name: st.none() | value for name, value in values.items()})


def ranges(bound: st.SearchStrategy[Any]) -> st.SearchStrategy[Range]:
    some = st.none() | bound
    return st.builds(Range, some, some, some, some)


NUMBERS = st.integers(-(2**70), 2**70) | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.none() | st.integers(0, 4)
CHECKS: dict[str, st.SearchStrategy[Any]] = {
    "whole": ranges(NUMBERS)
    | st.builds(OneOf, st.lists(longs(), max_size=3).map(tuple))
    | st.builds(MultipleOf, st.integers(1, 10) | st.sampled_from([0.5, 1.5, 2**63, 2**70])),
    "small": ranges(NUMBERS) | st.builds(MultipleOf, st.integers(1, 2**40)),
    "real": ranges(NUMBERS)
    | st.builds(OneOf, st.lists(st.sampled_from([0, 1, -0.0, 0.1, 1.5]), max_size=3).map(tuple))
    | st.builds(MultipleOf, st.sampled_from([0.1, 0.5, 1, 3])),
    "single": ranges(NUMBERS)
    | st.builds(OneOf, st.lists(st.sampled_from([0.1, 1.0, 16777217]), max_size=3).map(tuple))
    | st.builds(MultipleOf, st.sampled_from([0.1, 0.5, 1])),
    "money": ranges(st.integers(-1000, 1000) | st.decimals(-1000, 1000, places=3))
    | st.builds(OneOf, st.lists(st.sampled_from([0, 1, 0.5, Decimal("1.50")]), max_size=3).map(tuple))
    | st.builds(MultipleOf, st.sampled_from([0.05, 1, Decimal("0.01")])),
    "text": st.builds(Length, COUNTS, COUNTS)
    | st.builds(Pattern, st.sampled_from(["^N[0-9]+$", "a", "", r"\d", ".", "^$", "(?i)A", r"\pL", "a.b"]))
    | st.builds(OneOf, st.lists(texts(), max_size=3).map(tuple)),
    "flag": st.builds(OneOf, st.lists(st.booleans(), max_size=2).map(tuple)),
    "at": ranges(
        MOMENTS | st.sampled_from(["2013-01-01", "2013-06-01T12:00:00Z", "2013-06-01T12:00:00+02:00"])
    ),
    "day": ranges(st.dates() | st.sampled_from(["2013-01-01", date(2013, 6, 1)])),
    "tags": st.builds(ItemCount, COUNTS, COUNTS) | st.just(UniqueItems()),
    "reals": st.builds(ItemCount, COUNTS, COUNTS) | st.just(UniqueItems()),
    "inside.whole": ranges(NUMBERS),
    "inside.text": st.builds(Length, COUNTS, COUNTS),
}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    path = draw(st.sampled_from(sorted(CHECKS)))
    check = draw(st.just(Required()) | CHECKS[path])
    return Rule("rule", path, check)


@settings(max_examples=600, deadline=None)
@given(rule=rules(), given_rows=st.lists(rows(), max_size=8), cut=st.integers(0, 3))
def test_masks_and_closures_agree_on_every_row(
    rule: Rule, given_rows: list[dict[str, Any]], cut: int
) -> None:
    whole = pa.RecordBatch.from_pylist(given_rows, schema=SCHEMA)
    batch, kept = whole.slice(cut), given_rows[cut:]
    verdict = compile_masks([rule], SCHEMA).check(batch)
    row_guard = compile_closures([rule], SCHEMA)
    by_rows = [not row_guard.check(row) for row in kept]
    by_mask = [True] * len(kept) if verdict.valid is None else verdict.valid.to_pylist()
    assert by_mask == by_rows


@settings(max_examples=100, deadline=None)
@given(some=st.lists(rules(), max_size=4), given_rows=st.lists(rows(), min_size=1, max_size=5))
def test_the_reasons_of_a_row_are_the_rules_its_closure_names(
    some: list[Rule], given_rows: list[dict[str, Any]]
) -> None:
    batch = pa.RecordBatch.from_pylist(given_rows, schema=SCHEMA)
    verdict = compile_masks(some, SCHEMA).check(batch)
    row_guard = compile_closures(some, SCHEMA)
    assert [verdict.reasons(index) for index in range(len(given_rows))] == list(
        map(row_guard.check, given_rows)
    )


@settings(max_examples=200, deadline=None)
@given(some=st.lists(rules(), max_size=3), given_rows=st.lists(rows(), max_size=FEW + 1))
def test_few_events_are_judged_as_many_are(some: list[Rule], given_rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(given_rows, schema=SCHEMA)
    found, wanted = compile_guard(some, SCHEMA).check(batch), compile_masks(some, SCHEMA).check(batch)
    assert (found.valid, found.failures) == (wanted.valid, wanted.failures)
    assert [found.reasons(row) for row in range(len(batch))] == [
        wanted.reasons(row) for row in range(len(batch))
    ]
