"""A contract compiled to window checks: each rule has its expectation, or says why it has none."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from mesh.contract.model import Contract, QualityRule
from mesh_platform.quality.compilation import compile_checks, suite_document
from mesh_platform.quality.model import WindowCheck
from tests.unit.contract_kit import contract_of, field

PROPERTIES = [
    field("flight_id", required=True, primaryKey=True),
    field("tail", logicalTypeOptions={"minLength": 5, "maxLength": 6, "pattern": "^N"}),
    field("delay", "integer", logicalTypeOptions={"minimum": -60, "exclusiveMaximum": 600}),
    field("origin", enum=[{"value": "EWR"}, {"value": "JFK"}]),
    field("late", "boolean"),
    field("at", "timestamp", logicalTypeOptions={"minimum": "2013-01-01T00:00:00Z"}),
    field("bearing", "integer", logicalTypeOptions={"multipleOf": 10}),
    field("gate", "object", properties=[field("number", "integer", required=True)]),
]


def on(name: str, *rules: dict[str, Any]) -> Contract:
    """The sample with these quality rules on one property."""
    changed = [{**prop, "quality": list(rules)} if prop["name"] == name else prop for prop in PROPERTIES]
    return contract_of(changed)


def only(contract: Contract) -> WindowCheck:
    """The one quality rule of a contract, compiled."""
    (check,) = [check for check in compile_checks(contract) if check.origin == "quality rule"]
    return check


def expectations(check: WindowCheck) -> list[tuple[str, dict[str, Any]]]:
    return [(e.type.removeprefix("expect_"), dict(e.kwargs)) for e in check.expectations]


PROPERTY_RULES: list[tuple[str, dict[str, Any], list[tuple[str, dict[str, Any]]], str]] = [
    (
        "tail",
        {"metric": "nullValues", "mustBeLessOrEqualTo": 1, "unit": "percent"},
        [("column_values_to_not_be_null", {"column": "tail"})],
        "nulls in tail ≤ 1 %",
    ),
    (
        "tail",
        {"metric": "missingValues", "arguments": {"missingValues": [None, "", "N/A"]}, "mustBe": 0},
        [
            ("column_values_to_not_be_null", {"column": "tail"}),
            ("column_values_to_not_be_in_set", {"column": "tail", "value_set": ["", "N/A"]}),
        ],
        "no missing values in tail",
    ),
    (
        "tail",
        {"metric": "missingValues", "arguments": {"missingValues": [None]}, "mustBe": 0},
        [("column_values_to_not_be_null", {"column": "tail"})],
        "no missing values in tail",
    ),
    (
        "origin",
        {"metric": "invalidValues", "arguments": {"validValues": ["EWR", "LGA"]}, "mustBeLessThan": 5},
        [("column_values_to_be_in_set", {"column": "origin", "value_set": ["EWR", "LGA"]})],
        "invalid values in origin < 5",
    ),
    (
        "tail",
        {"metric": "invalidValues", "arguments": {"pattern": "^N[0-9]"}, "mustBe": 0},
        [("column_values_to_match_regex", {"column": "tail", "regex": "^N[0-9]"})],
        "no invalid values in tail",
    ),
    (
        "tail",
        {"metric": "invalidValues", "arguments": {"validValues": ["N1", "X1"], "pattern": "^N"}, "mustBe": 0},
        [("column_values_to_be_in_set", {"column": "tail", "value_set": ["N1"]})],
        "no invalid values in tail",
    ),
    (
        "late",
        {"metric": "invalidValues", "arguments": {"validValues": [True, 1, 0]}, "mustBe": 0},
        [("column_values_to_be_in_set", {"column": "late", "value_set": [True]})],
        "no invalid values in late",
    ),
    (
        "flight_id",
        {"metric": "duplicateValues", "mustBeBetween": [1, 10], "unit": "percent"},
        [("column_values_to_be_unique", {"column": "flight_id"})],
        "repeats of flight_id between 1 and 10 %",
    ),
]


@pytest.mark.parametrize(("name", "rule", "expected", "sentence"), PROPERTY_RULES)
def test_a_metric_of_a_property_has_its_expectations(
    name: str, rule: dict[str, Any], expected: list[tuple[str, dict[str, Any]]], sentence: str
) -> None:
    check = only(on(name, rule))

    assert expectations(check) == expected
    assert check.sentence == sentence
    assert check.obstacle == ""


SCHEMA_RULES: list[tuple[dict[str, Any], tuple[str, dict[str, Any]]]] = [
    (
        {"metric": "duplicateValues", "arguments": {"properties": ["origin", "at"]}, "mustBe": 0},
        ("compound_columns_to_be_unique", {"column_list": ["origin", "at"]}),
    ),
    (
        {"metric": "duplicateValues", "arguments": {"properties": ["origin"]}, "mustBe": 0},
        ("column_values_to_be_unique", {"column": "origin"}),
    ),
    ({"metric": "rowCount", "mustBe": 16}, ("table_row_count_to_equal", {"value": 16})),
    (
        {"metric": "rowCount", "mustBeBetween": [1400, 1600]},
        ("table_row_count_to_be_between", {"min_value": 1400, "max_value": 1600}),
    ),
    (
        {"metric": "rowCount", "mustBeGreaterThan": 0},
        ("table_row_count_to_be_between", {"min_value": 0, "strict_min": True}),
    ),
    (
        {"metric": "rowCount", "mustBeLessOrEqualTo": 9},
        ("table_row_count_to_be_between", {"max_value": 9, "strict_max": False}),
    ),
    ({"metric": "rowCount", "mustNotBe": 7}, ("table_row_count_to_be_between", {"min_value": 0})),
]


@pytest.mark.parametrize(("rule", "expected"), SCHEMA_RULES)
def test_a_metric_of_the_whole_schema_has_its_expectation(
    rule: dict[str, Any], expected: tuple[str, dict[str, Any]]
) -> None:
    assert expectations(only(contract_of(PROPERTIES, quality=[rule]))) == [expected]


def custom(implementation: Any, engine: str = "greatExpectations") -> dict[str, Any]:
    return {"type": "custom", "engine": engine, "implementation": implementation}


BETWEEN = [("column_values_to_be_between", {"column": "delay", "min_value": 0, "max_value": 9})]


@pytest.mark.parametrize("key", ["type", "expectation_type", "expectation"])
@pytest.mark.parametrize("engine", ["greatExpectations", "great-expectations", "Great Expectations"])
def test_a_custom_rule_may_spell_engine_and_expectation_in_several_ways(key: str, engine: str) -> None:
    kwargs = {"min_value": 0, "max_value": 9}
    rule = custom({key: "expect_column_values_to_be_between", "kwargs": kwargs}, engine)

    assert expectations(only(on("delay", rule)))[0][1] == {**BETWEEN[0][1]}


@pytest.mark.parametrize(
    "implementation",
    [
        {"type": "expect_column_values_to_be_between", "kwargs": {"minValue": 0, "maxValue": 9}},
        {
            "type": "ExpectColumnValuesToBeBetween",
            "kwargs": {"minValue": 0, "max_value": 9, "column": "delay"},
        },
        "type: expect_column_values_to_be_between\nkwargs: {min_value: 0, max_value: 9}",
    ],
)
def test_the_standards_own_spelling_of_arguments_is_understood(implementation: Any) -> None:
    found = expectations(only(on("delay", custom(implementation))))

    assert [(kind, dict(sorted(kwargs.items()))) for kind, kwargs in found] == [
        (kind, dict(sorted(kwargs.items()))) for kind, kwargs in BETWEEN
    ]


def expecting(what: str, **kwargs: Any) -> dict[str, Any]:
    return custom({"type": f"expect_column_values_to_{what}", "kwargs": kwargs})


OBSTACLES: list[tuple[dict[str, Any], str]] = [
    ({"type": "sql", "query": " ", "mustBe": 0}, "the rule has no query"),
    ({"type": "text", "description": "Looks right."}, "checked by people"),
    ({"metric": "invalidValues", "mustBe": 0}, "neither validValues nor a pattern"),
    ({"metric": "missingValues", "arguments": {"missingValues": 5}, "mustBe": 0}, "cannot be read"),
    ({"metric": "duplicateValues", "arguments": {"properties": ["nope"]}, "mustBe": 0}, "no property 'nope'"),
    (custom({"type": "x"}, "soda"), "rules for soda are checked by that engine"),
    (custom({"type": "expect_the_unexpected"}), "expect_the_unexpected is none"),
    (custom({"type": "unexpected_rows_expectation", "kwargs": {}}), "is none"),
    (custom({"type": "expect_column_values_to_match_json_schema", "kwargs": {}}), "is none"),
    (
        expecting("be_unique", row_condition="a==1"),
        "evaluated as code",
    ),
    (
        expecting("be_unique", conditionParser="pandas"),
        "evaluated as code",
    ),
    (
        custom({"type": "expect_column_values_to_be_unique", "kwargs": {"column": "nope"}}),
        "no property 'nope'",
    ),
    (
        expecting("match_regex", regex=r"(a)\1"),
        "RE2 does not take",
    ),
    (
        custom(
            {"type": "expect_column_values_to_match_regex_list", "kwargs": {"regex_list": ["a", "(?<=b)"]}}
        ),
        "RE2 does not take",
    ),
    (custom("- just\n- a list"), "must name an expectation"),
    (custom("{"), "no YAML"),
]


@pytest.mark.parametrize(("rule", "reason"), OBSTACLES)
def test_a_rule_that_cannot_be_measured_is_named_with_the_reason(rule: dict[str, Any], reason: str) -> None:
    check = only(on("tail", {"name": "mine", **rule}))

    assert check.name == "mine"
    assert reason in check.obstacle
    assert check.expectations == ()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"metric": "freshness"}, "no metric of the standard"),
        ({"metric": "nullValues", "operator": ""}, "has no operator"),
        ({"metric": "nullValues", "property": None}, "needs a property"),
        ({"metric": "invalidValues", "arguments": {"pattern": "(?=x)"}}, "RE2 does not take"),
        ({"metric": "invalidValues", "arguments": {"pattern": "x" * 1_001}}, "1,000 characters"),
    ],
)
def test_a_rule_that_no_contract_should_hold_is_named_all_the_same(rule: dict[str, Any], reason: str) -> None:
    facts = {
        "name": "mine",
        "kind": "library",
        "property": "tail",
        "operator": "mustBe",
        "threshold": 0,
        **rule,
    }

    check = only(replace(contract_of(PROPERTIES), quality=(QualityRule(**facts),)))

    assert (reason in check.obstacle, check.expectations) == (True, ())


RECORD_EXPECTATIONS = {
    "flight_id is required": ("column_values_to_not_be_null", {"column": "flight_id"}),
    "tail has its length": (
        "column_value_lengths_to_be_between",
        {"column": "tail", "min_value": 5, "max_value": 6},
    ),
    "tail matches its pattern": ("column_values_to_match_regex", {"column": "tail", "regex": "^N"}),
    "delay is in range": (
        "column_values_to_be_between",
        {"column": "delay", "min_value": -60, "max_value": 600, "strict_max": True},
    ),
    "origin is one of its values": (
        "column_values_to_be_in_set",
        {"column": "origin", "value_set": ["EWR", "JFK"]},
    ),
    "at is in range": ("column_values_to_be_between", {"column": "at", "min_value": "2013-01-01T00:00:00Z"}),
    "bearing is a multiple": (
        "column_values_to_be_in_set",
        {"column": "bearing is a multiple of 10", "value_set": [True]},
    ),
    "gate.number is required": ("column_values_to_not_be_null", {"column": "gate.number"}),
}


def test_record_rules_stand_in_the_suite_too() -> None:
    checks = compile_checks(contract_of(PROPERTIES))

    assert {check.name: expectations(check)[0] for check in checks} == RECORD_EXPECTATIONS
    assert {(check.origin, check.operator, check.threshold) for check in checks} == {
        ("record rule", "mustBe", 0)
    }


def test_a_quality_rule_that_guards_each_event_is_not_checked_twice() -> None:
    rule = {"name": "present", "metric": "nullValues", "mustBe": 0, "severity": "error"}

    checks = compile_checks(on("tail", rule))

    assert [check.origin for check in checks if check.name == "present"] == ["quality rule"]


def test_checks_of_the_same_name_are_told_apart() -> None:
    rule = {"name": "present", "metric": "nullValues", "mustBe": 0}
    changed = [
        {**prop, "quality": [rule, rule]} if prop["name"] in ("tail", "at") else prop for prop in PROPERTIES
    ]

    names = [check.name for check in compile_checks(contract_of(changed)) if "present" in check.name]

    assert names == ["present of tail", "present of tail (2)", "present of at", "present of at (2)"]


def test_the_suite_document_holds_every_expectation_and_names_the_rest() -> None:
    document = suite_document(
        on("tail", {"name": "mine", "metric": "nullValues", "mustBe": 0}, {"name": "words", "type": "text"})
    )

    assert document["name"] == "ops.flights.v1@1.0.0"
    assert document["expectations"][0] == {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "tail"},
        "severity": "critical",
        "meta": {"check": "mine", "origin": "quality rule", "rule": "no nulls in tail"},
    }
    assert len(document["expectations"]) == 1 + len(RECORD_EXPECTATIONS)
    assert document["meta"]["not_expressed"] == {"words": "text rules are checked by people"}


def test_compiling_needs_neither_great_expectations_nor_pandas() -> None:
    code = (
        "import sys, mesh_platform.quality.suite, mesh_platform.quality.view, mesh_platform.quality.worker;"
        "print([name for name in ('great_expectations', 'pandas') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"
