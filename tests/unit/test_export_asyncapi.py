"""Contract to AsyncAPI: valid by the official schema with its Kafka bindings; says what the topic is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mesh.contract.avro import avro_schema
from mesh.contract.reading import read_contract
from mesh.export.asyncapi import asyncapi
from mesh.schema import parse_schema
from tests.unit.contract_kit import contract_of, field

ROOT = Path(__file__).parents[2]
OFFICIAL = ROOT / "tests" / "standards" / "asyncapi-3.1.0.json"
CONTRACTS = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
ID = "ops.flights.v1"
KINDS = ("integer", "number", "boolean", "date", "time", "timestamp")


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_text()))


def document(**more: Any) -> Any:
    custom = {"partitions": 3, "cleanupPolicy": "compact,delete", "retention": "P1D"}
    properties = [field("id", primaryKey=True, logicalTypeOptions={"maxLength": 5}), field("n", "integer")]
    return asyncapi(contract_of(properties, custom=custom, **more))


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_the_document_of_an_example_contract_holds_by_the_official_schema(file: Path) -> None:
    found = asyncapi(read_contract(file.read_bytes(), str(file)))
    assert [error.message for error in validator().iter_errors(found)] == []


def test_a_document_with_every_kind_of_property_holds() -> None:
    enum = [{"property": "avroType", "value": "enum"}, {"property": "avroEnumDefault", "value": "A"}]
    union = [{"property": "avroType", "value": ["null", "long", "string"]}]
    properties = [
        *[field(f"f_{kind}", kind) for kind in KINDS],
        field("e", enum=[{"value": "A"}], customProperties=enum),
        field("o", "object", properties=[field("x")]),
        field("l", "array", items={"logicalType": "object", "properties": [field("x")]}),
        field("u", "object", customProperties=union),
    ]
    assert [error.message for error in validator().iter_errors(asyncapi(contract_of(properties)))] == []


def _no_address(found: Any) -> None:
    found["channels"][ID]["address"] = 5


def _policy_as_text(found: Any) -> None:
    found["channels"][ID]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] = "delete"


def _no_partitions(found: Any) -> None:
    found["channels"][ID]["bindings"]["kafka"]["partitions"] = 0


def _unknown_binding(found: Any) -> None:
    found["channels"][ID]["messages"]["event"]["bindings"]["kafka"]["compression"] = "lz4"


def _id_elsewhere(found: Any) -> None:
    found["channels"][ID]["messages"]["event"]["bindings"]["kafka"]["schemaIdLocation"] = "trailer"


def _avro_without_symbols(found: Any) -> None:
    found["channels"][ID]["messages"]["event"]["payload"]["schema"]["fields"][0]["type"] = {"type": "enum"}


@pytest.mark.parametrize(
    "broken",
    [_no_address, _policy_as_text, _no_partitions, _unknown_binding, _id_elsewhere, _avro_without_symbols],
)
def test_the_official_schema_refuses_what_is_broken(broken: Callable[[Any], None]) -> None:
    found = copy.deepcopy(document())
    assert validator().is_valid(found)
    broken(found)
    assert not validator().is_valid(found)


def test_the_channel_is_the_topic_with_its_settings() -> None:
    channel = document()["channels"][ID]
    kafka = channel["bindings"]["kafka"]
    assert channel["address"] == kafka["topic"] == ID
    assert kafka["partitions"] == 3
    assert kafka["topicConfiguration"] == {
        "cleanup.policy": ["compact", "delete"],
        "retention.ms": 86_400_000,
    }


def test_the_payload_is_the_schema_that_is_registered() -> None:
    payload = document()["channels"][ID]["messages"]["event"]["payload"]
    contract = contract_of([field("id", primaryKey=True), field("n", "integer")])
    assert payload["schemaFormat"] == "application/vnd.apache.avro+json;version=1.9.0"
    assert parse_schema(json.dumps(payload["schema"])).text == avro_schema(contract).text


def test_the_key_keeps_its_rules() -> None:
    kafka = document()["channels"][ID]["messages"]["event"]["bindings"]["kafka"]
    assert kafka["key"] == {"type": "string", "maxLength": 5}


def test_a_composite_key_is_text() -> None:
    parts = [field(name, primaryKey=True, primaryKeyPosition=i) for i, name in enumerate("ab", 1)]
    found = asyncapi(contract_of(parts))
    key = found["channels"][ID]["messages"]["event"]["bindings"]["kafka"]["key"]
    assert key["type"] == "string"


def test_the_headers_are_those_that_mesh_writes() -> None:
    from mesh.event import Stamp

    contract_headers = document()["channels"][ID]["messages"]["event"]["headers"]["properties"]
    written = {name: value.decode() for name, value in Stamp(f"/ops/{ID}", ID).shared}
    said = {name: what["const"] for name, what in contract_headers.items() if "const" in what}
    assert said == written


def test_a_server_keeps_its_variable() -> None:
    host = "${KAFKA:-localhost:9092}"
    found = document(servers=[{"server": "mesh", "type": "kafka", "host": host, "format": "avro"}])
    assert found["servers"]["mesh"]["host"] == "{KAFKA}"
    assert found["servers"]["mesh"]["variables"] == {"KAFKA": {"default": "localhost:9092"}}
    assert validator().is_valid(found)


def test_both_sides_have_an_operation() -> None:
    actions = {name: operation["action"] for name, operation in document()["operations"].items()}
    assert actions == {"publish": "send", "subscribe": "receive"}
