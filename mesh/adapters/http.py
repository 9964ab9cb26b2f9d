"""One HTTP client for the platform and registries: a time budget, a few retries, no surprises.

Whatever comes back is JSON of bounded size within the budget, or UnreachableError: a page of HTML, half an
answer, a flood, a trickle. Redirects are not followed: credentials never leave the host they were given for.
"""

from __future__ import annotations

import json
import random
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from mesh.adapters.addresses import Address
from mesh.adapters.deadlines import Clock, Deadlines, until
from mesh.errors import UnreachableError

#: Nothing was done, or nothing can be known of it: the same request may do better.
_RETRIED = {408, 429, 500, 502, 503, 504}
#: Requests that do no more when they are sent twice.
IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
ANSWER_BYTES = 32 * 1024 * 1024
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What one request may cost: seconds for all tries together, tries, and seconds of silence in each."""

    seconds: float = 30.0
    tries: int = 4
    silence: float = 10.0


@dataclass(frozen=True, slots=True)
class Hours:
    """The time and the waiting of a client; tests bring their own."""

    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.5, 1.0))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    content: bytes


class Http:
    """Requests to one base address with its credentials."""

    def __init__(
        self,
        base: str,
        token: str,
        *,
        name: str,
        budget: Budget | None = None,
        repeatable: frozenset[str] = IDEMPOTENT,
        hours: Hours | None = None,
    ) -> None:
        self._address = Address.parsed(base, token)
        self.base = self._address.shown
        self._name = name
        self._budget = budget or Budget()
        self._repeatable = repeatable
        self._hours = hours or Hours()
        self._pool = self._address.pool(Deadlines(self._hours.clock))
        # A notebook does not close what a cell leaves behind; sockets are closed all the same.
        self._end = weakref.finalize(self, self._pool.close)

    def request(
        self, method: str, path: str, body: object | None = None, *, budget: Budget | None = None
    ) -> tuple[int, Any]:
        """Status and parsed answer; raises UnreachableError (MESH-X002) when none comes in time."""
        allowed = budget or self._budget
        content = None if body is None else json.dumps(body).encode()
        end = self._hours.clock() + allowed.seconds
        for attempt in range(1, allowed.tries + 1):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * self._hours.jitter()
            last = attempt == allowed.tries
            try:
                with until(end):
                    answer = self._sent(method, path, content, allowed)
            except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
                if last or not self._worth_another(method, error):
                    raise self.unreachable(str(error) or type(error).__name__) from error
            else:
                if last or not self._asks_again(method, answer.status):
                    return answer.status, self._parsed(answer)
                pause = max(pause, _retry_after(answer.headers))
            if self._hours.clock() + pause >= end:
                raise self.unreachable(f"it did not answer within {allowed.seconds:g} s")
            self._hours.sleep(pause)
        raise self.unreachable(f"it did not answer in {allowed.tries} tries")

    def unreachable(self, why: str) -> UnreachableError:
        """The error of an answer that is none."""
        return UnreachableError(
            f"the {self._name} does not answer at {self.base}",
            code="MESH-X002",
            where=self.base,
            why=why,
            fix="mesh up   (or set MESH_PLATFORM_URL to a running platform)",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._end()

    def _worth_another(self, method: str, error: Exception) -> bool:
        """A refused connection is told at once; what may have arrived is sent again only if it may be."""
        if isinstance(error, httpcore2.ConnectError):
            return False
        return isinstance(error, httpcore2.ConnectTimeout) or method in self._repeatable

    def _asks_again(self, method: str, status: int) -> bool:
        return status in _RETRIED and (status == 429 or method in self._repeatable)

    def _sent(self, method: str, path: str, content: bytes | None, allowed: Budget) -> _Answer:
        headers: list[tuple[bytes | str, bytes | str]] = [
            *self._address.headers.items(),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
        ]
        if content is not None:
            headers.append(("Content-Type", "application/json"))
        waits = dict.fromkeys(("connect", "read", "write", "pool"), allowed.silence)
        with self._pool.stream(
            method, self._address.url(path), headers=headers, content=content, extensions={"timeout": waits}
        ) as response:
            told = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in response.headers}
            content_read = bytearray()
            for chunk in response.iter_stream():
                content_read += chunk
                if len(content_read) > ANSWER_BYTES:
                    raise self.unreachable(f"its answer is more than {ANSWER_BYTES:,} bytes")
            return _Answer(response.status, told, bytes(content_read))

    def _parsed(self, answer: _Answer) -> Any:
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "nowhere")
            raise self.unreachable(f"it sends on to {target}, where the credentials do not belong")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise self.unreachable("it answers packed, which nobody asked for")
        try:
            return json.loads(answer.content) if answer.content else None
        except (ValueError, RecursionError) as error:
            kind = answer.headers.get("content-type", "no content type")
            raise self.unreachable(f"it answered {answer.status} with {kind}, not JSON") from error


def _retry_after(headers: dict[str, str]) -> float:
    """Seconds that the answer asks to wait; a date is not minded."""
    told = headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else 0.0
