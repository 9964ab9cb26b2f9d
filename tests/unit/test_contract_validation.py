"""A contract against its standard and the mesh's own demands: code, place, reason and way out."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, Finding
from tests.unit.contract_kit import (
    CONTRACT,
    FILE,
    PRODUCT,
    contract_text,
    declared,
    field,
    findings_of,
    replaced,
)


def only(text: str) -> Finding:
    (finding,) = findings_of(text)
    return finding


def test_the_sample_holds() -> None:
    assert findings_of(CONTRACT) == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "message"),
    [
        ("version: 1.0.0\n", "", "MESH-C021", "1:1", "'version' is missing in the top level"),
        (
            "      - name: delay\n        logicalType",
            "      - logicalType",
            "MESH-C021",
            "21:9",
            "'name' is missing",
        ),
        (
            "status: active",
            "statsu: active",
            "MESH-C022",
            "5:1",
            "unknown key 'statsu' in the top level; did you mean 'status'?",
        ),
        (
            "    physicalType: topic",
            "    physicalTyp: topic",
            "MESH-C022",
            "9:5",
            "did you mean 'physicalType'?",
        ),
        ("status: active", "status: active\nit's: 1", "MESH-C022", "6:1", 'unknown key "it\'s"'),
        ("status: active", "status: active\n'odd (key': 1", "MESH-C022", "6:1", "unknown key 'odd (key'"),
        ("minimum: -60", "minimun: -60", "MESH-C022", "23:43", "did you mean 'minimum'?"),
        ("value: 3", "value: 3\n        valeu: 3", "MESH-C022", "14:9", "did you mean 'value'?"),
        (
            "        required: true\n        primaryKey",
            "        required: yes\n        primaryKey",
            "MESH-C023",
            "19:9",
            "must be a boolean, found text",
        ),
        ("domain: ops", "domain: [ops]", "MESH-C023", "6:1", "domain must be text, found a list"),
        ("domain: ops", "domain: 7", "MESH-C023", "6:1", "domain must be text, found an integer"),
        ("version: 1.0.0", "version: 1.0", "MESH-C023", "4:1", "version must be text, found a number"),
        ("status: active", "status:", "MESH-C023", "5:1", "status must be text, found nothing"),
        (
            "logicalType: timestamp",
            "logicalType: timestap",
            "MESH-C024",
            "25:9",
            "cannot be 'timestap'; did you mean 'timestamp'?",
        ),
        ("kind: DataContract", "kind: DataContrakt", "MESH-C024", "2:1", "did you mean 'DataContract'?"),
        ("apiVersion: v3.2.0", "apiVersion: v9.9.9", "MESH-C097", "1:1", "apiVersion cannot be 'v9.9.9'"),
        ("version: 1.0.0", "version: one", "MESH-C030", "4:1", "'one' is not a version"),
        ("status: active", "status: living", "MESH-C031", "5:1", "status cannot be 'living'"),
        (
            "physicalName: ops.flights.v1",
            "physicalName: Ops_Flights",
            "MESH-C033",
            "10:5",
            "not a topic name",
        ),
        ("domain: ops", "domain: fleet", "MESH-C034", "6:1", "domain is 'fleet'"),
        ("version: 1.0.0", "version: 2.0.0", "MESH-C035", "4:1", "version 2.0.0 on topic ops.flights.v1"),
        ("id: ops.flights.v1", "id: flights", "MESH-C036", "3:1", "id is 'flights'"),
        ("name: delay", "name: de-lay", "MESH-C038", "21:9", "property name 'de-lay'"),
        ("name: delay", "name: flight_id", "MESH-C039", "21:9", "the property 'flight_id' stands twice"),
        (
            "        logicalType: integer\n        logicalTypeOptions: {format: i32, minimum: -60}\n",
            "",
            "MESH-C045",
            "21:9",
            "has no logicalType",
        ),
        ("value: 3", "value: 0", "MESH-C046", "13:9", "partitions cannot be 0"),
        ("value: 3", "value: 10001", "MESH-C046", "13:9", "partitions cannot be 10001"),
        ("value: 3", "value: true", "MESH-C046", "13:9", "partitions cannot be True"),
        ("value: P400D", "value: 400 days", "MESH-C046", "15:9", "retention cannot be '400 days'"),
        (
            "property: partitions\n        value: 3",
            "property: cleanupPolicy\n        value: shred",
            "MESH-C046",
            "13:9",
            "cleanupPolicy cannot be 'shred'",
        ),
        (
            "property: partitions\n        value: 3",
            "property: eventTime\n        value: delay",
            "MESH-C046",
            "13:9",
            "eventTime cannot be 'delay'",
        ),
        (
            "property: partitions\n        value: 3",
            "property: compatibility\n        value: SIDEWAYS",
            "MESH-C046",
            "13:9",
            "compatibility cannot be 'SIDEWAYS'",
        ),
        (
            "        required: true\n        primaryKey: true\n",
            "        quality: [{metric: nullValues}]\n",
            "MESH-C047",
            "19:19",
            "has no operator",
        ),
        (
            "        required: true\n        primaryKey: true\n",
            "        quality: [{metric: nullValues, mustBe: 0, mustNotBe: 1}]\n",
            "MESH-C047",
            "19:19",
            "has mustBe and mustNotBe",
        ),
    ],
)
def test_a_flaw_is_named_where_it_stands(old: str, new: str, code: str, place: str, message: str) -> None:
    finding = only(replaced(CONTRACT, (old, new)))
    assert (finding.code, str(finding.where)) == (code, f"{FILE}:{place}")
    assert message in finding.message
    assert finding.why
    assert finding.fix


def test_a_compacted_topic_needs_a_key() -> None:
    text = contract_text([field("a")], custom={"cleanupPolicy": "compact"})
    assert only(text).code == "MESH-C029"


def test_a_compacted_topic_with_a_key_holds() -> None:
    text = contract_text([field("a", primaryKey=True)], custom={"cleanupPolicy": "compact"})
    assert findings_of(text) == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "just text", "7"])
def test_a_file_without_a_mapping_holds_no_declaration(text: str) -> None:
    assert only(text).code == "MESH-C020"


def test_several_schema_objects_are_refused() -> None:
    text = CONTRACT + "  - name: more\n    physicalName: ops.more.v1\n"
    assert only(text).code == "MESH-C032"


def test_a_contract_without_schema_is_refused() -> None:
    assert only(CONTRACT[: CONTRACT.index("schema:")]).code == "MESH-C032"


def test_a_schema_without_properties_is_refused() -> None:
    assert only(CONTRACT[: CONTRACT.index("    properties:")]).code == "MESH-C037"


def test_what_a_list_holds_needs_a_logical_type() -> None:
    text = contract_text([field("a", "array", items={"description": "what?"})])
    assert only(text).code == "MESH-C045"


def test_a_property_twice_inside_an_object_in_a_list_is_found() -> None:
    inner = {"logicalType": "object", "properties": [field("x"), field("x")]}
    assert only(contract_text([field("a", "array", items=inner)])).code == "MESH-C039"


@pytest.mark.parametrize("pattern", ["[", "(?<=a)b", "(a)\\1", "a{9999}"])
@pytest.mark.parametrize(
    "more",
    [
        lambda p: {"logicalTypeOptions": {"pattern": p}},
        lambda p: {"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": p}}]},
    ],
    ids=["option", "rule"],
)
def test_a_pattern_that_re2_refuses_is_a_finding(pattern: str, more: Any) -> None:
    assert only(contract_text([field("a", **more(pattern))])).code == "MESH-C049"


def test_findings_come_in_the_order_of_the_file() -> None:
    lines = [f"      - name: p{i}\n        logicalType: strnig\n" for i in range(15)]
    found = findings_of(CONTRACT + "".join(lines))
    assert [f.where.line for f in found if not isinstance(f.where, str)] == sorted(
        28 + 2 * i for i in range(15)
    )  # type: ignore[union-attr]


def test_the_same_flaw_is_told_once() -> None:
    found = findings_of(replaced(CONTRACT, ("status: active", "statsu: active")))
    assert len({(str(f.where), f.message) for f in found}) == len(found)


def test_at_most_fifty_findings_are_told() -> None:
    assert len(findings_of(CONTRACT + "".join(f"x{i}: 1\n" for i in range(200)))) == 50


def test_an_error_carries_all_findings_and_leads_with_the_first() -> None:
    text = replaced(CONTRACT, ("status: active", "statsu: active"), ("kind: DataContract", "kind: X"))
    with pytest.raises(DeclarationError) as caught:
        read_contract(text.encode(), FILE)
    assert caught.value.what.endswith("(and 1 more)")
    assert caught.value.error_code == caught.value.findings[0].code
    assert len(caught.value.findings) == 2


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("name: flights\nversion", "name: Flights!\nversion", "MESH-C050", "4:1"),
        ("domain: ops\n", "", "MESH-C050", "1:1"),
        (PRODUCT[PRODUCT.index("outputPorts") :], "", "MESH-C051", "1:1"),
        ("    contractId: ops.flights.v1\n", "", "MESH-C052", "9:5"),
        ("version: 1.0.0\nstatus", "version: first\nstatus", "MESH-C053", "5:1"),
        ("outputPorts", "outputPort", "MESH-C022", "8:1"),
        ("kind: DataProduct", "kind: DataContract", "MESH-C024", "2:1"),
        *[
            (
                "outputPorts",
                "inputPorts:\n  - name: x\n    contractId: a.bb.v1\n    customProperties:\n"
                f"      - property: fields\n        value: {value}\noutputPorts",
                "MESH-C054",
                "13:9",
            )
            for value in ("", "delay", "7", "[1]", "{a: 1}")
        ],
    ],
)
def test_a_flaw_of_a_product_is_named_where_it_stands(old: str, new: str, code: str, place: str) -> None:
    from mesh.product import read_product

    with pytest.raises(DeclarationError) as caught:
        read_product(replaced(PRODUCT, (old, new)).encode(), "p.odps.yaml")
    finding = caught.value.findings[0]
    assert (finding.code, str(finding.where)) == (code, f"p.odps.yaml:{place}")
    assert finding.why
    assert finding.fix


def test_a_product_with_an_empty_custom_property_is_read() -> None:
    text = PRODUCT + "customProperties:\n  - property: implementation\n    value:\n"
    assert declared(CONTRACT, text).products["ops.flights"].implementation == ""
