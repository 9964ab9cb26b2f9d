"""Checks run by Great Expectations agree with plain counting, and what fails to run is unknown."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.codec import arrow_schema
from mesh.contract.avro import avro_schema
from mesh.contract.record_rules import record_rules
from mesh.rules.masks import compile_masks
from mesh_platform.quality import expectations, suite
from mesh_platform.quality.custom import ACCEPTED
from mesh_platform.quality.model import CheckResult, Expectation
from mesh_platform.quality.suite import Suite
from tests.unit.contract_kit import contract_of, field

MANY = settings(max_examples=25, deadline=None)
EDGE_TEXTS = ["", "N1", "N12", "X9", "n1\n", "N1\n", "é", "𝄞𝄞", "N/A", " "]
EDGE_REALS = [0.0, -0.0, 0.1, 5.0, -3.5, math.nan, math.inf, -math.inf]
EDGE_LONGS = [0, 1, 10, -10, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]

CONTRACT = contract_of(
    [
        field(
            "text",
            logicalTypeOptions={"minLength": 1, "maxLength": 3, "pattern": r"^N\d+$"},
            quality=[
                {"name": "nulls", "metric": "nullValues", "mustBe": 0},
                {
                    "name": "missing",
                    "metric": "missingValues",
                    "arguments": {"missingValues": [None, "", "N/A"]},
                    "unit": "percent",
                    "mustBeLessOrEqualTo": 25,
                },
                {
                    "name": "invalid",
                    "metric": "invalidValues",
                    "arguments": {"validValues": ["N1", "X9", "é"], "pattern": "^[NX]"},
                    "mustBeLessThan": 3,
                },
                {"name": "repeats", "metric": "duplicateValues", "mustBe": 0},
            ],
        ),
        field(
            "whole",
            "integer",
            logicalTypeOptions={"minimum": 0, "exclusiveMaximum": 2**53, "multipleOf": 5},
            quality=[{"name": "whole repeats", "metric": "duplicateValues", "mustBe": 0}],
        ),
        field(
            "real",
            "number",
            required=True,
            logicalTypeOptions={"exclusiveMinimum": -3.5, "maximum": 5},
            quality=[{"name": "real nulls", "metric": "nullValues", "unit": "percent", "mustBe": 50}],
        ),
        field("flag", "boolean", enum=[{"value": True}]),
        field("at", "timestamp", logicalTypeOptions={"minimum": "2000-01-01T00:00:00Z"}),
        field("local", "timestamp", logicalTypeOptions={"timezone": False, "maximum": "2000-01-01T00:00:00"}),
        field("day", "date", logicalTypeOptions={"minimum": "1990-01-01", "exclusiveMaximum": "2010-01-01"}),
        field(
            "money",
            "number",
            customProperties=[{"property": "precision", "value": 10}, {"property": "scale", "value": 2}],
            logicalTypeOptions={"minimum": 0.1, "maximum": 99.5},
        ),
        field(
            "tags",
            "array",
            items={"logicalType": "string"},
            logicalTypeOptions={"minItems": 1, "maxItems": 2, "uniqueItems": True},
        ),
        field("inside", "object", properties=[field("code", logicalTypeOptions={"maxLength": 2})]),
    ],
    quality=[
        {"name": "count", "metric": "rowCount", "mustBeBetween": [3, 6]},
        {
            "name": "pairs",
            "metric": "duplicateValues",
            "arguments": {"properties": ["text", "flag"]},
            "mustBe": 0,
        },
    ],
)
SCHEMA = arrow_schema(avro_schema(CONTRACT))
BUILT = Suite(CONTRACT)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.sampled_from(EDGE_TEXTS) | st.text(max_size=4),
            "whole": st.none() | st.sampled_from(EDGE_LONGS) | st.integers(-5, 20),
            "real": st.sampled_from(EDGE_REALS) | st.floats(-10, 10),
            "flag": st.none() | st.booleans(),
            "at": st.none()
            | st.datetimes(datetime(1999, 1, 1), datetime(2001, 1, 1), timezones=st.just(UTC)),
            "local": st.none() | st.datetimes(datetime(1999, 1, 1), datetime(2001, 1, 1)),
            "day": st.none() | st.dates(date(1989, 1, 1), date(2011, 1, 1)),
            "money": st.none() | st.decimals(0, 100, places=2),
            "tags": st.none() | st.lists(st.sampled_from(["a", "b"]), max_size=3),
            "inside": st.none() | st.fixed_dictionaries({"code": st.none() | st.text(max_size=4)}),
        }
    ),
    min_size=1,
    max_size=12,
)
Rows = list[dict[str, Any]]


def window(rows: Rows) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def results(rows: Rows) -> dict[str, CheckResult]:
    return {result.name: result for result in BUILT.run(window(rows))}


def repeated(keys: list[Any]) -> int:
    """Members of groups of equals; None is nobody's equal."""
    return sum(key is not None and keys.count(key) > 1 for key in keys)


