"""What a place on a topic comes to: offsets by partition, asked of the broker."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.errors import MeshError
from mesh.positions import Place, milliseconds

if TYPE_CHECKING:
    from confluent_kafka import Consumer, TopicPartition


class Places:
    """Places on one topic, by a consumer's connection. Raises UnreachableError."""

    def __init__(self, consumer: Consumer, bootstrap: str, topic: str) -> None:
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._topic = topic

    def partitions(self) -> tuple[int, ...]:
        """All partitions; raises MeshError (MESH-K031) for a topic that is not there."""
        with self._answering():
            metadata = self._consumer.list_topics(self._topic, timeout=TIMEOUT_SECONDS).topics[self._topic]
        if metadata.error is not None:
            raise MeshError(
                f"the topic {self._topic} is not there",
                code="MESH-K031",
                where=self._topic,
                why="the broker does not know it",
                fix="mesh apply",
            )
        return tuple(sorted(metadata.partitions))

    def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset that is there, and the one that the next event will have."""
        from confluent_kafka import TopicPartition

        with self._answering():
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), TIMEOUT_SECONDS
            )
        return low, high

    def offsets(self, place: Place, partitions: Collection[int]) -> dict[int, int]:
        """Where a place is on each of these partitions; offsets that were named are taken at their word."""
        bounds = {partition: self.bounds(partition) for partition in partitions}
        if place == "earliest":
            return {partition: low for partition, (low, _) in bounds.items()}
        if place == "latest":
            return {partition: high for partition, (_, high) in bounds.items()}
        if isinstance(place, datetime):
            return self._at(place, bounds)
        assert not isinstance(place, str)
        return {partition: place.get(partition, low) for partition, (low, _) in bounds.items()}

    def committed(self, partitions: Collection[int]) -> dict[int, int]:
        """The position of the consumer's group on those of these partitions where it has one."""
        from confluent_kafka import TopicPartition

        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        with self._answering():
            found = _answered(self._consumer.committed(asked, TIMEOUT_SECONDS) if asked else [])
        return {f.partition: f.offset for f in found if f.offset >= 0}

    def _at(self, time: datetime, bounds: dict[int, tuple[int, int]]) -> dict[int, int]:
        from confluent_kafka import TopicPartition

        asked = [TopicPartition(self._topic, partition, milliseconds(time)) for partition in bounds]
        with self._answering():
            found = _answered(self._consumer.offsets_for_times(asked, TIMEOUT_SECONDS) if asked else [])
        # Nothing so late is there: the end, from where such an event will come.
        return {f.partition: f.offset if f.offset >= 0 else bounds[f.partition][1] for f in found}

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from confluent_kafka import KafkaException

        try:
            yield
        except KafkaException as error:
            raise unreachable(self._bootstrap, error.args[0].str()) from error


def _answered(found: list[TopicPartition]) -> list[TopicPartition]:
    """What was found, unless there is no answer for one of them: that is not to be taken for no offset."""
    from confluent_kafka import KafkaException

    refused = [one.error for one in found if one.error is not None]
    if refused:
        raise KafkaException(refused[0])
    return found
