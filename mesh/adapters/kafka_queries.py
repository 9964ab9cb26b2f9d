"""Topics as queries read them: bounds asked for once, then read between them as often as needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from mesh.adapters.kafka_places import Places
from mesh.adapters.kafka_reading import BoundedReceiver
from mesh.adapters.kafka_taking import CONSUMER
from mesh.positions import Span

Bounds = Mapping[int, tuple[int, int]]
#: Publishers' clocks differ, so events do not stand in the order of their times: how far beyond the last
#: wanted time is read. What is read beyond it is left out again by the query's own condition.
_SLACK: Final = timedelta(minutes=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC) - 2 * _SLACK


class RetainedTopic:
    """One topic by its broker. Raises UnreachableError, and MeshError (MESH-K031) where it is not there."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic

    def bounds(self, since: int | None, until: int | None) -> Bounds:
        """By partition, the offsets between which events of two times stand; times in milliseconds."""
        from confluent_kafka import Consumer

        consumer = Consumer(
            {
                **CONSUMER,
                "bootstrap.servers": self._bootstrap,
                "group.id": "mesh.reading",
                "error_cb": lambda _error: None,
            }
        )
        try:
            places = Places(consumer, self._bootstrap, self._topic)
            partitions = places.partitions()
            firsts = places.offsets("earliest" if since is None else _time(since), partitions)
            if until is None:
                ends = places.offsets("latest", partitions)
            else:
                ends = places.offsets(min(_time(until), _LAST) + _SLACK, partitions)
        finally:
            consumer.close()
        return {partition: (firsts[partition], ends[partition]) for partition in partitions}

    def receiver(self, bounds: Bounds) -> BoundedReceiver:
        """Reads between these bounds; partitions that they leave out are not read."""
        span = Span(
            {p: first for p, (first, _) in bounds.items()}, {p: end for p, (_, end) in bounds.items()}
        )
        return BoundedReceiver(self._bootstrap, self._topic, None, span)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)