@MANY
@given(ROWS)
def test_every_metric_counts_what_plain_python_counts(rows: Rows) -> None:
    texts = [row["text"] for row in rows]
    valid = {"N1", "X9"}
    pairs = [None if pair == (None, None) else pair for pair in ((row["text"], row["flag"]) for row in rows)]
    expected = {
        "nulls": texts.count(None),
        "missing": sum(text in (None, "", "N/A") for text in texts),
        "invalid": sum(text is not None and text not in valid for text in texts),
        "repeats": repeated(texts),
        "whole repeats": repeated([row["whole"] for row in rows]),
        "real nulls": 0,
        "pairs": repeated(pairs),
    }

    found = results(rows)

    assert {name: found[name].failed_rows for name in expected} == expected
    assert found["missing"].measured == 100 * expected["missing"] / len(rows)
    assert found["count"].measured == len(rows)


@MANY
@given(ROWS)
def test_every_verdict_follows_from_the_operator(rows: Rows) -> None:
    found = results(rows)

    assert (found["missing"].status == "passed") == (
        100 * (found["missing"].failed_rows or 0) / len(rows) <= 25
    )
    assert (found["invalid"].status == "passed") == ((found["invalid"].failed_rows or 0) < 3)
    assert (found["count"].status == "passed") == (3 <= len(rows) <= 6)
    assert found["real nulls"].status == "failed"


@MANY
@given(ROWS)
def test_record_rules_and_window_checks_give_the_same_verdict_on_every_window(rows: Rows) -> None:
    batch = window(rows)
    rules = record_rules(CONTRACT)
    broken = compile_masks(rules, SCHEMA).check(batch).failures

    found = results(rows)

    assert {rule.name: found[rule.name].failed_rows for rule in rules} == {
        rule.name: broken.get(rule, 0) for rule in rules
    }


def test_the_same_rules_agree_on_ten_thousand_events_at_once() -> None:
    rows = [
        {
            "text": EDGE_TEXTS[n % 10] if n % 7 else None,
            "whole": EDGE_LONGS[n % 8] if n % 5 else None,
            "real": EDGE_REALS[n % 8],
            "flag": None if n % 3 == 0 else n % 2 == 0,
            "at": datetime(1999 + n % 3, 1, 1, tzinfo=UTC),
            "local": datetime(1999 + n % 3, 1, 1),
            "day": date(1985 + n % 30, 1, 1),
            "money": Decimal(n % 110) / 1,
            "tags": ["a"] * (n % 4),
            "inside": {"code": "abc"[: n % 4]} if n % 6 else None,
        }
        for n in range(10_000)
    ]
    rules = record_rules(CONTRACT)
    broken = compile_masks(rules, SCHEMA).check(window(rows)).failures

    found = results(rows)

    assert {rule.name: found[rule.name].failed_rows for rule in rules} == {
        rule.name: broken.get(rule, 0) for rule in rules
    }
    assert sum(count > 0 for count in broken.values()) == len(rules) - 1


def one(rule: dict[str, Any], rows: list[Any], kind: str = "string", **options: Any) -> CheckResult:
    """A single rule over one column of values."""
    made = contract_of([field("value", kind, quality=[{"name": "mine", **rule}], **options)])
    schema = arrow_schema(avro_schema(made))
    batch = pa.RecordBatch.from_pylist([{"value": row} for row in rows], schema=schema)
    return next(result for result in Suite(made).run(batch) if result.name == "mine")


