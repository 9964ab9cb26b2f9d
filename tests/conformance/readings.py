"""Readings of a sensor: the events of conformance tests, published, taken, and set aside."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Producer

from mesh.adapters.kafka_reading import BoundedReceiver
from mesh.connection import Mesh
from mesh.decoding import Batch
from tests.conformance.declared import applied, declaration, fresh_name

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def new_product(mesh: Mesh) -> str:
    """A declared product with an empty topic of two partitions."""
    name = fresh_name()
    applied(mesh, declaration(name))
    return f"tests.{name}"


def reading(number: int, **other: Any) -> dict[str, Any]:
    """One event, its temperature below the 60 degrees that are allowed."""
    at = BEGAN + timedelta(seconds=number)
    return {"sensor": f"s-{number % 5}", "at": at, "celsius": float(number % 40), **other}


def publish(mesh: Mesh, product: str, events: Any) -> None:
    with mesh.publisher(product) as publisher:
        publisher.many(events)


def taken(mesh: Mesh, product: str, group: str, count: int, bad: int = 0) -> tuple[list[Batch], int]:
    """Batches until `count` events came and `bad` ones were set aside; and how many were."""
    batches: list[Batch] = []
    with mesh.subscribe(product, group=group) as subscription:
        deadline = time.monotonic() + 20
        while sum(map(len, batches)) < count or subscription.buried < bad:
            assert time.monotonic() < deadline, "nothing came for 20 s"
            batch = subscription.poll()
            batches += [batch] if batch is not None else []
        return batches, subscription.buried


def letters(mesh: Mesh, product: str) -> list[Any]:
    receiver = BoundedReceiver(mesh.settings.bootstrap, mesh.port(product).dead_letters)
    found: list[Any] = []
    while not receiver.at_end():
        found += receiver.take(1_000, 1.0)
    receiver.close()
    return found


def send_raw(mesh: Mesh, product: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": mesh.settings.bootstrap})
    for value in values:
        producer.produce(mesh.port(product).topic, value, b"s-1", headers=[("mine", b"kept")])
    assert producer.flush(20) == 0
