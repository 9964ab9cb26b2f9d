"""The official client keeps schemas of every kind in the registry, and its JSON serializer uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.integration.served_registry import Served
from tests.unit.registry_twin import RegistryTwin

PLACE = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
RIDE = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Ride",
    "type": "object",
    "properties": {"start": {"$ref": "place.json"}},
    "additionalProperties": False,
}
PROTO_PLACE = 'syntax = "proto3"; package geo; message Place { string code = 1; }'
PROTO_RIDE = 'syntax = "proto3"; import "geo/place.proto"; message Ride { geo.Place start = 1; }'


@pytest.fixture
def client() -> Iterator[SchemaRegistryClient]:
    with Served(RegistryTwin()) as registry, SchemaRegistryClient({"url": registry.url}) as official:
        yield official


def refused(client: SchemaRegistryClient, subject: str, schema: Schema) -> SchemaRegistryError:
    with pytest.raises(SchemaRegistryError) as error:
        client.register_schema(subject, schema)
    return error.value


def test_json_schemas_refer_to_each_other_and_follow_when_proven(client: SchemaRegistryClient) -> None:
    client.register_schema("place", Schema(json.dumps(PLACE), "JSON"))
    references = [SchemaReference("place.json", "place", 1)]
    ride = Schema(json.dumps(RIDE), "JSON", references)
    wider: dict[str, Any] = {**RIDE, "properties": {**RIDE["properties"], "seats": {"type": "integer"}}}
    client.register_schema("ride", ride)
    assert client.register_schema("ride", Schema(json.dumps(wider), "JSON", references))
    assert client.get_versions("ride") == [1, 2]
    assert client.get_referenced_by("place", 1) == [2, 3]
    error = refused(client, "ride", ride_without_start(references))
    assert (error.http_status_code, "oldSchemaVersion: 2" in error.error_message) == (409, True)


def ride_without_start(references: list[SchemaReference]) -> Schema:
    return Schema(json.dumps({**RIDE, "properties": {}}), "JSON", references)


def test_protobuf_files_import_each_other_and_no_change_passes(client: SchemaRegistryClient) -> None:
    client.register_schema("place", Schema(PROTO_PLACE, "PROTOBUF"))
    ride = Schema(PROTO_RIDE, "PROTOBUF", [SchemaReference("geo/place.proto", "place", 1)])
    client.register_schema("ride", ride)
    assert client.lookup_schema("ride", ride).version == 1
    changed = PROTO_PLACE.replace("}", "string zone = 2; }")
    error = refused(client, "place", Schema(changed, "PROTOBUF"))
    assert (error.http_status_code, "CANNOT_BE_JUDGED" in error.error_message) == (409, True)
    client.set_compatibility("place", "NONE")
    assert client.register_schema("place", Schema(changed, "PROTOBUF"))


def test_a_subject_does_not_change_its_kind(client: SchemaRegistryClient) -> None:
    client.register_schema("place", Schema(json.dumps(PLACE), "JSON"))
    error = refused(client, "place", Schema(PROTO_PLACE, "PROTOBUF"))
    assert (error.http_status_code, "The earlier schema is JSON" in error.error_message) == (409, True)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("JSON", '{"$ref": "nowhere.json"}'), ("PROTOBUF", 'import "nowhere.proto"; message M {}')],
)
def test_what_leads_nowhere_is_refused(client: SchemaRegistryClient, kind: str, text: str) -> None:
    error = refused(client, "ride", Schema(text, kind))
    assert (error.http_status_code, error.error_code) == (422, 42201)


def test_the_json_serializer_registers_writes_and_reads(client: SchemaRegistryClient) -> None:
    context = SerializationContext("rides", MessageField.VALUE)
    write = JSONSerializer(json.dumps({**PLACE, "title": "Place"}), client)
    read = JSONDeserializer(None, schema_registry_client=client)
    assert read(write({"code": "JFK"}, context), context) == {"code": "JFK"}
    assert client.get_latest_version("rides-value").schema.schema_type == "JSON"
