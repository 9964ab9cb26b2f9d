"""`make bench`: publish and subscribe beside librdkafka's limit and the official client's Avro, in one run;
the embedded broker beside Apache Kafka. `--retained 10`: only what 10 GB of retained events cost.

The workload of every data-plane figure: 200,000 nested orders (8 fields, an enum, a timestamp, a nullable,
a list of two records), 4 partitions, `acks=all`, idempotent producer, broker on the same machine.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleOverride, RuleRegistry
from confluent_kafka.serialization import MessageField, SerializationContext

from mesh.adapters.workspace import read_sources
from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.declaration import declare
from mesh.event import EventIds, Stamp, frame_prefix
from mesh.plan import make_plan
from mesh_platform.up import Wanted, bring_up
from tests.bench.broker import against_kafka
from tests.bench.checking import checking
from tests.bench.measuring import Figure, compared, duration, rate, table, write, write_table
from tests.bench.plans import plans
from tests.bench.registry import registry
from tests.bench.retained import retained

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 200_000
TOPIC = "bench.orders.v1"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def orders() -> list[dict[str, Any]]:
    return [
        {
            "order_id": f"o-{n:07d}",
            "customer": f"c-{n % 997}",
            "amount": (n % 90_000) / 100,
            "currency": ("EUR", "USD", "GBP")[n % 3],
            "placed_at": BEGAN + timedelta(milliseconds=n),
            "note": None if n % 4 else "leave at the door",
            "priority": n % 10,
            "items": [{"sku": f"s-{n % 311}", "quantity": 1}, {"sku": f"s-{n % 173}", "quantity": n % 5}],
        }
        for n in range(EVENTS)
    ]


class Bench:
    """One mesh, one set of events, many ways to move them."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.port = mesh.port("bench.orders")
        self.schema_id = mesh.registry.schema_id(self.port.subject, self.port.schema)
        self.rows = orders()
        self.arrow = pa.Table.from_pylist(self.rows, schema=self.port.codec.arrow_schema)
        batch = self.arrow.combine_chunks().to_batches()[0]
        self.values = self.port.codec.encode(batch, frame_prefix(self.schema_id))
        self.keys = self.port.keys(batch)
        stamp = Stamp("/bench/bench.orders.v1", TOPIC)
        times = [row["placed_at"].isoformat().encode() for row in self.rows]
        self.headers = stamp.many(EventIds(b"12345678").take(EVENTS), times)
        registry = SchemaRegistryClient(
            {"url": mesh.settings.registry_url, "basic.auth.user.info": f"bench:{mesh.settings.token}"}
        )
        unchecked = RuleRegistry()
        unchecked.register_override(RuleOverride("CEL", None, None, disabled=True))
        self.serialize = AvroSerializer(
            registry,
            self.port.schema.text,
            conf={"auto.register.schemas": False, "use.latest.version": True},
            rule_registry=unchecked,
        )
        self.deserialize = AvroDeserializer(registry)
        self.context = SerializationContext(TOPIC, MessageField.VALUE)

    def producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.mesh.settings.bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 500_000,
            }
        )

    def produce(self, make: Any) -> None:
        producer = self.producer()
        for arguments in make():
            while True:
                try:
                    producer.produce(TOPIC, *arguments)
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.flush()

    def raw(self) -> None:
        self.produce(lambda: zip(self.values, self.keys, strict=True))

    def raw_with_headers(self) -> None:
        nothing = [-1] * EVENTS
        self.produce(
            lambda: (
                (value, key, partition, None, None, 0, headers)
                for value, key, partition, headers in zip(
                    self.values, self.keys, nothing, self.headers, strict=True
                )
            )
        )

    def official_publish(self) -> None:
        self.produce(lambda: ((self.serialize(row, self.context), row["order_id"]) for row in self.rows))

    def fastavro_publish(self) -> None:
        schema = fastavro.parse_schema(self.port.schema.codec_tree)
        prefix = frame_prefix(self.schema_id)

        def made() -> Any:
            for row in self.rows:
                out = io.BytesIO()
                fastavro.schemaless_writer(out, schema, row)
                yield prefix + out.getvalue(), row["order_id"]

        self.produce(made)

    def mesh_publish(self, events: Any) -> None:
        with self.mesh.publisher("bench.orders") as publish:
            publish.many(events)

    def consume(self, handle: Any) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.mesh.settings.bootstrap,
                "group.id": "bench",
                "fetch.wait.max.ms": 100,
                "queued.min.messages": 200_000,
                "fetch.message.max.bytes": 4_000_000,
            }
        )
        consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in range(4)])
        taken = 0
        while taken < EVENTS:
            messages = consumer.consume(10_000, 1.0)
            handle(messages)
            taken += len(messages)
        consumer.close()

    def raw_consume(self) -> None:
        self.consume(lambda messages: [message.value() for message in messages])

    def official_subscribe(self) -> None:
        self.consume(lambda messages: [self.deserialize(m.value(), self.context) for m in messages])

    def mesh_batches(self) -> None:
        taken = 0
        for batch in self.mesh.read("bench.orders").batches():
            taken += len(batch)
            if taken >= EVENTS:
                return

    def mesh_rows(self) -> None:
        for taken, _ in enumerate(self.mesh.read("bench.orders").rows(), 1):
            if taken >= EVENTS:
                return


