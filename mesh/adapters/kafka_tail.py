"""Tail on confluent-kafka: one partition, read from its start and followed, without a group."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.adapters.kafka_taking import CONSUMER, apart, is_end, require_readable
from mesh.interfaces import Message

if TYPE_CHECKING:
    from confluent_kafka import Consumer

_MOST = 10_000


class KafkaTail:
    """The records of a topic with one partition; what aborted transactions wrote is not there."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self._bootstrap = bootstrap
        self._partition = TopicPartition(topic, 0, 0)
        self._consumer: Consumer = Consumer(
            {
                **CONSUMER,
                "bootstrap.servers": bootstrap,
                "group.id": "mesh.tail",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "error_cb": lambda _error: None,
            }
        )
        self._seen = 0
        self._consumer.assign([self._partition])

    def news(self) -> Sequence[Message]:
        """What has come by now."""
        return self._good(self._consumer.consume(_MOST, 0))

    def caught_up(self) -> Sequence[Message]:
        """What has come up to the end that stands there now; raises UnreachableError after ten seconds."""
        from confluent_kafka import KafkaException

        try:
            low, end = self._consumer.get_watermark_offsets(self._partition, TIMEOUT_SECONDS)
        except KafkaException as error:
            raise unreachable(self._bootstrap, error.args[0].str()) from error
        found: list[Message] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while low < end and self._seen < end:
            some = self._good(self._consumer.consume(_MOST, 0.1))
            found += some
            if some:
                deadline = time.monotonic() + TIMEOUT_SECONDS
            elif time.monotonic() > deadline:
                raise unreachable(self._bootstrap, f"{self._partition.topic} does not come to its end")
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _good(self, found: list[Any]) -> list[Message]:
        messages, errors = apart(found)
        if messages:
            self._seen = messages[-1].offset() + 1
        for error in filter(is_end, errors):
            # Past the last event there may be marks of transactions, which nobody is given.
            self._seen = max(self._seen, error.offset())
        require_readable(errors)
        return messages
