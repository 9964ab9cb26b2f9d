"""The unmodified official serializers against our routes: framings, subjects, and the rules that travel.

Each fact is shown for the synchronous and for the asynchronous client.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    Metadata,
    MetadataProperties,
    Rule,
    RuleSet,
    Schema,
    SchemaRegistryClient,
    ServerConfig,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
)
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.serde import RuleConditionError, RuleContext, RuleExecutor
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

from tests.integration.served_registry import AwaitedClient, Served
from tests.unit.registry_kit import record
from tests.unit.registry_twin import RegistryTwin

cel = pytest.importorskip(
    "confluent_kafka.schema_registry.rules.cel.cel_executor",
    reason="the official client's CEL needs protobuf and googleapis-common-protos",
    exc_type=ImportError,
)
cel_field = pytest.importorskip("confluent_kafka.schema_registry.rules.cel.cel_field_executor")

TOPIC = "operations.departures.v1"
SUBJECT = f"{TOPIC}-value"
V1, V2 = record("flight"), record("flight", "gate")
EVENT = {"flight": "UA1545", "gate": "C3"}
HEADERS = {"schema.id.serializer": header_schema_id_serializer}
LATEST = {"auto.register.schemas": False, "use.latest.version": True}


class Codecs:
    """Serializers and deserializers of one official client, with its CEL executors."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._rules = RuleRegistry()
        self._rules.register_executor(cel.CelExecutor())
        self._rules.register_executor(cel_field.CelFieldExecutor())
        self._rules.register_executor(Moved())

    def serializer(self, schema: str | None = V2, **conf: Any) -> Any:
        return AvroSerializer(self.client, schema, conf=conf, rule_registry=self._rules)

    def deserializer(self, reader: str | None = None, **conf: Any) -> Any:
        return AvroDeserializer(self.client, reader, conf=conf, rule_registry=self._rules)


class Moved(RuleExecutor):
    """Renames a field as a migration rule's expression says, `old new`."""

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:
        pass

    def type(self) -> str:
        return "MOVED"

    def transform(self, ctx: RuleContext, message: Any) -> Any:
        old, new = (ctx.rule.expr or "").split()
        return {new if name == old else name: value for name, value in message.items()}

    def close(self) -> None:
        pass


class AwaitedCodecs(Codecs):
    """The same of the asynchronous client."""

    def serializer(self, schema: str | None = V2, **conf: Any) -> Any:
        return self.client.beside(
            AsyncAvroSerializer(self.client.inner, schema, conf=conf, rule_registry=self._rules)
        )

    def deserializer(self, reader: str | None = None, **conf: Any) -> Any:
        return self.client.beside(
            AsyncAvroDeserializer(self.client.inner, reader, conf=conf, rule_registry=self._rules)
        )


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with Served(RegistryTwin()) as registry:
        yield registry


@pytest.fixture(params=[Codecs, AwaitedCodecs], ids=["sync", "async"])
def codecs(running: Served, request: pytest.FixtureRequest) -> Iterator[Codecs]:
    running.registry.begin_again()
    made: Any = SchemaRegistryClient if request.param is Codecs else AwaitedClient
    with made({"url": running.url}) as client:
        yield request.param(client)


def context(field: str = MessageField.VALUE) -> SerializationContext:
    return SerializationContext(TOPIC, field, [])