def custom(kind: str, **kwargs: Any) -> dict[str, Any]:
    implementation = {"type": kind, "kwargs": kwargs}
    return {"type": "custom", "engine": "greatExpectations", "implementation": implementation}


def test_a_percentage_is_of_all_rows_not_only_of_those_with_a_value() -> None:
    rule = {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, "unit": "percent", "mustBe": 25}

    assert one(rule, ["a", "b", None, None]).status == "passed"


def test_a_result_says_in_one_sentence_what_was_found_and_what_is_allowed() -> None:
    rule = {"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": 1}

    result = one(rule, [None, *["a"] * 7])

    assert result.message == "1 of 8 value are null (12.5 %), allowed ≤ 1 %."
    assert result.threshold == "nulls in value ≤ 1 %"


def test_a_record_rule_says_what_it_requires() -> None:
    assert results([{"real": 9.0}])["real is in range"].message == (
        "1 of 1 real are invalid (100 %), required: real is > -3.5 and <= 5."
    )


def test_a_custom_expectation_decides_by_its_own_success() -> None:
    rule = custom("expect_column_values_to_be_between", minValue=0, maxValue=9, mostly=0.5)

    assert one(rule, [1, 99], "integer").status == "passed"
    assert one(rule, [1, 99, 99], "integer").status == "failed"


def test_a_custom_expectation_on_the_whole_column_reports_what_it_observed() -> None:
    result = one(custom("expect_column_mean_to_be_between", min_value=10), [1, 3], "integer")

    assert (result.status, result.measured, result.failed_rows) == ("failed", 2.0, None)
    assert result.message == "value: mean to be between (min_value 10): observed 2."


@pytest.mark.parametrize(
    ("kind", "values", "bad"),
    [
        ("timestamp", [datetime(2012, 6, 1, tzinfo=UTC), datetime(2013, 6, 1, tzinfo=UTC)], 1),
        ("date", [date(2012, 6, 1), date(2013, 6, 1)], 1),
    ],
)
def test_a_custom_expectation_may_name_times_as_text(kind: str, values: list[Any], bad: int) -> None:
    result = one(custom("expect_column_values_to_be_between", min_value="2013-01-01"), values, kind)

    assert (result.status, result.failed_rows) == ("failed", bad)


@pytest.mark.parametrize(
    ("kind", "kwargs", "bad"),
    [
        ("expect_column_values_to_match_regex", {"regex": "^a"}, 1),
        ("expect_column_values_to_not_match_regex", {"regex": "^a"}, 2),
        ("expect_column_values_to_match_regex_list", {"regex_list": ["^a", "^b"]}, 0),
        ("expect_column_values_to_not_match_regex_list", {"regex_list": ["^a", "x"]}, 2),
    ],
)
def test_patterns_look_only_at_values(kind: str, kwargs: dict[str, Any], bad: int) -> None:
    assert one(custom(kind, **kwargs), ["a", "ab", "b", None]).failed_rows == bad


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|a)*$", r"(\s*a\s*)+$", r"^(a|aa)+$"])
def test_a_pattern_that_would_hang_pythons_re_is_matched_in_no_time(pattern: str) -> None:
    hostile = ["a" * 40 + "\n!"] * 100
    began = time.perf_counter()

    result = one({"metric": "invalidValues", "arguments": {"pattern": pattern}, "mustBe": 0}, hostile)

    assert time.perf_counter() - began < 2
    assert (result.status, result.failed_rows) == ("failed", 100)


def test_a_pattern_means_what_it_means_to_the_publisher() -> None:
    rule = {"metric": "invalidValues", "arguments": {"pattern": r"^\d$"}, "mustBe": 0}

    assert all(re.search(r"^\d$", text) for text in ("3", "٣", "3\n"))
    assert one(rule, ["3", "٣", "3\n"]).failed_rows == 2


