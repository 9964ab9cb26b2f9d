"""Rules on batches: what each check asks, what nulls do, and which rules are refused at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from mesh import limits
from mesh.errors import DeclarationError
from mesh.rules.closures import compile_closures
from mesh.rules.masks import compile_masks
from mesh.rules.model import (
    Check,
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


def verdicts(check: Check, values: list[Any], kind: pa.DataType) -> list[bool]:
    schema = pa.schema([("x", kind)])
    batch = pa.RecordBatch.from_arrays([pa.array(values, kind)], schema=schema)
    verdict = compile_masks([Rule("r", "x", check)], schema).check(batch)
    return [True] * len(values) if verdict.valid is None else verdict.valid.to_pylist()


@pytest.mark.parametrize(
    "check",
    [OneOf(("a",)), Pattern("a"), Length(1, 2), Range(1, 2), MultipleOf(2), ItemCount(1), UniqueItems()],
)
def test_null_passes_every_check_but_required(check: Check) -> None:
    kinds: dict[type, pa.DataType] = {
        Range: pa.int64(),
        MultipleOf: pa.int64(),
        ItemCount: pa.list_(pa.int64()),
        UniqueItems: pa.list_(pa.int64()),
    }
    assert verdicts(check, [None], kinds.get(type(check), pa.string())) == [True]


@pytest.mark.parametrize(
    ("check", "kind", "good", "bad"),
    [
        (Required(), pa.string(), "", None),
        (OneOf(("UA", "AA")), pa.string(), "UA", "ua"),
        (OneOf((1, 2)), pa.int64(), 1, 3),
        (OneOf((0,)), pa.float64(), -0.0, 0.5),
        (OneOf((True,)), pa.bool_(), True, False),
        (Pattern("^N[0-9]+$"), pa.string(), "N12", "N12x"),
        (Pattern("[0-9]"), pa.string(), "ab1c", "abc"),
        (Length(2, 3), pa.string(), "𝄞𝄞", "𝄞"),
        (Length(most=0), pa.string(), "", "a"),
        (Range(minimum=1), pa.int64(), 1, 0),
        (Range(exclusive_minimum=1), pa.int64(), 2, 1),
        (Range(exclusive_maximum=1.5), pa.int64(), 1, 2),
        (Range(maximum=2**53), pa.int64(), 2**53, 2**53 + 1),
        (Range(minimum=0.1), pa.float32(), 0.1, 0.09),
        (Range(0, 1), pa.float64(), 1.0, float("nan")),
        (MultipleOf(0.1), pa.float64(), 0.3, 0.35),
        (MultipleOf(15), pa.int32(), -45, 44),
        (ItemCount(1, 2), pa.list_(pa.int64()), [1], []),
        (UniqueItems(), pa.list_(pa.string()), ["a", "A", None], [None, None]),
        (UniqueItems(), pa.list_(pa.float64()), [float("nan"), float("nan")], [0.0, -0.0]),
    ],
)
def test_a_check_lets_the_good_pass_and_the_bad_not(
    check: Check, kind: pa.DataType, good: Any, bad: Any
) -> None:
    assert verdicts(check, [good, bad, good], kind) == [True, False, True]


def test_bounds_of_times_are_iso_text() -> None:
    moments = [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in (3, 4, 5)]
    check = Range(minimum="2013-01-01T06:00:00+02:00")
    assert verdicts(check, moments, pa.timestamp("us", "UTC")) == [False, True, True]


def test_a_batch_without_failures_costs_no_mask() -> None:
    schema = pa.schema([("x", pa.int64())])
    verdict = compile_masks([Rule("r", "x", Range(0))], schema).check(pa.record_batch({"x": [1, 2]}))
    assert (verdict.valid, verdict.refused, dict(verdict.failures)) == (None, 0, {})


def test_a_warning_is_counted_and_refuses_nothing() -> None:
    rule = Rule("r", "x", Range(0), severity="warning")
    verdict = compile_masks([rule], pa.schema([("x", pa.int64())])).check(pa.record_batch({"x": [-1, 2]}))
    assert (verdict.valid, verdict.failures) == (None, {rule: 1})
    assert verdict.reasons(0) == (rule,)


def test_an_absent_object_does_not_miss_what_it_would_have_to_hold() -> None:
    schema = pa.schema([("at", pa.struct([("city", pa.string())]))])
    rules = [Rule("r", "at.city", Required())]
    rows: list[dict[str, Any]] = [{"at": None}, {"at": {"city": None}}, {"at": {"city": "NYC"}}]
    verdict = compile_masks(rules, schema).check(pa.RecordBatch.from_pylist(rows, schema=schema))
    assert verdict.valid is not None
    assert verdict.valid.to_pylist() == [True, False, True]
    assert [bool(compile_closures(rules, schema).check(row)) for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("path", "check", "code"),
    [
        ("y", Required(), "MESH-C040"),
        ("x.y", Required(), "MESH-C040"),
        ("x", Range(0), "MESH-C041"),
        ("n", Pattern("a"), "MESH-C041"),
        ("x", Pattern("a" * (limits.PATTERN_LENGTH + 1)), "MESH-C042"),
        ("x", Pattern("(?<=a)b"), "MESH-C042"),
        ("x", Pattern(r"(a)\1"), "MESH-C042"),
        ("x", Pattern("("), "MESH-C042"),
        ("n", Range("yesterday"), "MESH-C043"),
        ("n", Range(float("nan")), "MESH-C043"),
        ("t", Range("yesterday"), "MESH-C043"),
        ("n", OneOf((1.5,)), "MESH-C043"),
        ("x", OneOf((1,)), "MESH-C043"),
        ("n", MultipleOf(0), "MESH-C043"),
    ],
)
def test_a_rule_that_cannot_be_compiled_is_named(path: str, check: Check, code: str) -> None:
    schema = pa.schema([("x", pa.string()), ("n", pa.int64()), ("t", pa.timestamp("us", "UTC"))])
    for compile_rules in (compile_masks, compile_closures):
        with pytest.raises(DeclarationError, match="'the rule'") as caught:
            compile_rules([Rule("the rule", path, check)], schema)
        assert caught.value.error_code == code


def test_a_pattern_at_the_limit_is_taken() -> None:
    assert verdicts(Pattern("a" * limits.PATTERN_LENGTH), ["b"], pa.string()) == [False]


def test_a_pattern_that_explodes_elsewhere_takes_no_time_here() -> None:
    guard = compile_closures([Rule("r", "x", Pattern("^(a+)+$"))], pa.schema([("x", pa.string())]))
    assert len(guard.check({"x": "a" * 10_000 + "!"})) == 1


def test_a_rule_says_what_it_asks() -> None:
    assert Rule("r", "delay", Range(-60, exclusive_maximum=1440)).sentence == "delay is >= -60 and < 1440"
