"""Receiver of all partitions of a topic from a group's committed positions, without joining the group.

The quality worker is one process: there is nothing to share out, so no rebalance of one topic ever
delays another. Positions are kept past transaction markers, so a lag of 0 means that all was checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import unreachable
from mesh.errors import MeshError, UnreachableError
from mesh.interfaces import Message

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError


class AssignedReceiver:
    """Reads `partitions` partitions; raises UnreachableError, or MeshError when the broker refuses."""

    def __init__(self, bootstrap: str, topic: str, group: str, partitions: int) -> None:
        from confluent_kafka import OFFSET_STORED, Consumer, TopicPartition

        self._bootstrap = bootstrap
        self._topic = topic
        self._down: str | None = None
        self._positions: dict[int, int] = {}
        self._consumer: Consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "fetch.message.max.bytes": 4_000_000,
                "queued.max.messages.kbytes": 32_768,
                "log_level": 0,
                "error_cb": self._told,
            }
        )
        self._consumer.assign([TopicPartition(topic, p, OFFSET_STORED) for p in range(partitions)])

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records."""
        found: list[Any] = []
        for message in self._consumer.consume(most, wait_seconds):
            if self._moves_on(message):
                found.append(message)
        if not found and self._down is not None:
            why, self._down = self._down, None
            raise unreachable(self._bootstrap, why)
        return found

    def _moves_on(self, message: Any) -> bool:
        """Note the position after a record, or at an end of partition; whether it is a record."""
        error = message.error()
        if error is None:
            self._down = None
            self._positions[message.partition()] = message.offset() + 1
            return True
        if error.name() == "_PARTITION_EOF":
            self._positions[message.partition()] = message.offset()
        elif error.name() == "_ALL_BROKERS_DOWN":
            self._down = error.str()
        elif not error.retriable():
            raise MeshError(
                "the broker refuses this reading",
                code="MESH-K032",
                where=self._topic,
                why=error.str(),
                fix="mesh status",
            )
        return False

    def commit(self) -> None:
        """Everything taken so far is done with; raises UnreachableError when that cannot be written down."""
        from confluent_kafka import KafkaException, TopicPartition

        moved = {partition: offset for partition, offset in self._positions.items() if offset > 0}
        places = [TopicPartition(self._topic, partition, offset) for partition, offset in moved.items()]
        if not places:
            return
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            raise UnreachableError(
                f"the position on {self._topic} could not be committed",
                code="MESH-X003",
                where=self._bootstrap,
                why=error.args[0].str(),
                fix="mesh status",
            ) from error
        self._positions = {}

    def at_end(self) -> bool:
        """Never: the worker reads on."""
        return False

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _told(self, error: KafkaError) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self._down = error.str()
