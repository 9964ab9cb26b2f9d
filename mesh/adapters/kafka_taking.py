"""Taking records from a consumer, as every receiver does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh.errors import MeshError

if TYPE_CHECKING:
    from confluent_kafka import Consumer

#: what all consumers of the mesh have in common; nobody outside sets these
CONSUMER: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    # Fetched ahead: enough that nobody waits, little enough that memory stands still; asked again at once.
    "queued.max.messages.kbytes": 65_536,
    "queued.min.messages": 100_000,
    "fetch.queue.backoff.ms": 20,
    "fetch.wait.max.ms": 100,
    "log_level": 0,
}
#: and what those have that share a topic's partitions
MEMBER: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    # Where there is no position, librdkafka says so, and we decide: it would skip in silence.
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    # A member learns of a rebalance by its heartbeat: a partition that moves waits for this.
    "heartbeat.interval.ms": 1_000,
}


def as_soon_as_some(consumer: Consumer, most: int, wait_seconds: float, fill_seconds: float) -> list[Any]:
    """Up to `most` records once there is one: asked for many, librdkafka would wait for all of them.

    After the word that a partition has ended, or an error, nothing more is waited for.
    """
    first: list[Any] = consumer.consume(1, wait_seconds)
    if not first or most == 1:
        return first
    rest: list[Any] = consumer.consume(most - 1, fill_seconds if first[0].error() is None else 0.0)
    return first + rest


def apart(messages: list[Any]) -> tuple[list[Any], list[Any]]:
    """The records, and the errors that came in their place."""
    bad = [message for message in messages if message.error() is not None]
    return ([message for message in messages if message.error() is None], bad) if bad else (messages, bad)


def require_readable(errors: list[Any]) -> None:
    """Raise MeshError for what the broker refuses (a deleted topic, say); an end is no refusal."""
    for message in errors:
        if not is_end(message) and not message.error().retriable():
            raise MeshError(
                "the broker refuses this reading",
                code="MESH-K032",
                where=message.topic(),
                why=message.error().str(),
                fix="mesh plan",
            )


def is_end(message: Any) -> bool:
    """Whether an error is only the word that a partition has no more records at present."""
    return bool(message.error().name() == "_PARTITION_EOF")


def is_without_place(message: Any) -> bool:
    """Whether an error says that the group has no position there, or that what it points to is gone."""
    return bool(message.error().name() == "_AUTO_OFFSET_RESET")


def last_offsets(messages: Sequence[Any]) -> dict[int, int]:
    """By partition, the offset of its last record."""
    lasts = {message.partition(): message for message in messages}
    return {partition: message.offset() for partition, message in lasts.items()}
