"""Subscribing: the mesh beside the limit, and beside peers that check nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.bench.measuring import Contender, Figure, clocked, compared, in_turns
from tests.bench.orders import EVENTS, PARTITIONS, Order
from tests.bench.publishing import FEW
from tests.bench.scene import PEERS, PRODUCT, TOPIC, Scene

RECEIVING = {
    "group.id": "bench",
    "fetch.wait.max.ms": 100,
    "queued.min.messages": 200_000,
}


def subscribing(scene: Scene) -> list[Figure]:
    """P3 and P4 of the targets; both topics hold at least so many events already."""
    ways = Ways(scene)
    found = in_turns(
        "subscribe",
        [
            Contender("librdkafka, value() only", EVENTS, clocked(ways.raw)),
            Contender("mesh, Arrow batches", EVENTS, clocked(ways.batches)),
            Contender("mesh, dicts", EVENTS, clocked(ways.rows)),
            Contender("mesh, Pydantic models", EVENTS, clocked(ways.models)),
            Contender("official AvroDeserializer, dicts", EVENTS, clocked(ways.official)),
            scene.peers.contender("Quix Streams, dicts", "quix", "subscribe", PEERS, EVENTS),
            scene.peers.contender("FastStream, dicts", "fast_stream", "subscribe", PEERS, FEW),
        ],
    )
    limit, batches = found["librdkafka, value() only"], found["mesh, Arrow batches"]
    peers = [figure for name, figure in found.items() if name.endswith(", dicts") and "mesh" not in name]
    best = max(peers, key=lambda figure: figure.value)
    return [
        limit,
        compared(batches, limit, "≥ 0.85"),
        compared(batches, best, "≥ 8"),
        compared(found["mesh, dicts"], best, "≥ 1.5"),
        compared(found["mesh, Pydantic models"], best, "≥ 1"),
        *peers,
    ]


@dataclass(frozen=True)
class Ways:
    """The ways to read the same orders."""

    scene: Scene

    def raw(self) -> None:
        self._consume(TOPIC, lambda messages: [message.value() for message in messages])

    def official(self) -> None:
        peers = self.scene.peers
        registry = SchemaRegistryClient({"url": peers.registry, "basic.auth.user.info": peers.user})
        deserialize, context = AvroDeserializer(registry), SerializationContext(PEERS, MessageField.VALUE)
        self._consume(PEERS, lambda messages: [deserialize(m.value(), context) for m in messages])

    def batches(self) -> None:
        _taken(map(len, self.scene.mesh.read(PRODUCT).batches()))

    def rows(self) -> None:
        for _ in islice(self.scene.mesh.read(PRODUCT).rows(), EVENTS):
            pass

    def models(self) -> None:
        _taken(len(batch.models(Order)) for batch in self.scene.mesh.read(PRODUCT).batches())

    def _consume(self, topic: str, handle: Callable[[Any], object]) -> None:
        consumer = Consumer({"bootstrap.servers": self.scene.peers.bootstrap, **RECEIVING})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])

        def taken() -> Iterable[int]:
            while True:
                messages = consumer.consume(10_000, 1.0)
                handle(messages)
                yield len(messages)

        _taken(taken())
        consumer.close()


def _taken(counts: Iterable[int]) -> None:
    total = 0
    for count in counts:
        total += count
        if total >= EVENTS:
            return
