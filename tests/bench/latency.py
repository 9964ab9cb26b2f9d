"""P6: one event from publish to handler on an idle system, beside a bare producer and consumer in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.connection import Mesh
from tests.bench.measuring import Figure

ROOT = Path(__file__).resolve().parents[2]
PRODUCT, BARE = "bench.orders", "bench.latency.v1"
EVENTS = 300
FIRST = 20  #: the first meet connections that are still being made
_SECONDS = 30.0
ORDER = {
    "order_id": "o-0000001",
    "customer": "c-1",
    "amount": 12.5,
    "currency": "EUR",
    "placed_at": datetime(2026, 1, 1, tzinfo=UTC),
    "note": None,
    "priority": 1,
    "items": [{"sku": "s-1", "quantity": 1}],
}


class Bare:
    """librdkafka alone: 200 bytes, no headers, nothing decoded, nothing committed."""

    def __init__(self, bootstrap: str) -> None:
        settings = {"bootstrap.servers": bootstrap, "log_level": 0}
        KafkaAdmin(bootstrap).create_topic(BARE, 4, {})
        self._producer = Producer({**settings, "enable.idempotence": True, "linger.ms": 0})
        self._consumer = Consumer({**settings, "group.id": BARE})
        self._consumer.assign([TopicPartition(BARE, number, 0) for number in range(4)])

    def once(self) -> None:
        self._producer.produce(BARE, b"x" * 200, b"c-1")
        if self._consumer.poll(_SECONDS) is None:
            raise KafkaException("the event did not come")
        self._producer.poll(0)

    def close(self) -> None:
        self._producer.flush(_SECONDS)
        self._consumer.close()


class Ours:
    """A publisher and a subscription: checked, encoded, framed, decoded, checked, given out, committed."""

    def __init__(self, mesh: Mesh) -> None:
        self._publish = mesh.publisher(PRODUCT)
        self._subscription = mesh.subscribe(PRODUCT, group=f"bench.r-{uuid4().hex[:8]}", start="latest")
        while not self._subscription.assigned:
            self._subscription.poll()
        for _ in range(4):  # until the group has its places
            self._subscription.poll()

    def once(self) -> None:
        self._publish(ORDER)
        batch = self._subscription.poll(wait_seconds=_SECONDS)
        if batch is None or len(batch.rows()) != 1:
            raise KafkaException("the event did not come")

    def close(self) -> None:
        self._publish.close()
        self._subscription.close()


def latency(mesh: Mesh) -> list[Figure]:
    """Seconds per event, half and 99 of 100 below; the two take turns, so that both meet the same machine."""
    bare, ours = Bare(mesh.settings.bootstrap), Ours(mesh)
    try:
        pairs = [(timed(bare.once), timed(ours.once)) for _ in range(EVENTS + FIRST)][FIRST:]
    finally:
        bare.close()
        ours.close()
    return figures([one for one, _ in pairs], [one for _, one in pairs])


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def figures(bare: list[float], ours: list[float]) -> list[Figure]:
    """Medians and 99th percentiles, side by side."""
    made = []
    for name, found, target in (("librdkafka alone", bare, ""), ("mesh, publish to handler", ours, "≤ 2")):
        for share, at in (("median", 0.5), ("p99", 0.99)):
            value = percentile(found, at)
            beside = percentile(bare, at)
            ratio = None if found is bare else value / beside
            made.append(
                Figure(
                    "latency",
                    f"{name}, {share}",
                    value,
                    "s",
                    (round(value, 5),),
                    "" if found is bare else f"librdkafka alone, {share}",
                    ratio,
                    target if share == "p99" else "",
                )
            )
    return made


def percentile(found: list[float], at: float) -> float:
    """The value below which so large a share lies."""
    return sorted(found)[min(int(len(found) * at), len(found) - 1)]
