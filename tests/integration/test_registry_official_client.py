"""The unmodified official client against our routes, over HTTP on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from starlette.applications import Starlette

from mesh_platform.registry.routes import routes
from tests.unit.registry_twin import ClosedGate, RegistryTwin

TOPIC = "operations.departures.v1"
SUBJECT = f"{TOPIC}-value"
V1 = '{"type": "record", "name": "operations.Departure", "fields": [{"name": "flight", "type": "string"}]}'
V2 = json.dumps(
    {
        "type": "record",
        "name": "Departure",
        "namespace": "operations",
        "fields": [
            {"name": "flight", "type": "string"},
            {"name": "gate", "type": ["null", "string"], "default": None},
        ],
    }
)
BREAKING = V1.replace('"string"', '"int"')
REFUSAL = (
    "contract operations.departures.v1 does not cover this schema; next: mesh propose operations.departures"
)


class Served:
    """A registry on a free loopback port, in a thread that ends with the test."""

    def __init__(self, registry: RegistryTwin) -> None:
        self.registry = registry
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            Starlette(routes=routes(registry)), log_level="error", lifespan="off", ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def served() -> Iterator[Served]:
    with Served(RegistryTwin()) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": served.url}) as official:
        yield official


def code_of(error: pytest.ExceptionInfo[SchemaRegistryError]) -> tuple[int, int]:
    return error.value.http_status_code, error.value.error_code


def test_a_registered_schema_is_found_by_id(client: SchemaRegistryClient) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert json.loads(client.get_schema(schema_id).schema_str)["name"] == "Departure"


def test_a_registered_schema_is_found_by_its_guid(client: SchemaRegistryClient) -> None:
    registered = client.register_schema_full_response(SUBJECT, Schema(V1, "AVRO"))
    assert (
        client.get_schema_by_guid(registered.guid).schema_str
        == client.get_schema(registered.schema_id).schema_str
    )


def test_another_spelling_of_a_schema_has_the_same_id(client: SchemaRegistryClient) -> None:
    fields = '[{"type":"string","name":"flight"}]'
    spelled = f'{{"namespace":"operations","name":"Departure","fields":{fields},"type":"record"}}'
    first = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.register_schema("other-value", Schema(spelled, "AVRO")) == first


def test_lookup_finds_the_version_of_a_schema(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.lookup_schema(SUBJECT, Schema(V2, "AVRO")).version == 2


def test_versions_and_latest_are_listed(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.get_versions(SUBJECT) == [1, 2]
    assert client.get_latest_version(SUBJECT).version == 2
    assert client.get_version(SUBJECT, 1).version == 1
    assert client.get_referenced_by(SUBJECT, 1) == []


def test_subjects_keep_slashes_and_colons_in_their_names(client: SchemaRegistryClient) -> None:
    name = "a/versions/1:%2F ü-value"
    client.register_schema(name, Schema(V1, "AVRO"))
    assert client.get_subjects() == [name]
    assert client.get_versions(name) == [1]


def test_ids_know_their_subjects_and_versions(client: SchemaRegistryClient) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema("other-value", Schema(V1, "AVRO"))
    assert client.get_subjects_by_schema_id(schema_id) == [SUBJECT, "other-value"]
    uses = [(use.subject, use.version) for use in client.get_schema_versions(schema_id)]
    assert uses == [(SUBJECT, 1), ("other-value", 1)]


def test_an_incompatible_schema_is_refused_with_the_field_named(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    with pytest.raises(SchemaRegistryError, match="flight") as error:
        client.register_schema(SUBJECT, Schema(BREAKING, "AVRO"))
    assert code_of(error) == (409, 409)


def test_compatibility_can_be_asked_without_registering(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.test_compatibility(SUBJECT, Schema(V2, "AVRO"))
    assert not client.test_compatibility(SUBJECT, Schema(BREAKING, "AVRO"))
    assert not client.test_compatibility_all_versions(SUBJECT, Schema(BREAKING, "AVRO"))
    assert client.get_versions(SUBJECT) == [1]


def test_a_subjects_compatibility_is_set_read_and_taken_back(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.get_compatibility() == "BACKWARD"
    assert client.set_compatibility(SUBJECT, "none") == {"compatibility": "NONE"}
    assert client.get_compatibility(SUBJECT) == "NONE"
    client.register_schema(SUBJECT, Schema(BREAKING, "AVRO"))
    client.delete_config(SUBJECT)
    with pytest.raises(SchemaRegistryError) as error:
        client.get_compatibility(SUBJECT)
    assert code_of(error) == (404, 40408)


def test_the_global_configuration_is_set_and_read(client: SchemaRegistryClient) -> None:
    client.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE))
    assert client.get_config().compatibility_level == "FULL_TRANSITIVE"


def test_modes_are_set_and_read_only_blocks_registration(client: SchemaRegistryClient) -> None:
    assert client.get_global_mode() == "READWRITE"
    assert client.update_mode(SUBJECT, "READONLY") == "READONLY"
    with pytest.raises(SchemaRegistryError) as error:
        client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert code_of(error) == (422, 42205)
    assert client.delete_mode(SUBJECT) == "READONLY"


def test_a_subject_lives_is_hidden_comes_back_and_dies(client: SchemaRegistryClient) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.delete_subject(SUBJECT) == [1]
    assert client.get_subjects() == []
    assert client.get_subjects(deleted=True) == [SUBJECT]
    client.clear_caches()
    assert client.get_schema(schema_id).schema_str  # consumers of old events go on
    assert client.register_schema(SUBJECT, Schema(V1, "AVRO")) == schema_id
    assert client.get_versions(SUBJECT) == [2]
    with pytest.raises(SchemaRegistryError) as error:
        client.delete_subject(SUBJECT, permanent=True)
    assert code_of(error) == (404, 40405)
    client.delete_subject(SUBJECT)
    assert client.delete_subject(SUBJECT, permanent=True) == [2]
    client.clear_caches()
    with pytest.raises(SchemaRegistryError) as error:
        client.get_schema(schema_id)
    assert code_of(error) == (404, 40403)


def test_a_version_is_deleted_softly_then_for_good(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.delete_version(SUBJECT, 1) == 1
    assert client.get_versions(SUBJECT) == [2]
    assert client.get_versions(SUBJECT, deleted=True) == [1, 2]
    with pytest.raises(SchemaRegistryError) as error:
        client.delete_version(SUBJECT, 1)
    assert code_of(error) == (404, 40406)


def test_metadata_and_rule_sets_are_kept_and_found(client: SchemaRegistryClient) -> None:
    rule = Rule(
        "gate",
        "a gate is named",
        RuleKind.CONDITION,
        RuleMode.WRITE,
        "CEL",
        [],
        RuleParams({}),
        "true",
        None,
        None,
        False,
    )
    metadata = Metadata(tags=None, properties=MetadataProperties({"owner": "ops team/1"}), sensitive=None)
    schema = Schema(V1, "AVRO", [], metadata, RuleSet([], [rule]))
    client.register_schema(SUBJECT, schema)
    latest = client.get_latest_version(SUBJECT).schema
    assert latest.metadata.properties.properties == {"owner": "ops team/1"}
    assert latest.rule_set.domain_rules[0].expr == "true"
    assert client.get_latest_with_metadata(SUBJECT, {"owner": "ops team/1"}).version == 1


def test_contexts_and_types_are_listed(client: SchemaRegistryClient) -> None:
    assert client.get_contexts() == ["."]
    assert client.get_schema_types() == ["AVRO"]


def test_another_schema_type_is_refused_and_says_so(client: SchemaRegistryClient) -> None:
    with pytest.raises(SchemaRegistryError, match="keeps AVRO") as error:
        client.register_schema(SUBJECT, Schema("{}", "JSON"))
    assert code_of(error) == (422, 42201)


def test_associations_are_answered_404_so_that_serializers_go_on(client: SchemaRegistryClient) -> None:
    with pytest.raises(SchemaRegistryError) as error:
        client.get_associations_by_resource_name(TOPIC, "-", "topic", ["value"])
    assert error.value.http_status_code == 404


def test_the_default_serializer_registers_and_a_reader_reads_it_back(client: SchemaRegistryClient) -> None:
    context = SerializationContext(TOPIC, MessageField.VALUE)
    wire = AvroSerializer(client, V2)({"flight": "UA 1545", "gate": None}, context)
    assert wire[:5] == b"\x00" + client.get_latest_version(SUBJECT).schema_id.to_bytes(4, "big")
    assert AvroDeserializer(client)(wire, context) == {"flight": "UA 1545", "gate": None}


def test_an_older_reader_schema_reads_newer_events(client: SchemaRegistryClient) -> None:
    context = SerializationContext(TOPIC, MessageField.VALUE)
    wire = AvroSerializer(client, V2)({"flight": "UA 1545", "gate": "C3"}, context)
    assert AvroDeserializer(client, V1)(wire, context) == {"flight": "UA 1545"}


def test_a_serializer_may_use_the_latest_version_instead_of_registering(client: SchemaRegistryClient) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    settings = {"auto.register.schemas": False, "use.latest.version": True}
    context = SerializationContext(TOPIC, MessageField.VALUE)
    wire = AvroSerializer(client, V1, conf=settings)({"flight": "B6 725", "gate": "4"}, context)
    assert AvroDeserializer(client)(wire, context) == {"flight": "B6 725", "gate": "4"}


def test_a_refusal_of_the_gate_reaches_the_user_word_for_word() -> None:
    registry = RegistryTwin(ClosedGate("weather.observations.v1-value", REFUSAL))
    with Served(registry) as served, SchemaRegistryClient({"url": served.url}) as client:
        with pytest.raises(SchemaRegistryError) as error:
            client.register_schema(SUBJECT, Schema(V1, "AVRO"))
        assert code_of(error) == (403, 40301)
        assert error.value.error_message == REFUSAL


def test_registering_again_writes_nothing_to_the_log(served: Served) -> None:
    for _ in range(3):
        with SchemaRegistryClient({"url": served.url}) as client:
            client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert len(served.registry.records) == 1
