"""Mutated requests on several connections, beside a client that does nothing wrong."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType

from mesh_platform.chaos.history import Recorder
from tests.faults.registry.client import Client
from tests.faults.registry.nemesis import Platform
from tests.faults.registry.schemas import grown
from tests.fuzz.registry.requests import Asked, good_requests, mutated

_TALKERS = 4
#: What is claimed to come and does not is not waited for; what is whole is answered in this time.
_PATIENCE_SECONDS, _HANG_SECONDS = 0.2, 10.0


@dataclass(slots=True)
class Tally:
    """What came of the requests: how many had which status, the slowest answer, and what must not be."""

    told: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: list[int] = field(default_factory=list)  #: bytes held at the start and after each tenth part
    wrong: list[str] = field(default_factory=list)


class Healthy:
    """A client that does nothing wrong: registers, and reads by id, all the time."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.answered = 0
        self.slowest = 0.0
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._recorder = Recorder(folder / "healthy.log", "healthy")
        self._client = Client([platform.port], platform.token, self._recorder, self._stop)
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Healthy:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(30)
        self._client.close()
        self._recorder.__exit__()

    def _work(self) -> None:
        number = 0
        while not self._stop.wait(0.02):
            began = time.monotonic()
            told = self._client.register(f"healthy-{number // 20}-value", grown(number % 20, "Healthy"))
            if told.outcome == "ok":
                told = self._client.get(told.body["id"])
            if told.outcome == "ok":
                self.answered += 1
            else:
                self.errors.append(f"{told.status}: {str(told.body)[:200]}")
            self.slowest = max(self.slowest, time.monotonic() - began)
            number += 1


def attack(platform: Platform, folder: Path, *, requests: int, seed: int) -> Tally:
    """Send mutated requests to a platform, in front of a healthy client."""
    good = good_requests()
    tally = Tally()
    asyncio.run(_talk(platform, iter(good), tally))
    tally.memory.append(resident(platform))
    with Healthy(platform, folder) as healthy:
        asked = mutated(random.Random(seed), good)
        for _ in range(10):
            asyncio.run(_talk(platform, islice(asked, requests // 10), tally))
            tally.memory.append(resident(platform))
    tally.wrong += [f"the healthy client was told {error}" for error in healthy.errors[:3]]
    if not platform.alive():
        tally.wrong.append("the platform is gone")
    if not healthy.answered or healthy.slowest > _HANG_SECONDS:
        tally.wrong.append(f"the healthy client waited {healthy.slowest:.1f} s")
    return tally


def resident(platform: Platform) -> int:
    """Bytes of memory that the platform holds."""
    status = Path(f"/proc/{platform.pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


async def _talk(platform: Platform, asked: Iterator[Asked], tally: Tally) -> None:
    token = platform.token

    async def talker() -> None:
        for one in asked:
            began = time.monotonic()
            tally.told[await _ask(platform.port, one, token, tally)] += 1
            tally.slowest = max(tally.slowest, time.monotonic() - began)

    await asyncio.gather(*(talker() for _ in range(_TALKERS)))


async def _ask(port: int, asked: Asked, token: str, tally: Tally) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lies = asked.length or any(name in ("Transfer-Encoding", "Expect", "Upgrade") for name, _ in asked.extra)
    try:
        with suppress(ConnectionError):
            writer.write(asked.wire(token))
            async with asyncio.timeout(_PATIENCE_SECONDS if lies else _HANG_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.lower().split(b"\r\n")
                        if line[:15] == b"content-length:"
                    ),
                    0,
                )
                body = await reader.readexactly(0 if asked.method == "HEAD" else length)
                return _judge(asked, head, body, tally)
    except TimeoutError:
        if not lies:
            tally.wrong.append(f"no answer to {asked!r:.400}")
        return "silent"
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()
    return "hung up"


def _judge(asked: Asked, head: bytes, body: bytes, tally: Tally) -> str:
    """An answer is no fault of the server, and a refusal of the registry says its code and why."""
    status = int(head.split(b" ", 2)[1])
    if status >= 500:
        tally.wrong.append(f"{status} {body[:300]!r} for {asked!r:.600}")
    if status >= 400 and b"application/vnd.schemaregistry" in head and asked.method != "HEAD":
        said = json.loads(body)
        if not isinstance(said.get("error_code"), int) or not isinstance(said.get("message"), str):
            tally.wrong.append(f"a refusal without a reason: {body[:200]!r}")
    return str(status)
