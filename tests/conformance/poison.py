"""One event in a hundred is poison, of every kind there is: what becomes of all of them.

    python -m tests.conformance.poison [EVENTS]

publishes so many events (100,000) to an embedded broker and tells what was read, what was set aside, and how
fast beside the same events without poison: over the last nine tenths, when the group has joined and the
registry has been asked often enough about the id that nobody knows. The two take turns, three times for each
way to handle what comes: as batches that nobody looks into, as dicts, and as Pydantic models.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow as pa
from confluent_kafka import Producer
from pydantic import BaseModel

from mesh.adapters.kafka_reading import everything
from mesh.connection import Mesh
from mesh.decoding import Batch
from mesh.event import frame, frame_prefix
from mesh.schema import parse_schema
from mesh_platform.brokers import start_embedded
from tests.conformance.declared import applied, declaration, fresh_name, platform_on
from tests.conformance.readings import reading

SEED = 20_261_121
OVERSIZED = 900_000
NOBODYS_ID = 2**31 - 1
TEXT = b"\x08noon"  # as a string in Avro
NEVER = b"\xfe" + 8 * b"\xff" + b"\x01"  # the largest long in Avro, as a time


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader made of it."""

    good: list[float]
    letters: list[bytes | None]
    per_second: float


def kinds(mesh: Mesh, product: str) -> dict[str, Callable[[bytes], bytes]]:
    """Each kind of poison, made from the bytes of a good event."""
    other = fresh_name()
    applied(mesh, declaration(other))
    port = mesh.port(f"tests.{other}")
    others_id = mesh.registry.schema_id(port.subject, port.schema)
    schema = json.loads(mesh.port(product).schema.text)
    next(field for field in schema["fields"] if field["name"] == "at")["type"] = "string"
    stray = mesh.registry.register(f"stray-{fresh_name()}-value", parse_schema(json.dumps(schema)))
    return {
        "fewer than five bytes": lambda good: good[:4],
        "another magic byte": lambda good: b"\x01" + good[1:],
        "an id that nobody knows": lambda good: frame(NOBODYS_ID, good[5:]),
        "the id of another subject": lambda good: frame(others_id, good[5:]),
        "a truncated body": lambda good: good[:-3],
        "bytes after the end": lambda good: good + b"rest",
        "another type where the contract has a time": lambda good: frame(stray, good[5:9] + TEXT + good[-8:]),
        "a time that no calendar has": lambda good: good[:9] + NEVER + good[-8:],
        "oversized": lambda good: good[:-8] + random.Random(SEED).randbytes(OVERSIZED),
    }


def events(mesh: Mesh, product: str, count: int) -> list[bytes]:
    """So many good events, numbered by their temperature."""
    port = mesh.port(product)
    schema_id = mesh.registry.schema_id(port.subject, port.schema)
    rows = [{**reading(number), "celsius": number / count} for number in range(count)]
    batch = pa.RecordBatch.from_pylist(rows, schema=port.codec.arrow_schema)
    return [bytes(value) for value in port.codec.encode(batch, frame_prefix(schema_id))]


def spoiled(values: list[bytes], made: dict[str, Callable[[bytes], bytes]]) -> dict[int, bytes]:
    """One in a hundred, the kinds taking turns; the oversized ones are few, as they are large."""
    rows = sorted(random.Random(SEED).sample(range(len(values)), max(len(values) // 100, len(made))))
    names = [name for name in made if name != "oversized"]
    found = {row: made[names[turn % len(names)]](values[row]) for turn, row in enumerate(rows)}
    for row in rows[:: max(len(rows) // 5, 1)]:
        found[row] = made["oversized"](values[row]) + row.to_bytes(4, "big")
    return found


def send(mesh: Mesh, product: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": mesh.settings.bootstrap, "linger.ms": 5})
    topic = mesh.port(product).topic
    for number, value in enumerate(values):
        while True:
            try:
                producer.produce(topic, value, b"s-%d" % (number % 50))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(60) == 0


class Reading(BaseModel):
    """An event, as a program would type it."""

    sensor: str
    at: datetime
    celsius: float


#: what a handler asks of a batch
WAYS: dict[str, Callable[[Batch], object]] = {
    "batches": lambda batch: batch.events,
    "dicts": lambda batch: batch.rows(),
    "models": lambda batch: batch.models(Reading),
}


def read(mesh: Mesh, product: str, events: int, way: str = "batches") -> Found:
    """Read until every event was given out or set aside."""
    columns: list[pa.Array] = []
    seen, warm = 0, (0, 0.0)
    with mesh.subscribe(product, group=f"tests.{fresh_name()}") as subscription:
        deadline = time.perf_counter() + 120
        while seen + subscription.buried < events:
            assert time.perf_counter() < deadline, "it stands still"
            batch = subscription.poll(wait_seconds=0.02)
            if batch is not None:
                WAYS[way](batch)
                columns.append(batch.events.column("celsius"))
                seen += len(batch)
                if warm == (0, 0.0) and seen >= events / 10:
                    warm = seen, time.perf_counter()
        per_second = (events - warm[0]) / (time.perf_counter() - warm[1])
    letters = everything(mesh.settings.bootstrap, mesh.port(product).dead_letters) or []
    good = pa.chunked_array(columns).to_pylist()
    return Found(good, [letter.value() for letter in letters], per_second)


def main(count: int) -> None:
    with (
        TemporaryDirectory() as folder,
        start_embedded(Path(folder) / "broker") as broker,
        platform_on(broker.bootstrap, Path(folder) / "platform") as mesh,
    ):
        clean, dirty = fresh_name(), fresh_name()
        for name in (clean, dirty):
            applied(mesh, declaration(name))
        values = events(mesh, f"tests.{dirty}", count)
        bad = spoiled(values, kinds(mesh, f"tests.{dirty}"))
        send(mesh, f"tests.{clean}", events(mesh, f"tests.{clean}", count))
        send(mesh, f"tests.{dirty}", [bad.get(row, value) for row, value in enumerate(values)])
        found = read(mesh, f"tests.{dirty}", count)
        exact = sorted(found.letters, key=repr) == sorted(bad.values(), key=repr)
        print(f"{len(found.good):,} read, {len(found.letters):,} of {len(bad):,} set aside", end=", ")
        print(f"bytes exact: {exact}")
        for way in WAYS:
            turns = [[read(mesh, f"tests.{one}", count, way) for one in (clean, dirty)] for _ in range(3)]
            whole, spared = ([one.per_second for one in side] for side in zip(*turns, strict=True))
            counts = {tuple(len(one.good) for one in turn) for turn in turns}
            exact = exact and counts == {(count, count - len(bad))}
            without, with_poison = median(whole), median(spared)
            print(f"{way}: {without:,.0f}/s without poison, {with_poison:,.0f}/s with it", end=", ")
            print(f"loss {1 - with_poison / without:.0%}")
    sys.exit(0 if exact and len(found.good) == count - len(bad) else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
