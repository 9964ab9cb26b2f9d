"""A member's positions on their way to the group: only what is handled, only of partitions that are ours."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from mesh.errors import MeshError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError

#: What is handled is written down so often at most: to ask and to send takes as long as a small batch does.
PAUSE_SECONDS: Final = 0.1
#: The group's word that this member may not commit, or not at present.
_NOT_OURS = frozenset(
    {"UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "REBALANCE_IN_PROGRESS", "_ASSIGNMENT_LOST"}
)


class Commits:
    """What is handled and not written down so far. A refused commit is made again, unless partitions left."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self.positions: dict[int, int] = {}
        self.refused = 0
        self._consumer = consumer
        self._topic = topic
        self._open: dict[int, int] = {}
        self._under_way = False
        self._due = 0.0

    def add(self, positions: Mapping[int, int]) -> None:
        """These are handled up to, not including, their offsets."""
        self.positions |= positions
        self._open |= positions

    def drop(self, partitions: Collection[int]) -> None:
        """These are no longer ours to commit."""
        for partition in partitions:
            self.positions.pop(partition, None)
            self._open.pop(partition, None)

    def begin(self) -> None:
        """Write down what is open without waiting; one commit at a time, the next takes what came since."""
        if not self._open or self._under_way or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + PAUSE_SECONDS
        if self._is_member():
            self._under_way = True
            self._consumer.commit(offsets=self._offsets(self._open), asynchronous=True)

    def finish(self) -> None:
        """Write down what is open, and wait for it; raises MeshError (MESH-K030) when it cannot be."""
        if not self._open or not self._is_member():
            return
        error = self._written(self._open)
        if error is not None and error.name() not in _NOT_OURS:
            raise MeshError(
                "the position could not be committed",
                code="MESH-K030",
                where=self._topic,
                why=error.str(),
                fix="subscribe again: the same events come again",
            )

    def hand_over(self, partitions: Collection[int]) -> None:
        """Write down what is open of these before another member gets them; it reads again what is not."""
        leaving = {partition: self._open[partition] for partition in partitions if partition in self._open}
        if leaving:
            self._written(leaving)

    def ended(self, error: KafkaError | None, partitions: list[Any]) -> None:
        """A commit that was begun has come to its end."""
        self._under_way = False
        self._noted(error, partitions)

    def _written(self, positions: Mapping[int, int]) -> KafkaError | None:
        from confluent_kafka import KafkaException

        try:
            found = self._consumer.commit(offsets=self._offsets(positions), asynchronous=False)
        except KafkaException as failed:
            error: KafkaError = failed.args[0]
            self._noted(error, [])
            return error
        self._noted(None, found)
        return next((one.error for one in found if one.error is not None), None)

    def _noted(self, error: KafkaError | None, partitions: list[Any]) -> None:
        if error is not None:
            self.refused += error.name() in _NOT_OURS
            return
        for one in partitions:
            if one.error is None and self._open.get(one.partition) == one.offset:
                del self._open[one.partition]

    def _is_member(self) -> bool:
        """Whether there is a membership to commit by: without one, Kafka takes positions from anybody."""
        if self._consumer.memberid():
            return True
        self.refused += 1
        return False

    def _offsets(self, positions: Mapping[int, int]) -> list[Any]:
        from confluent_kafka import TopicPartition

        return [TopicPartition(self._topic, partition, offset) for partition, offset in positions.items()]
