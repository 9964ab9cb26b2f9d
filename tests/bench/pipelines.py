"""Exactly once: a pipeline of the mesh beside librdkafka's own consume, produce and commit in transactions.

The mesh decodes, changes a field, checks the
contract, encodes, and says of each event where it comes from; librdkafka hands bytes and headers on as they
are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, Producer, TopicPartition

from mesh.adapters.workspace import read_sources
from mesh.apply import apply
from mesh.connection import Mesh
from mesh.declaration import SourceFile, declare
from mesh.pipelines import Derived, Pace, Pipeline
from mesh.plan import make_plan
from tests.bench.measuring import Contender, Figure, compared, in_turns
from tests.bench.peers.running import ROOT
from tests.bench.scene import DERIVED, PEERS, PRODUCT, Scene

MAKES = "bench.repriced"
PACE = Pace()
QUIX, FAUST = "Quix Streams, a field changed", "Faust, a field changed and a table counted"
FEWER, FEWEST = 50_000, 5_000
RAW, MESH, TRACED = "librdkafka, bytes handed on", "mesh, a field changed", "mesh, with exact offsets"


def repriced(orders: pa.RecordBatch) -> pa.Table:
    """A tenth more for every order."""
    place = orders.schema.get_field_index("amount")
    return pa.table(orders.set_column(place, "amount", pc.multiply(orders["amount"], 1.1)))


def traced(orders: pa.RecordBatch) -> Derived:
    """The same, with the one record that each event comes of."""
    return Derived(repriced(orders), range(orders.num_rows))


def pipelining(found: Scene, rounds: int = 5) -> list[Figure]:
    """Declares what is made of the orders, publishes orders, derives."""
    mesh, events = found.mesh, len(found.rows)
    declared(mesh)
    start = ends(mesh)
    with mesh.publisher(PRODUCT) as publisher:
        publisher.many(found.arrow)
    figures = in_turns(
        "exactly once",
        [
            Contender(RAW, events, lambda: raw(mesh, start, events)),
            Contender(MESH, events, lambda: derived(mesh, repriced, start, events)),
            Contender(TRACED, events, lambda: derived(mesh, traced, start, events)),
            found.peers.contender(QUIX, "quix", "pipeline", PEERS, FEWER, DERIVED),
            found.peers.contender(FAUST, "faust_worker", "pipeline", PEERS, FEWEST, DERIVED),
        ],
        rounds,
    )
    limit, ours = figures[RAW], figures[MESH]
    return [
        limit,
        compared(ours, limit, "≥ 100,000/s"),
        compared(ours, figures[QUIX], "≥ 4"),
        compared(ours, figures[FAUST], "≥ 50"),
        compared(figures[TRACED], limit, ""),
        figures[QUIX],
        figures[FAUST],
    ]


def declared(mesh: Mesh) -> None:
    files = list(read_sources([ROOT / "tests" / "bench" / "declarations"], ROOT))
    made = [
        SourceFile(one.name.replace("orders", "repriced"), one.raw.replace(b"orders", b"repriced"))
        for one in files
    ]
    desired = declare([*files, *made]).require()
    world = mesh.world()
    for _ in apply(make_plan(desired, world.actual(desired)), world):
        pass


def ends(mesh: Mesh) -> dict[int, int]:
    """Where each partition of the orders ends."""
    topic = mesh.port(PRODUCT).topic
    consumer = Consumer({"bootstrap.servers": mesh.settings.bootstrap, "group.id": "bench"})
    numbers = consumer.list_topics(topic).topics[topic].partitions
    after = {n: consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in numbers}
    consumer.close()
    return after


def derived(
    mesh: Mesh, function: Callable[[pa.RecordBatch], object], start: dict[int, int], events: int
) -> float:
    """Seconds for all, once the partitions are at hand: joining a group takes seconds and is not meant."""
    positioned(mesh, MAKES, start)
    with mesh.derive(Pipeline(MAKES, {PRODUCT: function}), pace=PACE) as run:
        first = 0
        while not first:
            began = time.perf_counter()
            first = run.step()
        run.run(lambda: run.figures.consumed < events)
        seconds = time.perf_counter() - began
        assert run.figures.consumed == events
    return seconds


def positioned(mesh: Mesh, group: str, start: dict[int, int]) -> None:
    """The group reads from there again."""
    consumer = Consumer({"bootstrap.servers": mesh.settings.bootstrap, "group.id": group})
    topic = mesh.port(PRODUCT).topic
    consumer.commit(
        offsets=[TopicPartition(topic, number, offset) for number, offset in start.items()],
        asynchronous=False,
    )
    consumer.close()


def raw(mesh: Mesh, start: dict[int, int], events: int) -> float:
    """Consume, produce the same bytes with their headers, commit: no codec, no rules, no thought."""
    settings: dict[str, object] = {"bootstrap.servers": mesh.settings.bootstrap}
    topic = mesh.port(MAKES).topic
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
    consumer.subscribe([mesh.port(PRODUCT).topic])
    done, began = 0, time.perf_counter()
    while done < events:
        messages = consumer.consume(PACE.records, PACE.within_seconds)
        if not messages:
            began = began if done else time.perf_counter()
            continue
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
