"""Sockets that keep to a deadline, however slowly the other side talks.

A time-out of a socket counts from the last byte, so a peer that sends a byte a second is never late.
Here every read and write of a request ends at the deadline of the request.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpcore2

Clock = Callable[[], float]
_ENDS: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def until(end: float) -> Iterator[None]:
    """Within, every socket operation of this thread ends when the clock shows `end`."""
    token = _ENDS.set(end)
    try:
        yield
    finally:
        _ENDS.reset(token)


class Deadlines(httpcore2.NetworkBackend):
    """Connections that know the deadline of the request they serve. Raises httpcore2.TimeoutException."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect before the deadline."""
        left = remaining(self._clock, timeout, httpcore2.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._clock)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, remaining(self._clock, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, remaining(self._clock, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = remaining(self._clock, timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def remaining(clock: Clock, timeout: float | None, late: type[httpcore2.TimeoutException]) -> float | None:
    """What a socket operation may take: its own time-out, or less when the deadline is nearer."""
    end = _ENDS.get()
    if end is None:
        return timeout
    left = end - clock()
    if left <= 0:
        raise late("its time is up")
    return left if timeout is None else min(timeout, left)