def rule(expr: str, **more: Any) -> Rule:
    facts = {"name": "named", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": expr, **more}
    return Rule.from_dict(facts)


def ruled(codecs: Codecs, *rules: Rule) -> None:
    """Register V2 with domain rules."""
    codecs.client.register_schema(SUBJECT, Schema(V2, "AVRO", [], None, RuleSet([], list(rules))))


# Framing


def test_an_event_begins_with_the_id_of_its_schema(codecs: Codecs) -> None:
    wire = codecs.serializer()(EVENT, context())
    assert wire[:5] == b"\x00" + codecs.client.get_latest_version(SUBJECT).schema_id.to_bytes(4, "big")
    assert codecs.deserializer()(wire, context()) == EVENT


def test_a_header_may_name_the_schema_by_its_guid(codecs: Codecs) -> None:
    sent = context()
    wire = codecs.serializer(**HEADERS)(EVENT, sent)
    guid = codecs.client.get_latest_version(SUBJECT).guid
    assert sent.headers == [("__value_schema_id", b"\x01" + uuid.UUID(guid).bytes)]
    assert wire[:1] != b"\x00"
    assert codecs.deserializer()(wire, sent) == EVENT


def test_a_reader_that_has_seen_nothing_finds_the_schema_by_guid_alone(
    codecs: Codecs, running: Served
) -> None:
    sent = context()
    wire = codecs.serializer(**HEADERS)(EVENT, sent)
    with SchemaRegistryClient({"url": running.url}) as cold:
        assert AvroDeserializer(cold)(wire, sent) == EVENT


def test_a_reader_may_insist_on_the_prefix(codecs: Codecs) -> None:
    wire = codecs.serializer()(EVENT, context())
    reader = codecs.deserializer(**{"schema.id.deserializer": prefix_schema_id_deserializer})
    assert reader(wire, context()) == EVENT


def test_keys_have_subjects_and_headers_of_their_own(codecs: Codecs) -> None:
    sent = context(MessageField.KEY)
    wire = codecs.serializer(V1, **HEADERS)({"flight": "UA1545"}, sent)
    assert [name for name, _ in sent.headers] == ["__key_schema_id"]
    assert codecs.client.get_subjects() == [f"{TOPIC}-key"]
    assert codecs.deserializer()(wire, sent) == {"flight": "UA1545"}


def test_no_event_is_no_schema(codecs: Codecs) -> None:
    assert codecs.serializer()(None, context()) is None
    assert codecs.client.get_subjects() == []


# Schemas and subjects


def test_an_older_reader_reads_newer_events(codecs: Codecs) -> None:
    wire = codecs.serializer()(EVENT, context())
    assert codecs.deserializer(V1)(wire, context()) == {"flight": "UA1545"}


def test_a_newer_reader_reads_older_events(codecs: Codecs) -> None:
    wire = codecs.serializer(V1)({"flight": "UA1545"}, context())
    assert codecs.deserializer(V2)(wire, context()) == {"flight": "UA1545", "gate": None}


def test_events_stay_readable_when_their_schema_is_softly_deleted(codecs: Codecs) -> None:
    wire = codecs.serializer()(EVENT, context())
    codecs.client.delete_subject(SUBJECT)
    codecs.client.clear_caches()
    assert codecs.deserializer()(wire, context()) == EVENT


def test_a_serializer_may_use_the_latest_version(codecs: Codecs) -> None:
    codecs.client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    codecs.client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    assert codecs.serializer(V1, **LATEST)(EVENT, context())[:5] == b"\x00\x00\x00\x00\x02"


def test_a_serializer_may_use_the_latest_version_with_some_metadata(codecs: Codecs) -> None:
    for major, text in (("1", V1), ("2", V2)):
        metadata = Metadata(None, MetadataProperties({"major": major}), None)
        codecs.client.register_schema(SUBJECT, Schema(text, "AVRO", [], metadata))
    chosen = {"auto.register.schemas": False, "use.latest.with.metadata": {"major": "1"}}
    assert codecs.serializer(V1, **chosen)({"flight": "a"}, context())[:5] == b"\x00\x00\x00\x00\x01"


def test_a_serializer_may_use_the_schema_of_an_id(codecs: Codecs) -> None:
    schema_id = codecs.client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    chosen = {"auto.register.schemas": False, "use.schema.id": schema_id}
    assert codecs.serializer(V1, **chosen)({"flight": "a"}, context())[4] == schema_id


def test_a_serializer_that_may_not_register_looks_its_schema_up(codecs: Codecs) -> None:
    schema_id = codecs.client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    only = {"auto.register.schemas": False}
    assert codecs.serializer(V1, **only)({"flight": "a"}, context())[4] == schema_id
    with pytest.raises(SchemaRegistryError) as error:
        codecs.serializer(V2, **only)(EVENT, context())
    assert error.value.error_code == 40403


def test_a_serializer_is_told_that_its_schema_is_incompatible(codecs: Codecs) -> None:
    codecs.client.register_schema(SUBJECT, Schema(V1, "AVRO"))
    breaking = json.loads(V1) | {"fields": [{"name": "flight", "type": "int"}]}
    with pytest.raises(SchemaRegistryError, match="TYPE_MISMATCH") as error:
        codecs.serializer(json.dumps(breaking))({"flight": 1}, context())
    assert error.value.http_status_code == 409


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [
        ("TOPIC", SUBJECT),
        ("RECORD", "operations.Departure"),
        ("TOPIC_RECORD", f"{TOPIC}-operations.Departure"),
        ("ASSOCIATED", SUBJECT),
    ],
)
def test_a_subject_is_named_as_the_strategy_says(codecs: Codecs, strategy: str, subject: str) -> None:
    conf = {"subject.name.strategy.type": strategy}
    wire = codecs.serializer(**conf)(EVENT, context())
    assert codecs.client.get_subjects() == [subject]
    assert codecs.deserializer(**conf)(wire, context()) == EVENT


def test_a_serializer_registers_under_the_subject_of_an_alias(codecs: Codecs, running: Served) -> None:
    running.registry.send("registry.set-config", {"subject": SUBJECT, "alias": "departures"})
    wire = codecs.serializer()(EVENT, context())
    assert codecs.client.get_subjects() == ["departures"]
    assert codecs.deserializer()(wire, context()) == EVENT


