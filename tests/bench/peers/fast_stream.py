"""FastStream on Confluent's client; Avro by fastavro, as its guide on serialisation does it."""

from __future__ import annotations

import asyncio
import io
import struct
import time
from uuid import uuid4

import fastavro
from faststream.confluent import KafkaBroker, KafkaMessage

from tests.bench.orders import orders
from tests.bench.peers.asked import Asked, Stopwatch, answer


def publish(asked: Asked) -> float:
    return asyncio.run(published(asked))


async def published(asked: Asked) -> float:
    rows, schema = orders(asked.count), fastavro.parse_schema(asked.schema)
    async with KafkaBroker(asked.bootstrap, acks="all", enable_idempotence=True, linger_ms=5) as broker:
        began = time.perf_counter()
        for row in rows:
            out = io.BytesIO()
            out.write(struct.pack(">bI", 0, 1))
            fastavro.schemaless_writer(out, schema, row)
            await broker.publish(
                out.getvalue(), topic=asked.topic, key=row["order_id"].encode(), no_confirm=True
            )
    # Leaving the broker waits until all is acknowledged.
    return time.perf_counter() - began


def subscribe(asked: Asked) -> float:
    return asyncio.run(subscribed(asked))


async def subscribed(asked: Asked) -> float:
    broker, schema = KafkaBroker(asked.bootstrap), fastavro.parse_schema(asked.schema)
    watch, done = Stopwatch(asked.count), asyncio.Event()

    async def decoded(message: KafkaMessage) -> object:
        return fastavro.schemaless_reader(io.BytesIO(message.body[5:]), schema)

    @broker.subscriber(
        asked.topic, group_id=f"faststream-{uuid4().hex}", auto_offset_reset="earliest", decoder=decoded
    )
    async def handle(_order: dict) -> None:  # type: ignore[type-arg]
        if watch.lap():
            done.set()

    async with broker:
        await broker.start()
        await done.wait()
    return watch.seconds


if __name__ == "__main__":
    answer(publish=publish, subscribe=subscribe)
