"""Publishing: the mesh beside the limit, and beside peers that check nothing."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import fastavro
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleOverride, RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.serialization import MessageField, SerializationContext

from mesh.event import frame_prefix
from tests.bench.measuring import Contender, Figure, clocked, compared, in_turns
from tests.bench.orders import EVENTS
from tests.bench.scene import PEERS, PRODUCT, TOPIC, Scene

FEW = 20_000
VERY_FEW = 500
ONE = "mesh, one dict a call"
CEL = "official AvroSerializer, the same rules in CEL"
SENDING = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "queue.buffering.max.messages": 500_000,
}


def publishing(scene: Scene) -> list[Figure]:
    """P1 and P2 of the targets."""
    ways = Ways(scene)
    found = in_turns(
        "publish",
        [
            Contender("librdkafka, bytes made beforehand", EVENTS, clocked(ways.raw)),
            Contender("librdkafka, same headers", EVENTS, clocked(ways.raw_with_headers)),
            Contender("mesh, Arrow table", EVENTS, clocked(lambda: ways.mesh(scene.arrow))),
            Contender("mesh, list of dicts", EVENTS, clocked(lambda: ways.mesh(scene.rows))),
            Contender(ONE, FEW, clocked(ways.mesh_one_by_one)),
            Contender("fastavro by hand, no rules, no headers", EVENTS, clocked(ways.fastavro)),
            Contender("official AvroSerializer, no rules", EVENTS, clocked(lambda: ways.official(EVENTS))),
            Contender(CEL, VERY_FEW, clocked(lambda: ways.official(VERY_FEW, CelExecutor()))),
            scene.peers.contender("Quix Streams", "quix", "publish", PEERS, EVENTS),
            scene.peers.contender("FastStream", "fast_stream", "publish", PEERS, FEW),
        ],
    )
    headers = found["librdkafka, same headers"]
    dicts = found["mesh, list of dicts"]
    peers = [found[name] for name in ("official AvroSerializer, no rules", "Quix Streams", "FastStream")]
    best = max(peers, key=lambda figure: figure.value)
    return [
        found["librdkafka, bytes made beforehand"],
        headers,
        compared(found["mesh, Arrow table"], headers, "≥ 0.9"),
        compared(dicts, headers, "≥ 0.75"),
        compared(dicts, best, "≥ 1.7"),
        compared(dicts, found[CEL], "≥ 100"),
        compared(found[ONE], best, ""),
        found["fastavro by hand, no rules, no headers"],
        *peers,
        found[CEL],
    ]


@dataclass(frozen=True)
class Ways:
    """The ways to send the same orders."""

    scene: Scene

    def raw(self) -> None:
        self._produce(TOPIC, zip(self.scene.values, self.scene.keys, strict=True))

    def raw_with_headers(self) -> None:
        scene = self.scene
        each = zip(scene.values, scene.keys, scene.headers, strict=True)
        self._produce(TOPIC, ((value, key, -1, None, None, 0, headers) for value, key, headers in each))

    def mesh(self, events: Any) -> None:
        with self.scene.mesh.publisher(PRODUCT) as publish:
            publish.many(events)

    def mesh_one_by_one(self) -> None:
        with self.scene.mesh.publisher(PRODUCT) as publish:
            for row in self.scene.rows[:FEW]:
                publish(row)

    def fastavro(self) -> None:
        schema = fastavro.parse_schema(self.scene.port.schema.codec_tree)
        prefix = frame_prefix(self.scene.schema_id)

        def made() -> Iterable[tuple[bytes, str]]:
            for row in self.scene.rows:
                out = io.BytesIO()
                fastavro.schemaless_writer(out, schema, row)
                yield prefix + out.getvalue(), row["order_id"]

        self._produce(PEERS, made())

    def official(self, count: int, executor: CelExecutor | None = None) -> None:
        topic = TOPIC if executor else PEERS
        serialize, context = self._serializer(executor), SerializationContext(topic, MessageField.VALUE)
        rows = self.scene.rows[:count]
        self._produce(topic, ((serialize(row, context), row["order_id"]) for row in rows))

    def _serializer(self, executor: CelExecutor | None) -> AvroSerializer:
        rules = RuleRegistry()
        if executor:
            rules.register_executor(executor)
        else:
            rules.register_override(RuleOverride("CEL", None, None, disabled=True))
        peers = self.scene.peers
        return AvroSerializer(
            SchemaRegistryClient({"url": peers.registry, "basic.auth.user.info": peers.user}),
            self.scene.port.schema.text,
            conf={"auto.register.schemas": False, "use.latest.version": True},
            rule_registry=rules,
        )

    def _produce(self, topic: str, each: Iterable[tuple[Any, ...]]) -> None:
        producer = Producer({"bootstrap.servers": self.scene.peers.bootstrap, **SENDING})
        for arguments in each:
            while True:
                try:
                    producer.produce(topic, *arguments)
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.flush()
