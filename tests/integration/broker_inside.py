"""A broker in the test's own process, whose bounds a test can make small, and clients that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as Place
from confluent_kafka import KafkaError, Producer

from mesh import limits
from mesh_platform.broker.batch import read_one_batch
from mesh_platform.broker.node import Node
from mesh_platform.broker.server import Server
from tests.unit.broker_kit import Item, batch, request_frame, request_kind


@dataclass
class Inside:
    """A broker in this process, whose bounds a test can make small."""

    node: Node
    server: Server
    ready: dict[str, Any]

    @property
    def bootstrap(self) -> str:
        return f"{self.ready['host']}:{self.ready['port']}"

    def log(self, topic: str = "t") -> Any:
        return self.node.topics[topic].logs[0]


@contextlib.asynccontextmanager
async def inside(data: Path, **options: Any) -> AsyncIterator[Inside]:
    node = Node(data, "os", creates_topics=False, **options)
    server = Server(node)
    host, port = await server.listen("127.0.0.1", 0)
    node.create_topic("t", 1, {})
    try:
        yield Inside(node, server, {"host": host, "port": port})
    finally:
        await server.close()
        node.close()


async def goes_on(here: Inside) -> bool:
    """Whether an official client of its own writes an event and reads it back."""
    producer = AIOKafkaProducer(bootstrap_servers=here.bootstrap, enable_idempotence=True)
    await producer.start()
    sent = await producer.send_and_wait("t", b"good")
    await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=here.bootstrap)
    await consumer.start()
    place = Place("t", 0)
    consumer.assign([place])
    consumer.seek(place, sent.offset)
    async with asyncio.timeout(10):
        read = await consumer.getone()
    await consumer.stop()
    return bool(read.value == b"good")


async def connect(here: Inside) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(here.ready["host"], here.ready["port"])


def framed(request: Any) -> bytes:
    frame = request_frame(request)
    return struct.pack(">i", len(frame)) + frame


async def answered(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


async def until(is_so: Callable[[], object]) -> None:
    """Let the broker of this process go on until it is so."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.005)


def fetch_request(max_bytes: int = 50 * limits.MIB, *, wait: float = 0) -> Any:
    kind = request_kind(1, 4)
    topic_kind = kind.__annotations__["topics"].__args__[0]
    part_kind = topic_kind.__annotations__["partitions"].__args__[0]
    part = part_kind(partition=0, fetch_offset=0, partition_max_bytes=max_bytes)
    return kind(
        replica_id=-1,
        max_wait=datetime.timedelta(seconds=wait),
        min_bytes=1,
        max_bytes=max_bytes,
        isolation_level=0,
        topics=(topic_kind(topic="t", partitions=(part,)),),
    )


def fill(here: Inside, mebibytes: int) -> None:
    data = batch([Item(value=bytes(limits.MIB))])
    for _ in range(mebibytes):
        here.log().append(
            data, read_one_batch(data), 1_700_000_000_000, append_time=False, segment_bytes=1 << 30
        )


def deaf_client(ready: dict[str, Any], requests: int = 1) -> socket.socket:
    """A client that asks for everything and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    client.connect((ready["host"], ready["port"]))
    client.sendall(framed(fetch_request()) * requests)
    return client


def failure_of(producer: Producer, topic: str = "t", size: int = 100_000) -> KafkaError | None:
    """Why an event was refused; None when it was taken."""
    found: list[KafkaError | None] = []
    producer.produce(topic, os.urandom(size), on_delivery=lambda error, _: found.append(error))
    producer.flush(10)
    return found[0]
