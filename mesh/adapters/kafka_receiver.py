"""Receivers on confluent-kafka: of a group (endless, committed) and of what is there now (bounded)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mesh.adapters.kafka_admin import TIMEOUT_SECONDS, unreachable
from mesh.errors import MeshError
from mesh.interfaces import Message

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError

Start = Literal["earliest", "latest"]
#: a bounded reading wants full batches more than it wants the first event at once
FILL_SECONDS = 0.02
#: so long after its last word a member counts as dead, and its partitions go to the others
SESSION_MS = 45_000
_COMMON: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "fetch.message.max.bytes": 4_000_000,
    "queued.max.messages.kbytes": 131_072,
    "queued.min.messages": 200_000,
    "fetch.wait.max.ms": 100,
    "log_level": 0,
}


class GroupReceiver:
    """Reads a topic as a member of a group, cooperatively; commits only what was taken before."""

    def __init__(
        self, bootstrap: str, topic: str, group: str, start: Start, session_ms: int = SESSION_MS
    ) -> None:
        from confluent_kafka import Consumer

        self._bootstrap = bootstrap
        self._down: str | None = None
        self._pending: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._topic = topic
        self._consumer: Consumer = Consumer(
            {
                **_COMMON,
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "auto.offset.reset": start,
                "session.timeout.ms": session_ms,
                "partition.assignment.strategy": "cooperative-sticky",
                "error_cb": self._told,
            }
        )
        self._consumer.subscribe([topic], on_revoke=self._revoked)

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records; raises UnreachableError when every broker is down."""
        messages = _good(_as_soon_as_some(self._consumer, most, wait_seconds, 0.0))
        if not messages and self._down is not None:
            why, self._down = self._down, None
            raise unreachable(self._bootstrap, why)
        self._down = None
        for message in messages:
            self._pending[message.partition()] = message.offset() + 1
        return messages

    def commit(self) -> None:
        """Commit what was taken so far, if anything."""
        from confluent_kafka import KafkaException, TopicPartition

        if not self._pending:
            return
        offsets = [
            TopicPartition(self._topic, partition, offset) for partition, offset in self._pending.items()
        ]
        self._pending = {}
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            cause = error.args[0]
            if cause.name() not in ("UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "REBALANCE_IN_PROGRESS"):
                raise MeshError(
                    "the position could not be committed",
                    code="MESH-K030",
                    where=self._topic,
                    why=cause.str(),
                    fix="subscribe again: the same events come again",
                ) from error

    def hold(self, positions: Mapping[int, int]) -> None:
        """Pause partitions; the group keeps its members, because the others are polled on."""
        from confluent_kafka import TopicPartition

        self._consumer.pause([TopicPartition(self._topic, partition) for partition in positions])
        self._held |= positions
        self._pending |= positions

    def release(self, partitions: Collection[int]) -> None:
        """Resume partitions at the offsets they were held at; those that moved away are not ours."""
        from confluent_kafka import TopicPartition

        for partition in partitions:
            offset = self._held.pop(partition, None)
            if offset is not None:
                self._consumer.resume([TopicPartition(self._topic, partition)])
                self._consumer.seek(TopicPartition(self._topic, partition, offset))

    def at_end(self) -> bool:
        """Never: a subscription has no end."""
        return False

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _revoked(self, _consumer: Consumer, partitions: list[Any]) -> None:
        # Partitions that moved away belong to another member: their position is no longer ours to commit.
        for partition in partitions:
            self._pending.pop(partition.partition, None)
            self._held.pop(partition.partition, None)

    def _told(self, error: KafkaError) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self._down = error.str()


class BoundedReceiver:
    """Reads every partition from its start (or its last `tail` records) to the end that stands there now."""

    def __init__(self, bootstrap: str, topic: str, tail: int | None = None) -> None:
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        self._consumer: Consumer = Consumer(
            {
                **_COMMON,
                "bootstrap.servers": bootstrap,
                "group.id": "mesh.reading",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "error_cb": lambda _error: None,
            }
        )
        try:
            metadata = self._consumer.list_topics(topic, timeout=TIMEOUT_SECONDS).topics[topic]
            if metadata.error is not None:
                raise MeshError(
                    f"the topic {topic} is not there",
                    code="MESH-K031",
                    where=topic,
                    why="the broker does not know it",
                    fix="mesh apply",
                )
            self._left: set[int] = set()
            assigned = []
            for number in metadata.partitions:
                low, high = self._consumer.get_watermark_offsets(
                    TopicPartition(topic, number), TIMEOUT_SECONDS
                )
                # Empty partitions are assigned too: whoever reads on past the end follows them all.
                first = low if tail is None else max(low, high - tail)
                assigned.append(TopicPartition(topic, number, first))
                if high > first:
                    self._left.add(number)
            self._consumer.assign(assigned)
        except KafkaException as error:
            self._consumer.close()
            raise unreachable(bootstrap, error.args[0].str()) from error

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records."""
        from confluent_kafka import KafkaError

        messages = _as_soon_as_some(self._consumer, most, wait_seconds, FILL_SECONDS)
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                self._left.discard(message.partition())
        return _good(messages)

    def commit(self) -> None:
        """Nothing: a reading leaves no trace."""

    def at_end(self) -> bool:
        """Whether the end of every partition was reached."""
        return not self._left

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def _as_soon_as_some(consumer: Consumer, most: int, wait_seconds: float, fill_seconds: float) -> list[Any]:
    """Up to `most` records once there is one: asked for many, librdkafka would wait for all of them."""
    first: list[Any] = consumer.consume(1, wait_seconds)
    return first + consumer.consume(most - 1, fill_seconds) if first and most > 1 else first


def _good(messages: list[Any]) -> list[Any]:
    """The records among what came; raises MeshError for what the broker refuses (a deleted topic, say)."""
    from confluent_kafka import KafkaError

    bad = [message for message in messages if message.error() is not None]
    if not bad:
        return messages
    for message in bad:
        error = message.error()
        if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
            raise MeshError(
                "the broker refuses this reading",
                code="MESH-K032",
                where=message.topic(),
                why=error.str(),
                fix="mesh plan",
            )
    return [message for message in messages if message.error() is None]
