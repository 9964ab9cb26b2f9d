"""From a valid document to a Contract: topic settings, durations, keys, quality rules and record rules."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract import durations
from mesh.contract.model import TopicSettings
from mesh.contract.record_rules import is_record_rule, record_rules
from mesh.rules.model import ItemCount, Length, MultipleOf, OneOf, Pattern, Range, Required, UniqueItems
from tests.unit.contract_kit import CONTRACT, contract, contract_of, field

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("P400D", 400 * DAY),
        ("PT15M", 900_000),
        ("P1DT1S", DAY + 1_000),
        ("P2W", 14 * DAY),
        ("P1Y", 365 * DAY),
        ("PT0S", 0),
        ("P0D", 0),
        ("forever", -1),
        ("P", None),
        ("PT", None),
        ("P1M", None),
        ("400D", None),
        ("p1d", None),
        ("P1D ", None),
        ("P-1D", None),
        ("P1.5D", None),
        ("P١D", None),
        ("", None),
        (None, None),
        (5, None),
        (True, None),
        (["P1D"], None),
        ("P9999999D", None),
    ],
)
def test_a_duration_is_iso_8601_or_forever(text: Any, ms: int | None) -> None:
    assert durations.milliseconds(text) == ms


@pytest.mark.parametrize(
    ("value", "unit", "ms"),
    [
        (400, "d", 400 * DAY),
        (400, "days", 400 * DAY),
        (1, "day", DAY),
        (1, "", DAY),
        (2, "y", 730 * DAY),
        (1, "yr", 365 * DAY),
        (1, "years", 365 * DAY),
        (3, "h", 10_800_000),
        (3, "hrs", 10_800_000),
        (5, "m", 300_000),
        (5, "Minutes", 300_000),
        (5, "s", 5_000),
        (5, "sec", 5_000),
        (5, "ms", 5),
        (0.5, "d", DAY // 2),
        (0, "d", 0),
        ("400", "d", 400 * DAY),
        ("P1D", "", DAY),
        ("P0D", "", 0),
        ("forever", "", -1),
        ("a while", "d", -1),
        (True, "d", -1),
        (-5, "d", -1),
        (5, "moons", -1),
        (None, "d", -1),
        (1e308, "y", durations.LONGEST),
        (10**30, "y", durations.LONGEST),
        ("9" * 5_000, "d", durations.LONGEST),
    ],
)
def test_a_service_level_with_its_unit_becomes_milliseconds(value: Any, unit: str, ms: int) -> None:
    assert durations.from_unit(value, unit) == ms


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-1, "for ever"),
        (0, "0 ms"),
        (1, "1 ms"),
        (DAY, "1 day"),
        (400 * DAY, "400 days"),
        (5_400_000, "90 minutes"),
    ],
)
def test_a_duration_is_told_as_people_say_it(ms: int, words: str) -> None:
    assert durations.words(ms) == words


def settings(custom: dict[str, Any], **more: Any) -> TopicSettings:
    return contract_of([field("k", primaryKey=True)], custom=custom, **more).settings


def test_without_settings_a_topic_has_one_partition_and_keeps_for_ever() -> None:
    assert settings({}) == TopicSettings(partitions=1, cleanup_policy="delete", retention_ms=-1)


def test_topic_settings_are_read_from_custom_properties() -> None:
    found = settings({"partitions": 6, "cleanupPolicy": "compact", "retention": "P1D"})
    assert found == TopicSettings(partitions=6, cleanup_policy="compact", retention_ms=DAY)


def test_a_retention_of_nothing_is_not_for_ever() -> None:
    assert settings({"retention": "P0D"}).retention_ms == 0


def test_the_service_level_gives_the_retention_when_the_topic_says_nothing() -> None:
    level = [{"property": "retention", "value": 3, "unit": "d"}]
    assert settings({}, slaProperties=level).retention_ms == 3 * DAY


def test_the_topics_own_retention_comes_first() -> None:
    level = [{"property": "retention", "value": 3, "unit": "d"}]
    assert settings({"retention": "forever"}, slaProperties=level).retention_ms == -1


def test_keys_come_in_the_order_of_their_position() -> None:
    properties = [
        field("b", primaryKey=True, primaryKeyPosition=2),
        field("a", primaryKey=True, primaryKeyPosition=1),
    ]
    assert contract_of(properties).key == ("a", "b")


def test_the_hash_is_of_the_text_exactly_as_written() -> None:
    assert contract().sha256 != contract(("status: active", "status:  active")).sha256


def test_a_property_knows_its_place() -> None:
    prop = contract().property("delay")
    assert prop is not None
    assert prop.where.line == CONTRACT[: CONTRACT.index("name: delay")].count("\n") + 1


def test_a_quality_rule_without_name_is_named_after_what_it_measures() -> None:
    rules = [{"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["a", "b"]}}]
    (rule,) = contract_of([field("a"), field("b")], quality=rules).quality
    assert rule.name == "duplicateValues of a+b"


@pytest.mark.parametrize(("together", "name"), [("a", "a"), (["a", 5], "a+5"), (7, "7"), ([], "the events")])
def test_a_quality_rule_on_anything_still_has_a_name(together: Any, name: str) -> None:
    rules = [{"metric": "rowCount", "mustBe": 0, "arguments": {"properties": together}}]
    (rule,) = contract_of([field("a")], quality=rules).quality
    assert rule.name == f"rowCount of {name}"


def checks(**prop: Any) -> list[Any]:
    return [rule.check for rule in record_rules(contract_of([field("f", **prop)]))]


@pytest.mark.parametrize(
    ("prop", "check"),
    [
        ({"required": True}, Required()),
        ({"primaryKey": True}, Required()),
        ({"enum": [{"value": "a"}, {"value": "b"}]}, OneOf(("a", "b"))),
        ({"kind": "integer", "logicalTypeOptions": {"minimum": 0}}, Range(minimum=0)),
        ({"kind": "integer", "logicalTypeOptions": {"maximum": 0}}, Range(maximum=0)),
        (
            {"kind": "number", "logicalTypeOptions": {"exclusiveMinimum": 0, "exclusiveMaximum": 9}},
            Range(exclusive_minimum=0, exclusive_maximum=9),
        ),
        ({"kind": "integer", "logicalTypeOptions": {"multipleOf": 5}}, MultipleOf(5)),
        ({"logicalTypeOptions": {"minLength": 0}}, Length(0, None)),
        ({"logicalTypeOptions": {"maxLength": 3}}, Length(None, 3)),
        ({"logicalTypeOptions": {"pattern": "^a$"}}, Pattern("^a$")),
        (
            {
                "kind": "array",
                "items": {"logicalType": "string"},
                "logicalTypeOptions": {"minItems": 1, "maxItems": 2},
            },
            ItemCount(1, 2),
        ),
        (
            {
                "kind": "array",
                "items": {"logicalType": "string"},
                "logicalTypeOptions": {"uniqueItems": True},
            },
            UniqueItems(),
        ),
        ({"quality": [{"metric": "nullValues", "mustBe": 0, "severity": "error"}]}, Required()),
        (
            {
                "quality": [
                    {
                        "metric": "invalidValues",
                        "mustBe": 0,
                        "severity": "error",
                        "arguments": {"validValues": ["x"]},
                    }
                ]
            },
            OneOf(("x",)),
        ),
        (
            {"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "x"}}]},
            Pattern("x"),
        ),
    ],
    ids=str,
)
def test_what_one_event_can_break_becomes_a_record_rule(prop: dict[str, Any], check: Any) -> None:
    assert checks(**prop) == [check]


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "invalidValues", "mustBe": 0, "severity": "warning", "arguments": {"pattern": "x"}},
        {"metric": "invalidValues", "mustBe": 1, "severity": "error", "arguments": {"pattern": "x"}},
        {"metric": "invalidValues", "mustBeLessThan": 1, "severity": "error", "arguments": {"pattern": "x"}},
        {
            "metric": "invalidValues",
            "mustBeLessOrEqualTo": 0,
            "severity": "error",
            "arguments": {"pattern": "x"},
        },
        {"metric": "invalidValues", "mustBe": 0, "severity": "error"},
        {"metric": "invalidValues", "mustBe": 0, "severity": "error", "arguments": {"minLength": 3}},
        {
            "metric": "invalidValues",
            "mustBe": 0,
            "severity": "error",
            "arguments": {"pattern": "x", "other": 1},
        },
        {"metric": "duplicateValues", "mustBe": 0, "severity": "error"},
        {"metric": "missingValues", "mustBe": 0, "severity": "error", "arguments": {"missingValues": [""]}},
        {
            "type": "custom",
            "engine": "greatExpectations",
            "implementation": {"type": "expect_x"},
            "severity": "error",
        },
        {"type": "sql", "query": "select 1", "mustBe": 0, "severity": "error"},
        {"type": "text", "description": "Nice."},
    ],
    ids=str,
)
def test_what_needs_a_window_stays_a_window_check(rule: dict[str, Any]) -> None:
    made = contract_of([field("f", quality=[rule])])
    assert record_rules(made) == ()
    assert not any(is_record_rule(quality) for quality in made.quality)


def test_a_rule_on_the_whole_topic_is_never_a_record_rule() -> None:
    made = contract_of([field("f")], quality=[{"metric": "rowCount", "mustBe": 0, "severity": "error"}])
    assert record_rules(made) == ()


def test_an_avro_enum_needs_no_rule_of_its_own() -> None:
    custom = [{"property": "avroType", "value": "enum"}]
    assert checks(enum=[{"value": "A"}], customProperties=custom) == []


def test_rules_inside_an_object_carry_their_path() -> None:
    made = contract_of([field("a", "object", properties=[field("b", required=True)])])
    assert [rule.path for rule in record_rules(made)] == ["a.b"]


def test_every_quality_rule_of_a_top_level_property_is_record_rule_or_window_check_never_lost() -> None:
    rules = [
        {"name": "one", "metric": "nullValues", "mustBe": 0},
        {
            "name": "two",
            "metric": "invalidValues",
            "mustBe": 0,
            "arguments": {"validValues": ["x"], "pattern": "x"},
        },
        {"name": "three", "metric": "duplicateValues", "mustBe": 0},
    ]
    made = contract_of([field("f", quality=rules)])
    as_records = {rule.name for rule in record_rules(made)}
    as_windows = {quality.name for quality in made.quality if not is_record_rule(quality)}
    assert (as_records, as_windows) == ({"one", "two"}, {"three"})


NESTED = [
    field("address", "object", properties=[field("street", quality=[{"metric": "nullValues", "mustBe": 0}])]),
    field(
        "tags",
        "array",
        items={"logicalType": "string", "quality": [{"metric": "nullValues", "mustBe": 1}]},
    ),
    field(
        "attributes",
        "map",
        map={
            "key": {"logicalType": "string", "quality": [{"metric": "nullValues", "mustBe": 2}]},
            "value": {
                "logicalType": "object",
                "properties": [field("unit", quality=[{"metric": "nullValues", "mustBe": 3}])],
                "quality": [{"metric": "nullValues", "mustBe": 4}],
            },
        },
    ),
    field(
        "lines",
        "array",
        items={"logicalType": "object", "properties": [field("sku", quality=[{"type": "text"}])]},
    ),
]


def test_rules_at_every_depth_are_read_under_a_dotted_name() -> None:
    assert [(rule.property, rule.threshold) for rule in contract_of(NESTED).quality] == [
        ("address.street", 0),
        ("tags[]", 1),
        ("attributes{key}", 2),
        ("attributes{}", 4),
        ("attributes{}.unit", 3),
        ("lines[].sku", None),
    ]


def test_what_a_property_says_of_itself_is_read() -> None:
    said = {"unique": True, "deprecated": True, "semanticType": "measure"}
    leads = [{"to": "flights.a"}, {"to": ["flights.a", "flights.b"]}]
    one, other = contract_of([field("a", **said), field("b", relationships=leads)]).properties
    assert (one.unique, one.deprecated, one.semantic_type) == (True, True, "measure")
    assert (other.unique, other.deprecated, other.semantic_type) == (False, False, "")
    assert other.references == ("flights.a", "flights.a", "flights.b")


def test_a_topic_asks_for_copies_and_sizes_only_when_its_contract_does() -> None:
    asked = contract_of([field("a")], custom={"minInsyncReplicas": 2, "maxMessageBytes": 2_000_000}).settings
    assert (asked.min_insync_replicas, asked.max_message_bytes) == (2, 2_000_000)
    silent = contract_of([field("a")]).settings
    assert (silent.min_insync_replicas, silent.max_message_bytes) == (None, None)


def test_null_among_the_values_of_an_enum_is_no_value() -> None:
    (prop,) = contract_of([field("a", enum=[{"value": "x"}, {"value": None, "label": "none"}])]).properties
    assert prop.enum == ("x",)
