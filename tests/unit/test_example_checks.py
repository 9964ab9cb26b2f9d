"""The flaws of the example's data are found by the window checks of its contracts, and by nothing else.

Counts follow Great Expectations: every member of a group of duplicates counts, nulls are never invalid,
percentages are over all rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tests.unit.test_example_declarations import CONTRACT_IDS, is_record_rule, quality_rules
from tests.unit.test_example_events import events

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "mustBe": operator.eq,
    "mustBeGreaterThan": operator.gt,
    "mustBeLessOrEqualTo": operator.le,
    "mustBeBetween": lambda value, limits: limits[0] <= value <= limits[1],
}

#: What the checks find in the whole year: rows that a failing rule counts.
FOUND: dict[str, dict[str, int]] = {
    "fleet.aircraft.v1": {
        "year-built-known": 70,
        "manufacturer-spelled-one-way": 518,
        "seats-of-an-airliner": 34,
        "cruise-speed-known": 3_299,
    },
    "network.airports.v1": {
        "name-once": 32,
        "name-of-an-airfield": 25,
        "longitude-in-the-west": 4,
        "daylight-saving-known": 47,
        "time-zone-known": 3,
        "time-zone-american": 2,
    },
    "network.carriers.v1": {},
    "operations.cancellations.v1": {
        "tail-number-present": 2_512,
        "tail-number-is-registration": 395,
        "destination-known-to-network": 41,
        "distance-worth-flying": 1,
    },
    "operations.departures.v1": {
        "tail-number-is-registration": 22_359,
        "destination-known-to-network": 7_561,
    },
    "punctuality.delay-causes.v1": {
        "weather-known": 370,
        "aircraft-known": 9_331,
        "aircraft-age-known": 10_508,
        "cause-determined": 9_593,
    },
    "punctuality.route-delays.v1": {},
    "weather.observations.v1": {
        "local-hour-once": 6,
        "temperature-measured": 1,
        "wind-direction-measured": 460,
        "wind-speed-measured": 4,
        "wind-speed-possible": 1,
        "pressure-measured": 2_729,
    },
}


def _count(frame: pl.DataFrame, name: str | None, rule: dict[str, Any]) -> int:
    """The rows that a library metric counts, or those that a custom expectation does not expect."""
    if rule.get("metric") == "rowCount":
        return int(frame.height)
    if rule.get("metric") == "duplicateValues":
        columns = rule.get("arguments", {}).get("properties", [name])
        return int(frame.select(pl.struct(columns).is_duplicated().sum()).item())
    return int(frame.select(_unexpected(name, rule).fill_null(value=False).sum()).item())


def _unexpected(name: str | None, rule: dict[str, Any]) -> pl.Expr:
    arguments = rule.get("arguments", {})
    if rule.get("metric") == "nullValues":
        return pl.col(str(name)).is_null()
    if "pattern" in arguments:
        return ~pl.col(str(name)).str.contains(arguments["pattern"])
    if "validValues" in arguments:
        return ~pl.col(str(name)).is_in(arguments["validValues"])
    kind, kwargs = rule["implementation"]["type"], rule["implementation"]["kwargs"]
    column = pl.col(kwargs.get("column", kwargs.get("column_A")))
    if kind == "expect_column_values_to_not_be_in_set":
        return column.is_in(kwargs["value_set"])
    if kind == "expect_column_values_to_not_match_regex":
        return column.str.contains(kwargs["regex"])
    if kind == "expect_column_values_to_be_between":
        above = column > kwargs["max_value"] if "max_value" in kwargs else pl.lit(value=False)
        return (column < kwargs["min_value"]) | above
    assert (kind, kwargs["or_equal"]) == ("expect_column_pair_values_a_to_be_greater_than_b", True)
    return column < pl.col(kwargs["column_B"])


def _holds(count: int, rows: int, rule: dict[str, Any]) -> bool:
    if rule.get("type") == "custom":
        return count == 0
    (name,) = OPERATORS.keys() & rule.keys()
    value = 100 * count / rows if rule.get("unit") == "percent" else count
    return OPERATORS[name](value, rule[name])


def _failing(contract_id: str) -> dict[str, tuple[int, str]]:
    frame = events(contract_id)
    checks = [(name, rule) for name, rule in quality_rules(contract_id) if not is_record_rule(rule)]
    counts = {rule["id"]: (_count(frame, name, rule), rule) for name, rule in checks}
    return {
        rule_id: (count, rule["severity"])
        for rule_id, (count, rule) in counts.items()
        if not _holds(count, frame.height, rule)
    }


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_the_checks_find_the_known_flaws_and_count_them(contract_id: str) -> None:
    assert {rule_id: count for rule_id, (count, _) in _failing(contract_id).items()} == FOUND[contract_id]


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_a_known_flaw_warns_and_never_stops_the_product(contract_id: str) -> None:
    assert "error" not in {severity for _, severity in _failing(contract_id).values()}


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_a_rule_that_fails_tells_its_reader_that_the_flaw_is_known(contract_id: str) -> None:
    described = {rule["id"]: rule["description"] for _, rule in quality_rules(contract_id)}

    assert [rule_id for rule_id in FOUND[contract_id] if "Known " not in described[rule_id]] == []


def test_destinations_named_as_unknown_are_those_that_network_does_not_have() -> None:
    airports = set(events("network.airports.v1")["faa"])
    flown = set(events("operations.departures.v1")["destination"])
    (rule,) = (
        r for _, r in quality_rules("operations.departures.v1") if r["id"] == "destination-known-to-network"
    )

    assert set(rule["implementation"]["kwargs"]["value_set"]) == flown - airports
