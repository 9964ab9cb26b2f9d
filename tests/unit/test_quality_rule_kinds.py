"""Every kind of quality rule that ODCS has, over one small window: which verdict, and why there is none."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mesh_platform.quality.compilation import compile_checks
from mesh_platform.quality.model import CheckResult
from mesh_platform.quality.suite import Suite
from tests.unit.contract_kit import contract_of, field

WINDOW = pa.table(
    {
        "id": [1, 2, 2, None],
        "name": ["a", "b", "b", ""],
        "tags": [["x"], [], None, ["x", "long"]],
        "stop": [{"city": "NYC"}, {"city": None}, None, {"city": "LON"}],
    }
)
TAG: dict[str, Any] = {"logicalType": "string", "logicalTypeOptions": {"maxLength": 3}}


def results(
    rule: dict[str, Any] | None = None, *, id_: dict[str, Any] | None = None
) -> dict[str, CheckResult]:
    contract = contract_of(
        [
            field("id", "integer", **(id_ or {})),
            field("name"),
            field("tags", "array", items=TAG),
            field("stop", "object", properties=[field("city", required=True)]),
        ],
        quality=[rule] if rule else [],
    )
    return {result.name: result for result in Suite(contract).run(WINDOW)}


def quality(**rule: Any) -> dict[str, Any]:
    return {"quality": [{"name": "asked", **rule}]}


@pytest.mark.parametrize(
    ("operator", "passes", "fails"),
    [
        ("mustBe", 2, 1),
        ("mustNotBe", 1, 2),
        ("mustBeGreaterThan", 1, 2),
        ("mustBeGreaterOrEqualTo", 2, 3),
        ("mustBeLessThan", 3, 2),
        ("mustBeLessOrEqualTo", 2, 1),
        ("mustBeBetween", [2, 3], [0, 1]),
        ("mustNotBeBetween", [0, 1], [2, 3]),
    ],
)
@pytest.mark.parametrize(("unit", "times"), [("rows", 1), ("percent", 25)])
def test_every_operator_compares_rows_and_percent(
    operator: str, passes: Any, fails: Any, unit: str, times: int
) -> None:
    def scaled(limit: Any) -> Any:
        return [one * times for one in limit] if isinstance(limit, list) else limit * times

    for limit, status in ((passes, "passed"), (fails, "failed")):
        rule = quality(metric="duplicateValues", unit=unit, severity="warning", **{operator: scaled(limit)})
        assert results(id_=rule)["asked"].status == status


@pytest.mark.parametrize(
    ("rule", "failed"),
    [
        ({"metric": "nullValues"}, 1),
        ({"metric": "missingValues", "arguments": {"missingValues": [None, 1]}}, 2),
        ({"metric": "invalidValues", "arguments": {"validValues": [1]}}, 2),
        ({"metric": "duplicateValues"}, 2),
    ],
)
def test_every_metric_of_a_property_counts_rows(rule: dict[str, Any], failed: int) -> None:
    assert results(id_=quality(**rule, mustBe=0))["asked"].failed_rows == failed


def test_metrics_of_the_whole_window() -> None:
    together = {"metric": "duplicateValues", "arguments": {"properties": ["id", "name"]}, "mustBe": 0}
    assert results({"name": "asked", **together})["asked"].failed_rows == 2
    assert results({"name": "asked", "metric": "rowCount", "mustBe": 4})["asked"].status == "passed"


def test_unique_is_a_check_of_its_own() -> None:
    found = results(id_={"unique": True})["id is unique"]
    assert (found.status, found.failed_rows) == ("failed", 2)


def test_unique_beside_a_rule_on_duplicates_is_that_rule() -> None:
    found = results(id_={"unique": True, **quality(metric="duplicateValues", mustBe=0)})
    assert "id is unique" not in found
    assert found["asked"].status == "failed"


def test_rules_on_items_and_inside_objects_are_checked_per_event() -> None:
    found = results()
    assert found["tags[] has its length"].failed_rows == 1
    assert found["stop.city is required"].failed_rows == 1


def test_a_quality_rule_on_items_is_checked_per_event() -> None:
    rule = {"name": "asked", "metric": "invalidValues", "arguments": {"validValues": ["x"]}, "mustBe": 0}
    contract = contract_of([field("tags", "array", items={"logicalType": "string", "quality": [rule]})])
    (found,) = [one for one in Suite(contract).run(WINDOW) if one.property == "tags[]"]
    assert (found.status, found.failed_rows) == ("failed", 1)


def test_a_measure_of_items_is_unknown_and_says_why() -> None:
    rule = {"name": "asked", "metric": "duplicateValues", "mustBe": 0}
    contract = contract_of([field("tags", "array", items={"logicalType": "string", "quality": [rule]})])
    (check,) = compile_checks(contract)
    assert "many values in one event" in check.obstacle


@pytest.mark.parametrize(
    "implementation",
    [
        {"type": "expect_column_max_to_be_between", "kwargs": {"maxValue": 1}},
        {"expectation_type": "ExpectColumnMaxToBeBetween", "kwargs": {"max_value": 1}},
        "type: expect_column_max_to_be_between\nkwargs: {maxValue: 1}\n",
    ],
)
@pytest.mark.parametrize("engine", ["greatExpectations", "great-expectations", "great_expectations"])
def test_a_custom_expectation_is_read_however_it_is_written(implementation: Any, engine: str) -> None:
    rule = quality(type="custom", engine=engine, implementation=implementation)
    assert results(id_=rule)["asked"].status == "failed"


@pytest.mark.parametrize("engine", ["soda", "monteCarlo", "dbt"])
def test_a_rule_for_another_engine_is_unknown_and_names_it(engine: str) -> None:
    rule = quality(type="custom", engine=engine, implementation="anything")
    found = results(id_=rule)["asked"]
    assert found.status == "unknown"
    assert engine in found.message
