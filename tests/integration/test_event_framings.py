"""Both ways to name an event's schema, each written and read by us and by the unmodified official client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from mesh.adapters.http import Http
from mesh.adapters.registry_http import HttpRegistry
from mesh.decoding import Decoder
from mesh.event import EventIds, SchemaKey
from mesh.port import OutputPort
from mesh.publishing import Publisher
from tests.integration.served_registry import Served
from tests.unit.contract_kit import contract_of
from tests.unit.contract_kit import field as prop
from tests.unit.registry_twin import RegistryTwin

PORT = OutputPort(contract_of([prop("code", required=True, primaryKey=True)]))
# The official client takes five bytes or fewer for no event, whatever the header says.
EVENTS = [{"code": f"code-{number}"} for number in range(3)]
Headers = Sequence[tuple[str, bytes | None]]


@dataclass
class Record:
    """An event on its topic, and what takes it there."""

    raw: bytes | None
    own: list[tuple[str, bytes | None]]

    def value(self) -> bytes | None:
        return self.raw

    def headers(self) -> list[tuple[str, bytes | None]]:
        return self.own


class Topic:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Headers],
        times_ms: Sequence[int],
    ) -> None:
        self.records += [Record(value, list(own)) for value, own in zip(values, headers, strict=True)]

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(RegistryTwin()) as registry:
        yield registry


@pytest.fixture
def official(served: Served) -> Iterator[SchemaRegistryClient]:
    served.registry.begin_again()
    with SchemaRegistryClient({"url": served.url}) as client:
        client.register_schema(PORT.subject, Schema(PORT.schema.text, "AVRO"))
        yield client


@pytest.fixture
def ours(served: Served) -> Iterator[HttpRegistry]:
    http = Http(served.url, "", name="schema registry")
    yield HttpRegistry(http)
    http.close()


def published(by: SchemaKey) -> list[Any]:
    topic = Topic()
    with Publisher(PORT, by, topic, EventIds(bytes(8)), lambda: datetime.now(UTC)) as publish:
        publish.many(EVENTS)
    return topic.records


def sent(official: SchemaRegistryClient, **conf: Any) -> list[Any]:
    serialize = AvroSerializer(official, PORT.schema.text, conf=conf)
    records = []
    for event in EVENTS:
        context = SerializationContext(PORT.topic, MessageField.VALUE, [])
        records.append(Record(serialize(event, context), context.headers))
    return records


def read(registry: HttpRegistry, records: list[Any]) -> list[dict[str, Any]]:
    batch, poison = Decoder(PORT, registry).decode(records)
    assert poison == []
    return batch.rows()


def test_the_official_client_reads_what_we_name_in_a_header(
    official: SchemaRegistryClient, ours: HttpRegistry
) -> None:
    records = published(ours.schema_guid(PORT.subject, PORT.schema))
    deserialize = AvroDeserializer(official)
    contexts = [SerializationContext(PORT.topic, MessageField.VALUE, one.own) for one in records]
    assert [deserialize(one.raw, context) for one, context in zip(records, contexts, strict=True)] == EVENTS


def test_we_read_what_the_official_client_names_in_a_header(
    official: SchemaRegistryClient, ours: HttpRegistry
) -> None:
    header = sent(official, **{"schema.id.serializer": header_schema_id_serializer})
    assert read(ours, header) == EVENTS


def test_both_framings_are_read_from_one_topic_in_their_order(
    official: SchemaRegistryClient, ours: HttpRegistry
) -> None:
    by_header = published(ours.schema_guid(PORT.subject, PORT.schema))
    by_prefix = published(ours.schema_id(PORT.subject, PORT.schema))
    theirs = sent(official)
    mixed = [one for three in zip(by_prefix, by_header, theirs, strict=True) for one in three]
    assert read(ours, mixed) == [event for event in EVENTS for _ in range(3)]
