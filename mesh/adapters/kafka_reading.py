"""Receiver of a part of a topic, once: without a group, and without leaving a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_places import Places
from mesh.adapters.kafka_taking import (
    CONSUMER,
    apart,
    as_soon_as_some,
    is_end,
    last_offsets,
    require_readable,
)
from mesh.errors import MeshError
from mesh.interfaces import Message
from mesh.positions import EVERYTHING, Gap, Span

if TYPE_CHECKING:
    from confluent_kafka import Consumer

#: a bounded reading wants full batches more than it wants the first event at once
FILL_SECONDS = 0.02


class BoundedReceiver:
    """Reads a span of every partition (or the last `tail` records of it) to the end that stands there now."""

    def __init__(self, bootstrap: str, topic: str, tail: int | None = None, span: Span = EVERYTHING) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self.gaps: list[Gap] = []
        self._ends: dict[int, int] = {}
        self._topic = topic
        self._follows = span.until is None
        self._left: set[int] = set()
        self._consumer: Consumer = Consumer(
            {
                **CONSUMER,
                "bootstrap.servers": bootstrap,
                "group.id": "mesh.reading",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "error_cb": lambda _error: None,
            }
        )
        try:
            firsts = self._bounded(Places(self._consumer, bootstrap, topic), topic, tail, span)
        except BaseException:
            self._consumer.close()
            raise
        self._consumer.assign([TopicPartition(topic, number, first) for number, first in firsts.items()])

    def _bounded(self, places: Places, topic: str, tail: int | None, span: Span) -> dict[int, int]:
        """Where each partition begins; those that nobody needs to read are left out."""
        partitions = places.partitions()
        bounds = {number: places.bounds(number) for number in partitions}
        begins = places.offsets(span.since, partitions)
        ends = {n: high for n, (_, high) in bounds.items()}
        if span.until is not None:
            ends = {n: min(end, ends[n]) for n, end in places.offsets(span.until, partitions).items()}
        firsts = {}
        for number, (low, high) in bounds.items():
            if begins[number] < low:
                self.gaps.append(Gap(topic, number, begins[number], low))
            first = min(max(begins[number], low), high)
            if tail is not None:
                first = max(first, ends[number] - tail)
            if ends[number] > first:
                self._left.add(number)
            # Empty partitions are assigned too: whoever reads on past the end follows them all.
            if self._follows or ends[number] > first:
                firsts[number] = first
        self._ends = ends
        return firsts

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records."""
        messages, errors = apart(as_soon_as_some(self._consumer, most, wait_seconds, FILL_SECONDS))
        require_readable(errors)
        self._left -= {message.partition() for message in errors if is_end(message)}
        return messages if self._follows else self._before_the_ends(messages)

    def _before_the_ends(self, messages: list[Any]) -> list[Any]:
        from confluent_kafka import TopicPartition

        lasts = last_offsets(messages)
        done = {p for p, offset in lasts.items() if offset >= self._ends[p] - 1}
        self._left -= done
        self._consumer.pause([TopicPartition(self._topic, partition) for partition in done])
        if all(lasts[partition] < self._ends[partition] for partition in done):
            return messages
        return [m for m in messages if m.offset() < self._ends[m.partition()]]

    def commit(self) -> None:
        """Nothing: a reading leaves no trace."""

    def at_end(self) -> bool:
        """Whether the end of every partition was reached."""
        return not self._left

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def everything(bootstrap: str, topic: str) -> list[Message] | None:
    """All records of a topic as it stands now; None when it is not there."""
    try:
        receiver = BoundedReceiver(bootstrap, topic)
    except MeshError as error:
        if error.error_code != "MESH-K031":
            raise
        return None
    found: list[Message] = []
    try:
        while not receiver.at_end():
            found += receiver.take(10_000, 1.0)
    finally:
        receiver.close()
    return found
