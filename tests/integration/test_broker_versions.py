"""Every advertised version of every request, against a running broker."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from mesh_platform.broker.versions import ADVERTISED
from tests.unit.broker_kit import Item, Process, Raw, batch, broker, request_kind, request_of
from tests.unit.test_broker_wire import EVERY_VERSION, sample

NO_TIME = datetime.timedelta(0)
INIT_PRODUCER_ID = 22


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with broker(tmp_path_factory.mktemp("versions") / "data") as running:
        admin = AdminClient({"bootstrap.servers": running.bootstrap})
        admin.create_topics([NewTopic("t", 1, 1), NewTopic("filled", 1, 1)])["filled"].result(10)
        yield running


def item_of(kind: Any, field: str) -> Any:
    (found,) = (f.type for f in dataclasses.fields(kind) if f.name == field)
    return found.__args__[0]


def of_version(kind: Any, **values: Any) -> Any:
    """An entity with these values, as far as its version has them, and its defaults for the rest."""
    names = {f.name for f in dataclasses.fields(kind)}
    blank = {f.name: () for f in dataclasses.fields(kind) if getattr(f.type, "__origin__", None) is tuple}
    return kind(**blank | {name: value for name, value in values.items() if name in names})


@pytest.mark.parametrize(("key", "version"), EVERY_VERSION)
def test_a_request_about_things_that_are_not_there_is_answered_in_its_version(
    process: Process, key: int, version: int
) -> None:
    request = sample(request_kind(key, version))
    if hasattr(request, "transactional_id") and key == INIT_PRODUCER_ID:
        request = dataclasses.replace(request, transactional_id=None)  # or it would be there from then on
    with Raw(process.ready) as raw:
        assert raw.ask(request, correlation_id=31) is not None


@pytest.mark.parametrize("version", range(ADVERTISED[0][0], ADVERTISED[0][1] + 1))
def test_every_version_of_produce_writes(process: Process, version: int) -> None:
    kind = request_kind(0, version)
    topic = item_of(kind, "topic_data")
    part = of_version(item_of(topic, "partition_data"), index=0, records=batch())
    with Raw(process.ready) as raw:
        named = of_version(topic, name="t", topic_id=topic_id(raw, "t"), partition_data=(part,))
        answer = raw.ask(of_version(kind, acks=-1, timeout=NO_TIME, topic_data=(named,)))
    assert answer.responses[0].partition_responses[0].error_code == ErrorCode.none


@pytest.mark.parametrize("version", range(ADVERTISED[1][0], ADVERTISED[1][1] + 1))
def test_every_version_of_fetch_reads(process: Process, version: int) -> None:
    sent = batch([Item(value=b"here")])
    with Raw(process.ready) as raw:
        produce_kind = request_kind(0, 9)
        topic = item_of(produce_kind, "topic_data")
        part = item_of(topic, "partition_data")(index=0, records=sent)
        named = topic(name="filled", partition_data=(part,))
        request = of_version(produce_kind, acks=-1, timeout=NO_TIME, topic_data=(named,))
        offset = raw.ask(request).responses[0].partition_responses[0].base_offset
        answer = raw.ask(fetch_request(raw, version, offset))
    (found,) = answer.responses[0].partitions
    assert (found.error_code, found.records[16:]) == (ErrorCode.none, sent[16:])


def fetch_request(raw: Raw, version: int, offset: int) -> Any:
    kind = request_kind(1, version)
    topic = item_of(kind, "topics")
    part = of_version(
        item_of(topic, "partitions"), partition=0, fetch_offset=offset, partition_max_bytes=1 << 20
    )
    named = of_version(topic, topic="filled", topic_id=topic_id(raw, "filled"), partitions=(part,))
    return of_version(kind, max_wait=NO_TIME, min_bytes=1, topics=(named,))


def topic_id(raw: Raw, name: str) -> Any:
    return raw.ask(request_of(3, 12, {"topics": [{"name": name, "topic_id": None}]})).topics[0].topic_id


@pytest.mark.parametrize("version", range(ADVERTISED[22][0], ADVERTISED[22][1] + 1))
def test_every_version_of_init_producer_id_gives_one(process: Process, version: int) -> None:
    request = of_version(request_kind(22, version), transactional_id=None, transaction_timeout=NO_TIME)
    with Raw(process.ready) as raw:
        assert raw.ask(request).error_code == ErrorCode.none
