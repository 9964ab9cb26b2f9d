"""The unmodified official clients, synchronous and asynchronous, against our routes over HTTP on loopback.

Every public method of theirs is driven here; what serializers do is in test_registry_official_serializers.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateRequest,
    AsyncSchemaRegistryClient,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError

from tests.integration.served_registry import AwaitedClient, Served
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
NAMED = Rule(
    "named",
    "a gate is named",
    RuleKind.CONDITION,
    RuleMode.WRITE,
    "CEL",
    None,
    None,
    "true",
    None,
    None,
    False,
)
REFUSAL = (
    "contract operations.departures.v1 does not cover this schema; next: mesh propose operations.departures"
)


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with Served(RegistryTwin()) as registry:
        yield registry


@pytest.fixture
def served(running: Served) -> Served:
    running.registry.begin_again()
    return running


@pytest.fixture(params=[SchemaRegistryClient, AwaitedClient], ids=["sync", "async"])
def client(served: Served, request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param({"url": served.url}) as official:
        yield official


def code_of(error: pytest.ExceptionInfo[SchemaRegistryError]) -> tuple[int, int]:
    return error.value.http_status_code, error.value.error_code


def test_a_registered_schema_is_found_by_id(client: Any) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert json.loads(client.get_schema(schema_id).schema_str)["name"] == "Departure"


def test_a_registered_schema_is_found_by_its_guid(client: Any) -> None:
    registered = client.register_schema_full_response(SUBJECT, Schema(V1, "AVRO"))
    assert (
        client.get_schema_by_guid(registered.guid).schema_str
        == client.get_schema(registered.schema_id).schema_str
    )


def test_another_spelling_of_a_schema_has_the_same_id(client: Any) -> None:
    fields = '[{"type":"string","name":"flight"}]'
    spelled = f'{{"namespace":"operations","name":"Departure","fields":{fields},"type":"record"}}'
    first = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.register_schema("other-value", Schema(spelled, "AVRO")) == first


def test_lookup_finds_the_version_of_a_schema(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.lookup_schema(SUBJECT, Schema(V2, "AVRO")).version == 2


def test_versions_and_latest_are_listed(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.get_versions(SUBJECT) == [1, 2]
    assert client.get_latest_version(SUBJECT).version == 2
    assert client.get_version(SUBJECT, 1).version == 1
    assert client.get_referenced_by(SUBJECT, 1) == []


def test_subjects_keep_slashes_and_colons_in_their_names(client: Any) -> None:
    name = "a/versions/1:%2F ü-value"
    client.register_schema(name, Schema(V1, "AVRO"))
    assert client.get_subjects() == [name]
    assert client.get_versions(name) == [1]


def test_ids_know_their_subjects_and_versions(client: Any) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema("other-value", Schema(V1, "AVRO"))
    assert client.get_subjects_by_schema_id(schema_id) == [SUBJECT, "other-value"]
    uses = [(use.subject, use.version) for use in client.get_schema_versions(schema_id)]
    assert uses == [(SUBJECT, 1), ("other-value", 1)]


def test_an_incompatible_schema_is_refused_with_the_field_named(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    with pytest.raises(SchemaRegistryError, match="flight") as error:
        client.register_schema(SUBJECT, Schema(BREAKING, "AVRO"))
    assert code_of(error) == (409, 409)


def test_compatibility_can_be_asked_without_registering(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.test_compatibility(SUBJECT, Schema(V2, "AVRO"))
    assert not client.test_compatibility(SUBJECT, Schema(BREAKING, "AVRO"))
    assert not client.test_compatibility_all_versions(SUBJECT, Schema(BREAKING, "AVRO"))
    assert client.get_versions(SUBJECT) == [1]


def test_a_subjects_compatibility_is_set_read_and_taken_back(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert client.get_compatibility() == "BACKWARD"
    assert client.set_compatibility(SUBJECT, "none") == {"compatibility": "NONE"}
    assert client.get_compatibility(SUBJECT) == "NONE"
    client.register_schema(SUBJECT, Schema(BREAKING, "AVRO"))
    client.delete_config(SUBJECT)
    with pytest.raises(SchemaRegistryError) as error:
        client.get_compatibility(SUBJECT)
    assert code_of(error) == (404, 40408)


def test_the_global_configuration_is_set_and_read(client: Any) -> None:
    client.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE))
    assert client.get_config().compatibility_level == "FULL_TRANSITIVE"


def test_modes_are_set_and_read_only_blocks_registration(client: Any) -> None:
    assert client.get_global_mode() == "READWRITE"
    assert client.update_mode(SUBJECT, "READONLY") == "READONLY"
    with pytest.raises(SchemaRegistryError) as error:
        client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert code_of(error) == (422, 42205)
    assert client.delete_mode(SUBJECT) == "READONLY"


def test_a_subject_lives_is_hidden_comes_back_and_dies(client: Any) -> None:
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


def test_a_version_is_deleted_softly_then_for_good(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert client.delete_version(SUBJECT, 1) == 1
    assert client.get_versions(SUBJECT) == [2]
    assert client.get_versions(SUBJECT, deleted=True) == [1, 2]
    with pytest.raises(SchemaRegistryError) as error:
        client.delete_version(SUBJECT, 1)
    assert code_of(error) == (404, 40406)


def test_metadata_and_rule_sets_are_kept_and_found(client: Any) -> None:
    metadata = Metadata(tags=None, properties=MetadataProperties({"owner": "ops team/1"}), sensitive=None)
    schema = Schema(V1, "AVRO", [], metadata, RuleSet([], [NAMED]))
    client.register_schema(SUBJECT, schema)
    latest = client.get_latest_version(SUBJECT).schema
    assert latest.metadata.properties.properties == {"owner": "ops team/1"}
    assert latest.rule_set.domain_rules[0].expr == "true"
    assert client.get_latest_with_metadata(SUBJECT, {"owner": "ops team/1"}).version == 1


def test_contexts_and_types_are_listed(client: Any) -> None:
    assert client.get_contexts() == ["."]
    assert client.get_schema_types() == ["JSON", "PROTOBUF", "AVRO"]


def test_another_schema_type_is_refused_and_says_so(client: Any) -> None:
    with pytest.raises(SchemaRegistryError, match="keeps JSON, PROTOBUF, AVRO") as error:
        client.register_schema(SUBJECT, Schema("<a/>", "XML"))
    assert code_of(error) == (422, 42201)


def test_associations_are_answered_404_so_that_serializers_go_on(client: Any) -> None:
    wanted = [
        lambda: client.get_associations_by_resource_name(TOPIC, "-", "topic", ["value"]),
        lambda: client.create_association(AssociationCreateOrUpdateRequest(resource_name=TOPIC)),
        lambda: client.delete_associations(TOPIC, "topic", ["value"]),
    ]
    for ask in wanted:
        with pytest.raises(SchemaRegistryError) as error:
            ask()
        assert error.value.http_status_code == 404


def test_every_field_of_the_configuration_comes_back(client: Any) -> None:
    wanted = ServerConfig(
        compatibility=ConfigCompatibilityLevel.FULL,
        compatibility_group="major",
        default_metadata=Metadata(None, MetadataProperties({"owner": "ops"}), None),
        override_metadata=Metadata(MetadataTags({"flight": ["PII"]}), None, ["owner"]),
        default_rule_set=RuleSet([], [NAMED]),
        override_rule_set=RuleSet([Rule.from_dict({**NAMED.to_dict(), "name": "up", "mode": "UPGRADE"})], []),
    )
    answer = client.set_config(SUBJECT, wanted)
    assert answer["overrideMetadata"] == {"tags": {"flight": ["PII"]}, "sensitive": ["owner"]}
    found = client.get_config(SUBJECT)
    assert found.compatibility_level == "FULL"
    assert found.compatibility_group == "major"
    assert found.default_metadata.properties.properties == {"owner": "ops"}
    assert found.override_metadata.tags.tags == {"flight": ["PII"]}
    assert found.default_rule_set.domain_rules == [NAMED]
    assert found.override_rule_set.migration_rules[0].name == "up"
    assert client.delete_config(SUBJECT) == found


def test_the_defaults_of_a_subject_reach_whoever_reads_its_schema(client: Any) -> None:
    client.set_config(SUBJECT, ServerConfig(default_rule_set=RuleSet([], [NAMED])))
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.clear_latest_caches()
    client.clear_caches()
    assert client.get_schema(schema_id, SUBJECT).rule_set.domain_rules == [NAMED]
    assert client.get_latest_version(SUBJECT).schema.rule_set.domain_rules == [NAMED]


def test_a_rule_set_is_looked_up_as_it_was_registered(client: Any) -> None:
    schema = Schema(
        V1, "AVRO", [], Metadata(None, MetadataProperties({"a": "1"}), None), RuleSet([], [NAMED])
    )
    schema_id = client.register_schema(SUBJECT, schema)
    client.clear_caches()
    assert client.lookup_schema(SUBJECT, schema).schema_id == schema_id
    assert client.register_schema(SUBJECT, schema) == schema_id


def test_a_rule_set_that_no_client_could_run_is_refused(client: Any) -> None:
    wrong = Rule.from_dict({**NAMED.to_dict(), "name": "two words"})
    with pytest.raises(SchemaRegistryError, match="two words") as error:
        client.register_schema(SUBJECT, Schema(V1, "AVRO", [], None, RuleSet([], [wrong])))
    assert code_of(error) == (422, 42210)


def test_the_registrys_mode_is_set_and_taken_as_that_of_its_subjects(client: Any) -> None:
    assert client.update_global_mode("READONLY") == "READONLY"
    assert client.get_global_mode() == "READONLY"
    with pytest.raises(SchemaRegistryError) as error:
        client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert code_of(error) == (422, 42205)
    with pytest.raises(SchemaRegistryError) as error:
        client.get_mode(SUBJECT)
    assert code_of(error) == (404, 40409)


def test_importing_beside_schemas_takes_force(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    with pytest.raises(SchemaRegistryError) as error:
        client.update_mode(SUBJECT, "IMPORT")
    assert code_of(error) == (422, 42205)
    assert client.update_mode(SUBJECT, "IMPORT", force=True) == "IMPORT"


def test_a_subject_of_another_context_has_ids_of_its_own(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    elsewhere = f":.eu:{SUBJECT}"
    schema_id = client.register_schema(elsewhere, Schema(V2, "AVRO"))
    assert schema_id == 1
    assert client.get_contexts() == [".", ".eu"]
    assert client.get_contexts(offset=1, limit=1) == [".eu"]
    assert client.get_subjects(subject_prefix=":.eu:") == [elsewhere]
    client.clear_caches()
    assert json.loads(client.get_schema(schema_id, elsewhere).schema_str)["fields"][1]["name"] == "gate"


def test_lists_are_paged(client: Any) -> None:
    for name in "cab":
        client.register_schema(name, Schema(V1, "AVRO"))
        client.register_schema(name, Schema(V2, "AVRO"))
    assert client.get_subjects(offset=1, limit=1) == ["b"]
    assert client.get_versions("a", offset=1, limit=5) == [2]
    assert client.get_subjects_by_schema_id(1, offset=2) == ["c"]
    assert [use.subject for use in client.get_schema_versions(2, limit=2)] == ["a", "b"]
    assert client.get_subjects_by_schema_id(1, subject_name="b") == ["b"]


def test_deleted_versions_are_listed_when_asked_for(client: Any) -> None:
    schema_id = client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    client.delete_version(SUBJECT, 1)
    assert client.get_versions(SUBJECT, deleted_only=True) == [1]
    assert client.get_subjects_by_schema_id(schema_id) == []
    assert client.get_subjects_by_schema_id(schema_id, deleted=True) == [SUBJECT]
    assert client.get_version(SUBJECT, 1, deleted=True).schema_id == schema_id
    client.clear_caches()
    assert client.lookup_schema(SUBJECT, Schema(V1, "AVRO"), deleted=True).version == 1
    assert client.delete_version(SUBJECT, 1, permanent=True) == 1


def test_spellings_are_one_schema_when_the_client_normalises(client: Any) -> None:
    first = client.register_schema(SUBJECT, Schema(V1, "AVRO"), normalize_schemas=True)
    spelled = V1.replace('"string"', '{"type": "string"}')
    client.clear_caches()
    assert client.register_schema(SUBJECT, Schema(spelled, "AVRO"), normalize_schemas=True) == first
    assert client.lookup_schema(SUBJECT, Schema(spelled, "AVRO"), normalize_schemas=True).version == 1


def test_what_is_tested_verbosely_is_answered_in_the_same_way(client: Any) -> None:
    client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    assert not client.test_compatibility(SUBJECT, Schema(BREAKING, "AVRO"), version=1, verbose=True)
    assert client.test_compatibility("nobody", Schema(BREAKING, "AVRO"), verbose=True)
    with pytest.raises(SchemaRegistryError) as error:
        client.test_compatibility("nobody", Schema(BREAKING, "AVRO"), version=3)
    assert code_of(error) == (404, 40402)


def test_a_client_is_made_from_its_settings_and_closed(served: Served) -> None:
    conf = {"url": served.url}
    client = SchemaRegistryClient.new_client(conf)
    assert client.config() == conf
    client.close()


def test_every_public_method_of_the_clients_is_driven_here() -> None:
    driven = set(re.findall(r"\b(?:client|SchemaRegistryClient)\.(\w+)\(", Path(__file__).read_text()))
    for kind in (SchemaRegistryClient, AsyncSchemaRegistryClient):
        methods = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}
        assert methods - {"aclose"} <= driven


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