def test_integers_that_floats_cannot_hold_stay_apart() -> None:
    result = one({"metric": "duplicateValues", "mustBe": 0}, [2**53, 2**53 + 1, None], "integer")

    assert (result.status, result.failed_rows) == ("passed", 0)


def test_a_number_that_is_none_is_no_missing_value() -> None:
    assert one({"metric": "nullValues", "mustBe": 1}, [math.nan, None, 1.0], "number").status == "passed"


def test_an_empty_window_gives_no_verdict() -> None:
    results_of_nothing = BUILT.run(window([]))

    assert {result.status for result in results_of_nothing} == {"unknown"}
    assert "the window is empty" in results_of_nothing[0].message


def test_a_column_that_is_not_there_makes_only_its_own_checks_unknown() -> None:
    batch = window([{"real": 1.0}] * 4).select(["text", "whole", "real", "flag"])

    found = {result.name: result for result in BUILT.run(batch)}

    assert found["at is in range"].status == "unknown"
    assert "the window has no property 'at'" in found["at is in range"].message
    assert found["real is in range"].status == "passed"


def test_an_expectation_that_raises_is_unknown_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from great_expectations.expectations.metrics.column_map_metrics.column_values_unique import (
        ColumnValuesUnique,
    )
    from great_expectations.expectations.registry import _registered_metrics

    def explode(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("out of order")

    assert ColumnValuesUnique.condition_metric_name == "column_values.unique"
    providers = _registered_metrics["column_values.unique.condition"]["providers"]
    monkeypatch.setitem(providers, "PandasExecutionEngine", (ColumnValuesUnique, explode))

    found = results([{"text": "N1", "real": 1.0}] * 4)

    assert found["repeats"].status == "unknown"
    assert "out of order" in found["repeats"].message
    assert found["nulls"].status == "passed"
    assert [name for name, result in found.items() if result.status == "unknown"] == [
        "repeats",
        "whole repeats",
    ]


def test_when_the_run_as_a_whole_raises_each_check_is_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = BUILT._prepared[suite._key(Expectation("expect_column_values_to_be_unique", {"column": "text"}))]

    def measure(frame: Any, prepared: Any) -> Any:
        if bad in prepared:
            raise RuntimeError("the engine fell over")
        return expectations.measure(frame, prepared)

    monkeypatch.setattr(suite, "measure", measure)

    found = results([{"text": "N1", "real": 1.0}] * 4)

    assert [name for name, result in found.items() if result.status == "unknown"] == ["repeats"]
    assert "the engine fell over" in found["repeats"].message


def test_an_expectation_that_cannot_be_built_is_unknown() -> None:
    result = one(custom("expect_column_values_to_be_between", min_value=0, nonsense=1), [1], "integer")

    assert result.status == "unknown"
    assert "Great Expectations refuses it" in result.message


def test_a_time_that_is_none_is_unknown() -> None:
    rule = custom("expect_column_values_to_be_between", min_value="yesterday")

    assert one(rule, [datetime(2013, 1, 1, tzinfo=UTC)], "timestamp").status == "unknown"


@pytest.mark.parametrize("rule", [{"type": "sql", "query": "select x", "mustBe": 0}, {"type": "text"}])
def test_what_is_not_measured_here_is_never_passed(rule: dict[str, Any]) -> None:
    result = one(rule, ["a"])

    assert (result.status, result.measured, result.failed_rows) == ("unknown", None, None)
    assert result.message.startswith("No verdict on")


def test_a_mask_that_cannot_be_computed_makes_its_check_unknown() -> None:
    rule = {"metric": "invalidValues", "arguments": {"pattern": "a"}, "mustBe": 0, "severity": "warning"}

    result = one(rule, [1, 2], "integer")

    assert result.status == "unknown"
    assert "could not be computed" in result.message


def test_every_accepted_expectation_is_one_of_great_expectations() -> None:
    import great_expectations.expectations.core  # noqa: F401 - registers them
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    assert set(list_registered_expectation_implementations()) >= ACCEPTED


def test_a_table_of_several_chunks_is_one_window() -> None:
    batch = window([{"real": 1.0}] * 2)
    table = pa.Table.from_batches([batch, batch])

    assert {result.rows for result in BUILT.run(table)} == {4}
