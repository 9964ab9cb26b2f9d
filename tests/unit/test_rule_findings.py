"""`mesh check` compiles every record rule against the contract's own types and says where one fails."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.codec import arrow_schema
from mesh.contract.avro import avro_schema
from mesh.contract.record_rules import record_rules
from mesh.contract.rule_types import event_of
from mesh.declaration import SourceFile, declare
from mesh.errors import Finding, Location
from mesh.rules.arrow import object_of
from mesh.rules.types import Opaque
from mesh.schema import parse_recursive_schema, parse_schema
from tests.unit.contract_kit import contract_of, contract_text, field

KINDS: list[dict[str, Any]] = [
    field("whole", "integer"),
    field("small", "integer", logicalTypeOptions={"format": "i32"}),
    field("real", "number"),
    field("single", "number", logicalTypeOptions={"format": "f32"}),
    field("money", "number", customProperties=[{"property": "precision", "value": 9}]),
    field("text"),
    field("code", logicalTypeOptions={"format": "uuid"}),
    field("flag", "boolean"),
    field("at", "timestamp"),
    field("there", "timestamp", logicalTypeOptions={"timezone": False}),
    field("day", "date"),
    field("hour", "time"),
    field("stop", "object", properties=[field("city"), field("at", "timestamp")]),
    field("tags", "array", items={"logicalType": "string"}),
    field("stops", "array", items={"logicalType": "object", "properties": [field("city")]}),
    field("labels", "map", map={"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}),
]


def rule_findings_of(*properties: dict[str, Any], **more: Any) -> tuple[Finding, ...]:
    source = SourceFile("contracts/x.odcs.yaml", contract_text(properties, **more).encode())
    return tuple(f for f in declare([source]).findings if f.severity == "error")


def test_the_types_of_rules_are_those_of_the_arrow_layout() -> None:
    schema = avro_schema(contract_of(KINDS))
    assert event_of(schema) == object_of(arrow_schema(schema))


def test_a_union_of_several_types_is_opaque() -> None:
    text = '{"type": "record", "name": "N", "fields": [{"name": "some", "type": ["null", "long", "string"]}]}'
    assert event_of(parse_schema(text)).field("some") == Opaque("union")


def test_a_recursive_part_of_a_schema_is_opaque() -> None:
    text = '{"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}'
    assert event_of(parse_recursive_schema(text)).field("next") == Opaque("N")


@pytest.mark.parametrize(
    ("prop", "code"),
    [
        (field("at", "timestamp", logicalTypeOptions={"minimum": "yesterday"}), "MESH-C043"),
        (field("at", "date", logicalTypeOptions={"maximum": "2013-02-30"}), "MESH-C043"),
        (field("n", "integer", enum=[{"value": 1}, {"value": "two"}]), "MESH-C043"),
        (field("n", "integer", enum=[{"value": 1.5}]), "MESH-C043"),
        (
            field(
                "n",
                "number",
                customProperties=[{"property": "precision", "value": 4}, {"property": "scale", "value": 2}],
                enum=[{"value": 1.505}],
            ),
            "MESH-C043",
        ),
        (field("o", "object", properties=[field("at", "date", enum=[{"value": "x"}])]), "MESH-C041"),
        (field("n", "integer", quality=[{"metric": "invalidValues", "mustBe": 0,
                                         "arguments": {"pattern": "^1"}}]), "MESH-C041"),
    ],
)  # fmt: skip
def test_a_rule_that_its_type_cannot_have_is_an_error(prop: dict[str, Any], code: str) -> None:
    (finding,) = rule_findings_of(prop)
    assert finding.code == code


def test_the_finding_stands_at_the_value_that_is_wrong() -> None:
    prop = field("n", "integer", enum=[{"value": 1}, {"value": "two"}])
    (finding,) = rule_findings_of(prop)
    assert isinstance(finding.where, Location)
    lines = contract_text([prop]).splitlines()
    assert lines[finding.where.line - 1].strip() == "- value: two"


def test_each_wrong_bound_is_named() -> None:
    options = {"minimum": "soon", "maximum": "later"}
    first, second = rule_findings_of(field("at", "timestamp", logicalTypeOptions=options))
    assert "'soon'" in first.why
    assert "'later'" in second.why


def test_rules_on_items_and_values_of_maps_are_record_rules() -> None:
    short = {"logicalType": "string", "logicalTypeOptions": {"maxLength": 3}}
    stop = {"logicalType": "object", "properties": [field("city", required=True)]}
    positive = {"logicalType": "integer", "logicalTypeOptions": {"minimum": 0}}
    entries = {"key": {"logicalType": "string"}, "value": positive}
    contract = contract_of(
        [
            field("tags", "array", items=short),
            field("stops", "array", items=stop),
            field("m", "map", map=entries),
        ]
    )
    assert [rule.sentence for rule in record_rules(contract)] == [
        "tags[] has at most 3 characters",
        "stops[].city is required",
        "m{} is >= 0",
    ]


def test_quality_rules_inside_objects_are_record_rules_too() -> None:
    inner = field("city", quality=[{"metric": "nullValues", "mustBe": 0}])
    contract = contract_of([field("stop", "object", properties=[inner])])
    assert [rule.sentence for rule in record_rules(contract)] == ["stop.city is required"]


def test_what_the_registrys_clients_will_not_check_is_said_at_the_rule() -> None:
    prop = field("price", "number", logicalTypeOptions={"minimum": 0, "multipleOf": 0.1})
    text = contract_text([prop])
    (finding,) = declare([SourceFile("x.odcs.yaml", text.encode())]).findings
    assert (finding.code, finding.severity) == ("MESH-C130", "info")
    assert isinstance(finding.where, Location)
    assert text.splitlines()[finding.where.line - 1].strip() == "multipleOf: 0.1"


def test_a_rule_for_an_engine_that_mesh_does_not_run_is_said() -> None:
    rule = {"name": "theirs", "type": "custom", "engine": "soda", "implementation": "x"}
    source = SourceFile("x.odcs.yaml", contract_text([field("a")], quality=[rule]).encode())
    (finding,) = declare([source]).findings
    assert (finding.code, finding.severity) == ("MESH-C131", "info")
    assert "soda" in finding.why


def test_a_list_with_few_items_is_compared_by_clients_too() -> None:
    for most, expected in ((16, []), (17, ["MESH-C130"])):
        options = {"uniqueItems": True, "maxItems": most}
        prop = field("tags", "array", logicalTypeOptions=options, items={"logicalType": "string"})
        found = declare([SourceFile("x.odcs.yaml", contract_text([prop]).encode())]).findings
        assert [finding.code for finding in found] == expected
