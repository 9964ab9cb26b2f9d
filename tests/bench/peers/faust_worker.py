"""Faust: an agent that reads, counts in a table and sends on; exactly once, as its settings have it."""

from __future__ import annotations

import asyncio
import io
import tempfile
from typing import Any
from uuid import uuid4

import fastavro
import faust

from tests.bench.peers.asked import Asked, Stopwatch, answer


def pipeline(asked: Asked) -> float:
    return asyncio.run(counted(asked))


async def counted(asked: Asked) -> float:
    schema = fastavro.parse_schema(asked.schema)
    app = faust.App(
        f"faust-{uuid4().hex}",
        broker=f"kafka://{asked.bootstrap}",
        store="memory://",
        datadir=tempfile.mkdtemp(),
        processing_guarantee="exactly_once",
        topic_partitions=4,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
    )
    watch, done = Stopwatch(asked.count), asyncio.Event()
    source = app.topic(asked.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    target = app.topic(asked.output, value_type=bytes, value_serializer="raw", key_serializer="raw")
    counts: Any = app.Table("counts", default=int, partitions=4)

    @app.agent(source)
    async def count(stream: Any) -> None:
        async for key, value in stream.items():
            order = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)
            counts[order["customer"]] += 1
            out = io.BytesIO()
            fastavro.schemaless_writer(out, schema, order | {"amount": order["amount"] * 2})
            await target.send(key=key, value=value[:5] + out.getvalue())
            if watch.lap():
                done.set()

    async with app:
        await done.wait()
    return watch.seconds


if __name__ == "__main__":
    answer(pipeline=pipeline)
