"""Exactly once: a pipeline of the mesh beside librdkafka's own consume, produce and commit in transactions.

`python -m tests.bench.pipelines` measures by itself; `pipelines(mesh)` is for a mesh on which the bench's
orders are declared. The mesh decodes, changes a field, checks the contract, encodes, and says of each event
where it comes from; librdkafka hands bytes and headers on as they are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, Producer

from mesh.adapters.workspace import read_sources
from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.declaration import SourceFile, declare
from mesh.pipelines import Derived, Pace, Pipeline
from mesh.plan import make_plan
from mesh_platform.up import Wanted, bring_up
from tests.bench.measuring import Figure, compared, table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EVENTS = 200_000
ROUNDS = 5
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
READS, MAKES = "bench.orders", "bench.repriced"
PACE = Pace()


def repriced(orders: pa.RecordBatch) -> pa.Table:
    """A tenth more for every order."""
    place = orders.schema.get_field_index("amount")
    return pa.table(orders.set_column(place, "amount", pc.multiply(orders["amount"], 1.1)))


def traced(orders: pa.RecordBatch) -> Derived:
    """The same, with the one record that each event comes of."""
    return Derived(repriced(orders), range(orders.num_rows))


def pipelines(mesh: Mesh, events: int = EVENTS, rounds: int = ROUNDS) -> list[Figure]:
    """All figures; declares what is made of the orders, and publishes `events` of these."""
    declared(mesh)
    start = ends(mesh)
    publish(mesh, events)
    limit = rate("librdkafka, bytes and headers handed on", events, rounds, lambda: raw(mesh, start, events))
    batches = rate("mesh, a field changed", events, rounds, lambda: derived(mesh, repriced, start, events))
    rows = rate("mesh, and exact offsets", events, rounds, lambda: derived(mesh, traced, start, events))
    return [limit, compared(batches, limit, "≥ 100,000/s"), compared(rows, limit, "")]


def declared(mesh: Mesh) -> None:
    files = list(read_sources([HERE / "declarations"], ROOT))
    made = [
        SourceFile(one.name.replace("orders", "repriced"), one.raw.replace(b"orders", b"repriced"))
        for one in files
    ]
    desired = declare([*files, *made]).require()
    world = mesh.world()
    for _ in apply(make_plan(desired, world.actual(desired)), world):
        pass


def publish(mesh: Mesh, events: int) -> None:
    rows = [
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
        for n in range(events)
    ]
    with mesh.publisher(READS) as publisher:
        publisher.many(rows)


def ends(mesh: Mesh) -> dict[int, int]:
    """Where each partition of the orders ends."""
    consumer = Consumer({"bootstrap.servers": mesh.settings.bootstrap, "group.id": "bench"})
    topic = mesh.port(READS).topic
    from confluent_kafka import TopicPartition

    found = consumer.list_topics(topic).topics[topic].partitions
    after = {n: consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in found}
    consumer.close()
    return after


def rate(name: str, events: int, rounds: int, work: Callable[[], float]) -> Figure:
    """Events per second once the partitions are at hand: joining a group takes seconds and is not meant."""
    found = sorted(events / work() for _ in range(rounds))
    return Figure("pipeline", name, found[len(found) // 2], "/s", tuple(round(value) for value in found))


def derived(
    mesh: Mesh, function: Callable[[pa.RecordBatch], object], start: dict[int, int], events: int
) -> float:
    """Seconds from the first record to the last commit."""
    positioned(mesh, MAKES, start)
    with mesh.derive(Pipeline(MAKES, {READS: function}), pace=PACE) as run:
        run.run(lambda: run.figures.consumed == 0 and run.step() == 0)
        began, before = time.perf_counter(), run.figures.consumed
        run.run(lambda: run.figures.consumed < events)
        seconds = time.perf_counter() - began
        assert run.figures.consumed == events
        return seconds * events / (events - before)


def positioned(mesh: Mesh, group: str, start: dict[int, int]) -> None:
    """The group reads from there again."""
    from confluent_kafka import TopicPartition

    consumer = Consumer({"bootstrap.servers": mesh.settings.bootstrap, "group.id": group})
    topic = mesh.port(READS).topic
    consumer.commit(
        offsets=[TopicPartition(topic, number, offset) for number, offset in start.items()],
        asynchronous=False,
    )
    consumer.close()


def raw(mesh: Mesh, start: dict[int, int], events: int) -> float:
    """Consume, produce the same bytes with their headers, commit: no codec, no rules, no thought."""
    settings, topic = {"bootstrap.servers": mesh.settings.bootstrap}, mesh.port(MAKES).topic
    group = f"bench.{uuid4().hex}"
    positioned(mesh, group, start)
    consumer = Consumer(
        settings
        | {
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "queued.min.messages": 200_000,
            "fetch.message.max.bytes": 4_000_000,
        }
    )
    producer = Producer(
        settings
        | {
            "transactional.id": group,
            "batch.size": 1_000_000,
            "linger.ms": 5,
            "queue.buffering.max.messages": 500_000,
        }
    )
    producer.init_transactions(30)
    consumer.subscribe([mesh.port(READS).topic])
    done, began = 0, 0.0
    while done < events:
        messages = consumer.consume(PACE.records, PACE.within_seconds)
        if not messages:
            continue
        began = began or time.perf_counter()
        producer.begin_transaction()
        for message in messages:
            producer.produce(topic, message.value(), message.key(), headers=message.headers())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30
        )
        producer.commit_transaction(30)
        done += len(messages)
    seconds = time.perf_counter() - began
    consumer.close()
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Wanted(Path(folder) / "mesh", "embedded", quality=False)
        with (
            bring_up(wanted, print) as up,
            Mesh(Settings(up.bootstrap, up.url, f"{up.url}/registry", up.token)) as mesh,
        ):
            print(table(pipelines(mesh)))


if __name__ == "__main__":
    main()
