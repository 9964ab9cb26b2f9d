"""One family of requests after the other at a broker, mutated: what it said, and what it cost it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import random
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic
from kio.index import load_response_schema

from mesh_platform.broker.entities import read_entity
from mesh_platform.broker.versions import is_advertised
from tests.fuzz import healthy
from tests.fuzz.corpus import PARTITIONS, TOPIC, Known, family_name, good_requests
from tests.fuzz.mutations import mutated
from tests.unit.broker_kit import Process, Raw, request_kind
from tests.unit.test_broker_wire import plain

_TALKERS = 8
_PATIENCE_SECONDS = 0.15
_API_VERSIONS = 18
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Tally:
    """What came of the requests of one family; `told` counts by answered, refused, hung up and silent."""

    family: str
    told: Counter[str] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    wrong: list[str] = field(default_factory=list)


def attack(process: Process, api_key: int, *, requests: int, seed: int) -> Tally:
    """Send mutated requests of one family on several connections, then put the broker in order again."""
    known = _prepare(process)
    tally = Tally(family_name(api_key), before=resident(process))
    dice = random.Random(f"{seed} {api_key}")
    frames = islice(mutated(dice, good_requests(api_key, known)), requests)
    asyncio.run(_talk(process, frames, tally))
    clean(process)
    tally.after = resident(process)
    return tally


def resident(process: Process) -> int:
    """Bytes of memory that the broker holds."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def sockets(process: Process) -> int:
    """Sockets that the broker has open."""
    found = 0
    for path in Path(f"/proc/{process.popen.pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed while we look
            found += os.readlink(path).startswith("socket:")
    return found


def _prepare(process: Process) -> Known:
    admin = AdminClient({"bootstrap.servers": process.bootstrap})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    described = admin.describe_topics(TopicCollection([TOPIC]))[TOPIC].result(30)
    with Raw(process.ready) as raw:
        timeout = datetime.timedelta(seconds=60)
        held = raw.ask(request_kind(22, 1)(transactional_id=TOPIC, transaction_timeout=timeout))
    topic_id = described.topic_id
    most, least = topic_id.get_most_significant_bits(), topic_id.get_least_significant_bits()
    number = (most & (2**64 - 1)) << 64 | least & (2**64 - 1)
    return Known(_uuid(number), held.producer_id, held.producer_epoch)


def _uuid(number: int) -> Any:
    import uuid

    return uuid.UUID(int=number)


def clean(process: Process) -> None:
    """Delete every topic and group but those of the healthy client."""
    admin = AdminClient({"bootstrap.servers": process.bootstrap})
    topics = [name for name in admin.list_topics(timeout=30).topics if name != healthy.TOPIC]
    for deleted in admin.delete_topics(topics).values() if topics else ():
        deleted.result(60)
    groups = [g.group_id for g in admin.list_consumer_groups().result(30).valid if g.group_id != "healthy"]
    for gone in admin.delete_consumer_groups(groups).values() if groups else ():
        with contextlib.suppress(KafkaException):  # a member of it has not timed out yet
            gone.result(60)


# Talking


async def _talk(process: Process, frames: Iterator[bytes], tally: Tally) -> None:
    await asyncio.gather(*(_Talker(process, tally).talk(frames) for _ in range(_TALKERS)))


class _Talker:
    def __init__(self, process: Process, tally: Tally) -> None:
        self._address = process.ready["host"], process.ready["port"]
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def talk(self, frames: Iterator[bytes]) -> None:
        for frame in frames:
            told = await self._ask(frame)
            self._tally.told[told] += 1
            if told not in ("answered", "refused"):
                self._hang_up()
        self._hang_up()

    async def _ask(self, frame: bytes) -> str:
        try:
            reader, writer = self._streams or await self._connect()
            writer.write(frame)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                (size,) = struct.unpack(">i", await reader.readexactly(4))
            async with asyncio.timeout(30):
                answer = await reader.readexactly(size)
        except TimeoutError:
            return "silent"
        except (ConnectionError, asyncio.IncompleteReadError):
            return "hung up"
        return self._judge(frame[4:], answer)

    def _judge(self, request: bytes, answer: bytes) -> str:
        """An answer is of the version that was asked in, whole, and to the request that was sent."""
        api_key, version, correlation_id = struct.unpack_from(">hhi", request)
        if not is_advertised(api_key, version):
            version = 0 if api_key == _API_VERSIONS else version
        try:
            kind: Any = load_response_schema(api_key, version)
            head, at = read_entity(kind.__header_schema__, answer, 0)
            body, size = read_entity(kind, answer, at)
        except Exception as error:
            self._tally.wrong.append(f"{api_key} v{version}: an answer that nobody can read: {error!r}")
            return "refused"
        if (head.correlation_id, at + size) != (correlation_id, len(answer)):
            self._tally.wrong.append(f"{api_key} v{version}: an answer to another request, or with a rest")
        return "refused" if any(_errors(plain(body))) else "answered"

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._streams = await asyncio.open_connection(*self._address)
        linger = self._streams[1].get_extra_info("socket")
        linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        return self._streams

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _errors(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "error_code" and inner:
                yield inner
            yield from _errors(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _errors(inner)
