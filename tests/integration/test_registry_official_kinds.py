"""The unmodified official client with JSON Schema and Protobuf: its serializer, references, what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    Rule,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from tests.integration.served_registry import Served
from tests.unit.registry_twin import RegistryTwin

TOPIC = "operations.departures.v1"
SUBJECT = f"{TOPIC}-value"
EVENT = {"flight": "UA1545"}
GATE = 'syntax = "proto3"; package ops; message Gate { string code = 1; }'
DEPARTURE = """syntax = "proto3";
package ops;
import "gate.proto";
message Departure { string flight = 1; Gate gate = 2; }
"""


def schema(**properties: Any) -> str:
    dialect = "http://json-schema.org/draft-07/schema#"
    facts = {"title": "Departure", "type": "object", "additionalProperties": False, "properties": properties}
    return json.dumps({"$schema": dialect, **facts})


V1 = schema(flight={"type": "string"})
V2 = schema(flight={"type": "string"}, gate={"type": "string"})


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with Served(RegistryTwin()) as registry:
        yield registry


@pytest.fixture
def client(running: Served) -> Iterator[SchemaRegistryClient]:
    running.registry.begin_again()
    with SchemaRegistryClient({"url": running.url}) as official:
        yield official


def context() -> SerializationContext:
    return SerializationContext(TOPIC, MessageField.VALUE, [])


def test_every_kind_is_kept(client: SchemaRegistryClient) -> None:
    assert sorted(client.get_schema_types()) == ["AVRO", "JSON", "PROTOBUF"]


def test_the_json_serializer_registers_and_a_reader_reads_it_back(client: SchemaRegistryClient) -> None:
    wire = JSONSerializer(V1, client)(EVENT, context())
    assert wire == b'\x00\x00\x00\x00\x01{"flight":"UA1545"}'
    assert JSONDeserializer(None, schema_registry_client=client)(wire, context()) == EVENT
    assert client.get_latest_version(SUBJECT).schema.schema_type == "JSON"


def test_json_events_may_name_their_schema_in_a_header(client: SchemaRegistryClient) -> None:
    sent = context()
    conf = {"schema.id.serializer": header_schema_id_serializer}
    assert JSONSerializer(V1, client, conf=conf)(EVENT, sent) == b'{"flight":"UA1545"}'
    assert JSONDeserializer(None, schema_registry_client=client)(b'{"flight":"UA1545"}', sent) == EVENT


def test_a_json_event_that_is_not_as_its_schema_says_is_not_sent(client: SchemaRegistryClient) -> None:
    with pytest.raises(SerializationError):
        JSONSerializer(V1, client)({"flight": 1}, context())


def test_rules_travel_with_json_schemas_too(client: SchemaRegistryClient) -> None:
    cel = pytest.importorskip(
        "confluent_kafka.schema_registry.rules.cel.cel_executor", reason="needs CEL", exc_type=ImportError
    )
    rules = RuleRegistry()
    rules.register_executor(cel.CelExecutor())
    facts = {"name": "united", "kind": "CONDITION", "mode": "WRITE", "type": "CEL"}
    united = Rule.from_dict({**facts, "expr": "message.flight.startsWith('UA')"})
    client.register_schema(SUBJECT, Schema(V1, "JSON", [], None, RuleSet([], [united])))
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    send = JSONSerializer(V1, client, conf=conf, rule_registry=rules)
    assert send(EVENT, context())[:1] == b"\x00"
    with pytest.raises(SerializationError):
        send({"flight": "B6725"}, context())


def test_what_json_schemas_may_follow_is_told(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "JSON"))
    assert client.test_compatibility(SUBJECT, Schema(V2, "JSON"))
    assert not client.test_compatibility(SUBJECT, Schema(schema(flight={"type": "integer"}), "JSON"))


def test_a_json_schema_refers_to_another(client: SchemaRegistryClient) -> None:
    client.register_schema("flight", Schema(json.dumps({"type": "string", "minLength": 3}), "JSON"))
    reference = SchemaReference("flight.json", "flight", 1)
    whole = Schema(schema(flight={"$ref": "flight.json"}), "JSON", [reference])
    schema_id = client.register_schema(SUBJECT, whole)
    client.clear_caches()
    assert client.get_schema(schema_id).references == [reference]
    assert client.get_referenced_by("flight", 1) == [schema_id]
    send = JSONSerializer(whole, client)
    assert JSONDeserializer(None, schema_registry_client=client)(send(EVENT, context()), context()) == EVENT
    with pytest.raises(SerializationError):
        send({"flight": "UA"}, context())


def test_a_protobuf_file_is_kept_and_found_with_what_it_imports(client: SchemaRegistryClient) -> None:
    client.register_schema("gate.proto", Schema(GATE, "PROTOBUF"))
    reference = SchemaReference("gate.proto", "gate.proto", 1)
    whole = Schema(DEPARTURE, "PROTOBUF", [reference])
    schema_id = client.register_schema(SUBJECT, whole)
    client.clear_caches()
    found = client.get_schema(schema_id)
    assert (found.schema_type, found.references) == ("PROTOBUF", [reference])
    assert "message Departure" in (found.schema_str or "")
    assert client.lookup_schema(SUBJECT, whole).schema_id == schema_id
    assert client.get_referenced_by("gate.proto", 1) == [schema_id]


def test_what_another_schema_refers_to_is_not_deleted(client: SchemaRegistryClient) -> None:
    client.register_schema("gate.proto", Schema(GATE, "PROTOBUF"))
    client.register_schema(
        SUBJECT, Schema(DEPARTURE, "PROTOBUF", [SchemaReference("gate.proto", "gate.proto", 1)])
    )
    with pytest.raises(SchemaRegistryError) as error:
        client.delete_subject("gate.proto")
    assert error.value.error_code == 42206


def test_no_change_of_a_protobuf_file_is_called_compatible(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(GATE, "PROTOBUF"))
    changed = Schema(GATE.replace("code = 1;", "code = 1; string area = 2;"), "PROTOBUF")
    assert client.test_compatibility(SUBJECT, Schema(GATE, "PROTOBUF"))
    assert not client.test_compatibility(SUBJECT, changed)
    with pytest.raises(SchemaRegistryError, match="CANNOT_BE_JUDGED") as error:
        client.register_schema(SUBJECT, changed)
    assert error.value.http_status_code == 409


def test_a_reserved_field_is_kept_free_in_every_kind(running: Served, client: SchemaRegistryClient) -> None:
    running.registry.send("registry.set-config", {"subject": None, "validateFields": True})
    reserving = {"properties": {"confluent:reserved": "code,flight"}}
    for kind, text in (("PROTOBUF", GATE), ("JSON", V1)):
        outcome: Any = running.registry.send(
            "registry.register", {"subject": kind, "schema": text, "schemaType": kind, "metadata": reserving}
        )
        assert outcome.status == 409
        assert "conflicts with the reserved field" in outcome.message
