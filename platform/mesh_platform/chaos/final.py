"""Final: what is left when all is quiet, read from the beginning of every partition, committed only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh_platform.chaos.history import Place

Group = tuple[str, str, int]
READ_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the final reader got it; `id` is the event's, where it has one."""

    offset: int
    key: str | None
    value: str | None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of an event: `cause` says of which, in the order in which effects were applied."""

    cause: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Sink:
    """All effects of one handler or pipeline.

    `by` says what must have one effect each: an event, however often it is on the topic, or a record.
    """

    topic: str
    by: str
    effects: Sequence[Effect]


@dataclass(frozen=True, slots=True)
class Final:
    """A committed read of each partition, each group's positions, topics, and what handlers have done."""

    records: Mapping[Place, Sequence[Record]] = field(default_factory=dict)
    commits: Mapping[Group, int] = field(default_factory=dict)
    topics: frozenset[str] = frozenset()
    sinks: Mapping[str, Sink] = field(default_factory=dict)


Reads = Callable[[Sequence[Any]], Iterable[Record]]


def plain(messages: Sequence[Any]) -> Iterable[Record]:
    """Keys and values as the texts that they are."""
    return [Record(m.offset(), _text(m.key()), _text(m.value())) for m in messages]


def read_committed(
    bootstrap: str, places: Iterable[Place], reads: Reads = plain
) -> dict[Place, list[Record]]:
    """Every committed record of the places; raises RuntimeError when an end is not reached."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition

    settings: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "group.id": "final",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "check.crcs": True,
        "log_level": 0,
    }
    consumer = Consumer(settings)
    found: dict[Place, list[Record]] = {place: [] for place in places}
    unread = set(found)
    consumer.assign([TopicPartition(*place, 0) for place in found])
    deadline = time.monotonic() + READ_SECONDS
    try:
        while unread and time.monotonic() < deadline:
            taken: dict[Place, list[Any]] = {}
            for message in consumer.consume(5000, 0.1):
                place = (message.topic(), message.partition())
                if not (error := message.error()):
                    taken.setdefault(place, []).append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(place)
                elif not error.retriable():
                    raise RuntimeError(f"{place} cannot be read: {error}")
            for place, messages in taken.items():
                found[place] += reads(messages)
    finally:
        consumer.close()
    if unread:
        raise RuntimeError(f"{sorted(unread)} cannot be read to the end")
    return found


def committed(bootstrap: str, groups: Iterable[str]) -> dict[Group, int]:
    """Where the groups stand."""
    from confluent_kafka import ConsumerGroupTopicPartitions
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    found: dict[Group, int] = {}
    for group in groups:
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        for place in asked[group].result(20).topic_partitions:
            if place.offset >= 0:
                found[group, place.topic, place.partition] = place.offset
    return found


def _text(blob: bytes | None) -> str | None:
    return blob if blob is None else blob.decode()