# Rules


def test_a_rule_keeps_a_bad_event_from_being_sent(codecs: Codecs) -> None:
    ruled(codecs, rule("message.flight.startsWith('UA')"))
    send = codecs.serializer(**LATEST)
    assert codecs.deserializer()(send(EVENT, context()), context()) == EVENT
    with pytest.raises(SerializationError) as caught:
        send({"flight": "B6725", "gate": None}, context())
    assert isinstance(caught.value.__cause__, RuleConditionError)


def test_a_rule_goes_with_events_that_name_their_schema_in_a_header(codecs: Codecs) -> None:
    ruled(codecs, rule("message.flight.startsWith('UA')", mode="READ"))
    sent = context()
    wire = codecs.serializer(**LATEST, **HEADERS)({"flight": "B6725", "gate": None}, sent)
    with pytest.raises(SerializationError) as caught:
        codecs.deserializer()(wire, sent)
    assert isinstance(caught.value.__cause__, RuleConditionError)


def test_a_rule_of_two_actions_refuses_where_it_says_so(codecs: Codecs) -> None:
    ruled(codecs, rule("message.flight.startsWith('UA')", mode="WRITEREAD", onFailure="NONE,ERROR"))
    wire = codecs.serializer(**LATEST)({"flight": "B6725", "gate": None}, context())
    with pytest.raises(SerializationError):
        codecs.deserializer()(wire, context())


def test_a_disabled_rule_is_not_run(codecs: Codecs) -> None:
    ruled(codecs, rule("false", disabled=True))
    assert codecs.serializer(**LATEST)(EVENT, context())[:1] == b"\x00"


def test_a_rule_changes_the_fields_that_the_schema_tags(codecs: Codecs) -> None:
    tagged = json.loads(V2)
    tagged["fields"][1]["confluent:tags"] = ["PRIVATE"]
    hide = rule(
        "typeName == 'STRING' ; '***'", name="hide", kind="TRANSFORM", type="CEL_FIELD", tags=["PRIVATE"]
    )
    codecs.client.register_schema(SUBJECT, Schema(json.dumps(tagged), "AVRO", [], None, RuleSet([], [hide])))
    wire = codecs.serializer(**LATEST)(dict(EVENT), context())
    assert codecs.deserializer()(wire, context()) == {"flight": "UA1545", "gate": "***"}


def test_rules_of_the_configuration_are_run_by_clients(codecs: Codecs) -> None:
    codecs.client.set_config(config=ServerConfig(default_rule_set=RuleSet([], [rule("message.gate != ''")])))
    codecs.client.register_schema(SUBJECT, Schema(V2, "AVRO"))
    with pytest.raises(SerializationError) as caught:
        codecs.serializer(**LATEST)({"flight": "UA1545", "gate": ""}, context())
    assert isinstance(caught.value.__cause__, RuleConditionError)


def test_an_override_of_the_configuration_disarms_a_rule(codecs: Codecs) -> None:
    off = RuleSet([], [rule("false", disabled=True)])
    codecs.client.set_config(SUBJECT, ServerConfig(override_rule_set=off))
    ruled(codecs, rule("false"))
    assert codecs.serializer(**LATEST)(EVENT, context())[:1] == b"\x00"


@pytest.mark.parametrize(
    ("writes", "reads", "event"), [("1", "2", {"door": "C3"}), ("2", "1", {"gate": "C3"})]
)
def test_a_reader_of_another_major_version_migrates_what_it_reads(
    codecs: Codecs, writes: str, reads: str, event: dict[str, str]
) -> None:
    names = {"1": "gate", "2": "door"}
    codecs.client.set_config(SUBJECT, ServerConfig(compatibility_group="major"))
    moves = [
        rule(expr, name=name, kind="TRANSFORM", type="MOVED", mode=name)
        for name, expr in (("UPGRADE", "gate door"), ("DOWNGRADE", "door gate"))
    ]
    for major, name in names.items():
        metadata = Metadata(None, MetadataProperties({"major": major}), None)
        rules = RuleSet(moves if major == "2" else [], [])
        codecs.client.register_schema(SUBJECT, Schema(record(name), "AVRO", [], metadata, rules))
    conf = {"auto.register.schemas": False, "use.latest.with.metadata": {"major": writes}}
    wire = codecs.serializer(None, **conf)({names[writes]: "C3"}, context())
    reader = codecs.deserializer(**{"use.latest.with.metadata": {"major": reads}})
    assert reader(wire, context()) == event


def test_the_asynchronous_client_is_the_official_one() -> None:
    with AwaitedClient({"url": "http://127.0.0.1:1"}) as client:
        assert isinstance(client.inner, AsyncSchemaRegistryClient)