def data_plane(mesh: Mesh) -> list[Figure]:
    bench = Bench(mesh)
    raw = rate("publish", "librdkafka, bytes made beforehand", EVENTS, bench.raw)
    headers = rate("publish", "librdkafka, same headers", EVENTS, bench.raw_with_headers)
    arrow = rate("publish", "mesh, Arrow table", EVENTS, lambda: bench.mesh_publish(bench.arrow))
    rows = rate("publish", "mesh, list of dicts", EVENTS, lambda: bench.mesh_publish(bench.rows))
    by_hand = rate("publish", "fastavro by hand, no rules, no headers", EVENTS, bench.fastavro_publish)
    official = rate(
        "publish", "official AvroSerializer, no rules, no headers", EVENTS, bench.official_publish
    )
    limit = rate("subscribe", "librdkafka, value() only", EVENTS, bench.raw_consume)
    batches = rate("subscribe", "mesh, Arrow batches", EVENTS, bench.mesh_batches)
    dicts = rate("subscribe", "mesh, dicts", EVENTS, bench.mesh_rows)
    peer = rate("subscribe", "official AvroDeserializer, dicts", EVENTS, bench.official_subscribe)
    return [
        raw,
        headers,
        compared(arrow, headers, "≥ 0.9"),
        compared(rows, headers, "≥ 0.75"),
        by_hand,
        official,
        compared(Figure(**{**_facts(rows), "name": "mesh, list of dicts"}), official, "≥ 1.7"),
        limit,
        compared(batches, limit, "≥ 0.85"),
        compared(Figure(**{**_facts(batches), "name": "mesh, Arrow batches"}), peer, "≥ 8"),
        compared(dicts, peer, "≥ 1.5"),
        peer,
    ]


def _facts(figure: Figure) -> dict[str, Any]:
    return {name: getattr(figure, name) for name in ("group", "name", "value", "unit", "rounds")}


def startup(state: Path) -> list[Figure]:
    def run(*argv: str) -> None:
        subprocess.run([sys.executable, "-m", "mesh.cli", *argv], check=True, cwd=ROOT, capture_output=True)

    def up() -> None:
        with bring_up(
            Wanted(state / f"up-{time.monotonic_ns()}", "embedded", quality=False), lambda _text: None
        ):
            pass

    contract = "contracts/operations/departures.v1.odcs.yaml"
    return [
        duration("start", "mesh --help", lambda: run("--help"), "≤ 0.15 s"),
        duration("start", "mesh check, one contract", lambda: run("check", contract), "≤ 0.3 s"),
        duration("start", "mesh up, until it serves (and stops)", up, "≤ 3 s"),
        duration(
            "demo",
            "the whole year, start to end",
            lambda: run("demo", "--no-serve", "--state", str(state / "demo")),
            "≤ 90 s",
            1,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("--plans", action="store_true", help="measure plans over 1,000 contracts only")
    parser.add_argument("--retained", type=int, metavar="GB", help="measure starts with so much on disk")
    parser.add_argument("--registry", action="store_true", help="measure the registry only")
    asked = parser.parse_args()
    if asked.plans:
        with tempfile.TemporaryDirectory() as folder:
            print(table(plans(Path(folder))))
    elif asked.registry:
        with tempfile.TemporaryDirectory() as folder:
            print(table(registry(Path(folder))))
    elif gigabytes := asked.retained:
        figures = retained(gigabytes)
        print(table(figures))
        write_table("retained", figures, ROOT)
    else:
        everything()


def everything() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with bring_up(Wanted(state / "mesh", "embedded", quality=False), print) as up:
            settings = Settings(up.bootstrap, up.url, f"{up.url}/registry", up.token)
            with Mesh(settings) as mesh:
                desired = declare(read_sources([Path(__file__).parent / "declarations"], ROOT)).require()
                world = mesh.world()
                for _ in apply(make_plan(desired, world.actual(desired)), world):
                    pass
                figures = data_plane(mesh)
        figures += startup(state)
        figures += plans(state / "estate")
        figures += registry(state / "registry")
    figures += checking()
    figures += against_kafka()
    print(table(figures))
    write(figures, ROOT)


if __name__ == "__main__":
    main()
