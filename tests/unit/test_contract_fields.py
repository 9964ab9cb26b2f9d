"""What changed between two versions of a contract, in fields."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract.fields import FieldChange, changes
from mesh.contract.model import Contract
from tests.unit.contract_kit import CONTRACT, contract, contract_of, field


def test_the_same_contract_has_no_changes() -> None:
    assert changes(contract(), contract()) == ()


def test_a_comment_is_no_change() -> None:
    assert changes(contract(), contract((CONTRACT, f"# new\n{CONTRACT}"))) == ()


def only(old: Contract, new: Contract) -> FieldChange:
    (change,) = changes(old, new)
    return change


def test_an_added_property_is_told_with_its_type() -> None:
    change = only(contract_of([field("a")]), contract_of([field("a"), field("b", "date")]))
    assert (change.kind, change.subject, change.after, change.field) == ("added", "b", "date, optional", "b")


def test_a_removed_property_is_told_with_what_it_was() -> None:
    change = only(contract_of([field("a"), field("b")]), contract_of([field("a")]))
    assert (change.kind, change.subject, change.before) == ("removed", "b", "string, optional")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (field("a"), field("a", "date")),
        (field("a"), field("a", required=True)),
        (field("a", "integer"), field("a", "integer", logicalTypeOptions={"minimum": 1})),
        (field("a"), field("a", enum=[{"value": "x"}])),
        (field("a"), field("a", classification="internal")),
        (
            field("a", "array", items={"logicalType": "string"}),
            field("a", "array", items={"logicalType": "date"}),
        ),
        (
            field("a", "number"),
            field("a", "number", customProperties=[{"property": "precision", "value": 9}]),
        ),
    ],
    ids=str,
)
def test_a_changed_property_is_told(before: dict[str, Any], after: dict[str, Any]) -> None:
    change = only(contract_of([before]), contract_of([after]))
    assert (change.kind, change.subject, change.field) == ("changed", "a", "a")
    assert change.before != change.after


def test_a_change_of_words_only_says_so() -> None:
    change = only(contract_of([field("a")]), contract_of([field("a", description="Hello.")]))
    assert (change.subject, change.after, change.field) == ("a (description)", "Hello.", "a")


def holding(kind: str, inner: dict[str, Any]) -> Contract:
    bodies: dict[str, dict[str, Any]] = {
        "object": {"properties": [inner]},
        "array": {"items": {"logicalType": "object", "properties": [inner]}},
        "map": {
            "map": {
                "key": {"logicalType": "string"},
                "value": {"logicalType": "object", "properties": [inner]},
            }
        },
    }
    return contract_of([field("a", kind, **bodies[kind])])


@pytest.mark.parametrize("kind", ["object", "array", "map"])
def test_a_change_deep_inside_a_property_is_told_by_its_dotted_name(kind: str) -> None:
    change = only(holding(kind, field("x")), holding(kind, field("x", "date")))
    assert (change.kind, change.subject, change.field) == ("changed", "a.x", "a")


def quality(*rules: dict[str, Any]) -> Contract:
    return contract_of(
        [
            field("a", quality=[r for r in rules if "b" not in r]),
            field("b", quality=[r["b"] for r in rules if "b" in r]),
        ]
    )


RULE = {"name": "valid", "metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "x"}}


@pytest.mark.parametrize(
    "other",
    [{"mustBe": 1}, {"severity": "warning"}, {"arguments": {"pattern": "y"}}, {"unit": "percent"}],
    ids=str,
)
def test_a_changed_rule_is_told(other: dict[str, Any]) -> None:
    change = only(quality(RULE), quality({**RULE, **other}))
    assert (change.kind, change.subject, change.field) == ("changed", "rule: valid", "")


def test_rules_of_one_name_on_two_properties_are_told_apart() -> None:
    change = only(quality(RULE, {"b": RULE}), quality({**RULE, "mustBe": 1}, {"b": RULE}))
    assert change.subject == "rule: valid of a"


def test_a_changed_service_level_is_told() -> None:
    level = {"property": "latency", "value": 4, "unit": "h"}
    old = contract_of([field("a")], slaProperties=[level])
    new = contract_of([field("a")], slaProperties=[{**level, "value": 5}])
    assert only(old, new) == FieldChange("changed", "SLA: latency", "4 h", "5 h")


def test_service_levels_of_two_elements_are_told_apart() -> None:
    levels = [{"property": "latency", "value": v, "element": e} for v, e in ((1, "x"), (2, "y"))]
    levels = [{**level, "element": f"flights.{level['element']}"} for level in levels]
    changed = [{**levels[0], "value": 9}, levels[1]]
    both = [field("x"), field("y")]
    old, new = (contract_of(both, slaProperties=found) for found in (levels, changed))
    assert only(old, new).subject == "SLA: latency of flights.x"


@pytest.mark.parametrize(
    ("subject", "old", "new"),
    [
        ("topic settings", contract(), contract(("value: 3", "value: 4"))),
        ("topic settings", contract(), contract(("value: P400D", "value: P300D"))),
        ("contract status", contract(), contract(("status: active", "status: deprecated"))),
        (
            "compatibility mode",
            contract_of([field("a")]),
            contract_of([field("a")], custom={"compatibility": "NONE"}),
        ),
        (
            "event time",
            contract_of([field("a", "timestamp")]),
            contract_of([field("a", "timestamp")], custom={"eventTime": "a"}),
        ),
    ],
)
def test_a_changed_setting_is_told_and_touches_no_field(subject: str, old: Contract, new: Contract) -> None:
    change = only(old, new)
    assert (change.kind, change.subject, change.field) == ("changed", subject, "")


def test_another_order_of_the_key_is_told() -> None:
    def keyed(a: int, b: int) -> Contract:
        return contract_of(
            [
                field("a", primaryKey=True, primaryKeyPosition=a),
                field("b", primaryKey=True, primaryKeyPosition=b),
            ]
        )

    assert only(keyed(1, 2), keyed(2, 1)) == FieldChange("changed", "record key", "a | b", "b | a")
