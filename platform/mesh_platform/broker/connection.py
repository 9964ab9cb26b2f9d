"""One connection: frames in, answers out, one after another as Kafka does.

Behaviour
* A frame with a negative or too large size, one that cannot be read, an unknown api key or a version that
  is not advertised closes the connection.
* A request is read when there is room for it beside those of the other connections; what only waits for
  others (fetch, join, sync) gives its room up.
* A client that stops in the middle of a request, or takes nothing of its answer, is hung up on after a
  while; one that goes away while it waits for others is let go within a second. It holds at most one answer
  in the broker, and when many do so, fetches get less at a time.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mesh import limits
from mesh_platform.broker import versions
from mesh_platform.broker.entities import BadFrame
from mesh_platform.broker.room import Held, Room
from mesh_platform.broker.traffic import Traffic
from mesh_platform.broker.wire import Call, Header, read_header, read_request, write_response

_SIZE_BYTES = 4
_FETCH, _JOIN_GROUP, _SYNC_GROUP = 1, 11, 14
_WAITS_FOR_OTHERS = frozenset({_FETCH, _JOIN_GROUP, _SYNC_GROUP})


class TooSlow(Exception):
    """The client does not do its part in time."""


class Connection:
    """`busy` while it answers: then it should be let end."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Callable[[Call], Awaitable[Mapping[str, Any] | None]],
        room: Room,
        traffic: Traffic,
    ) -> None:
        self.busy = False
        self._reader, self._writer = reader, writer
        self._handle, self._room, self._traffic = handle, room, traffic
        self._task = asyncio.current_task()
        self._last = False
        self.client = _host_and_port(writer.get_extra_info("peername"))
        self._listener = _host_and_port(writer.get_extra_info("sockname"))

    async def converse(self) -> None:
        """Answer until the client goes. Raises BadFrame, TooSlow, and what handlers and sockets raise."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._writer.transport.set_write_buffer_limits(high=0)  # drained means: all of it is gone
        while not self._last:
            size = await self._size()
            if not 0 <= size <= limits.REQUEST_BYTES:
                raise BadFrame(f"a frame of {size} bytes; the most is {limits.REQUEST_BYTES}")
            with await self._room.take(size) as held:
                await self._answer(await self._read(size), held)
            self._traffic.received += _SIZE_BYTES + size
            await self._drain()
            self.busy = False

    def end(self) -> None:
        """Stop: at once where it only waits, else after the request that is being answered."""
        self._last = True
        if not self.busy and self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """Hang up; what the client would not take is thrown away."""
        if self._writer.transport.get_write_buffer_size():
            self._writer.transport.abort()
        else:
            self._writer.close()

    async def _size(self) -> int:
        """Wait for a request as long as its client likes; answers how long it is."""
        head = await self._reader.read(_SIZE_BYTES)
        if len(head) < _SIZE_BYTES:
            head += await self._read(_SIZE_BYTES - len(head))
        return int.from_bytes(head, signed=True)

    async def _read(self, size: int) -> bytes:
        """A part of a request that has begun. Raises TooSlow."""
        try:
            async with asyncio.timeout(limits.REQUEST_SECONDS):
                part = await self._reader.readexactly(size)
        except TimeoutError:
            raise TooSlow(f"{size} bytes of a request did not come in {limits.REQUEST_SECONDS} s") from None
        return part

    async def _answer(self, frame: bytes, held: Held) -> None:
        header = read_header(frame)
        if not versions.is_advertised(header.api_key, header.version):
            self._write(_unsupported(header))
            return
        call = read_request(header, frame, self.client[0], self._listener)
        del frame  # a long poll must not keep the bytes of its request alive
        work, began = self._handle(call), time.perf_counter()
        if header.api_key in _WAITS_FOR_OTHERS:
            held.give()
            values = await self._while_there(work)
        else:
            self.busy = True
            values = await work
        self.busy = True
        self._traffic.answered(header.api_key, time.perf_counter() - began)
        if values is not None:
            self._write(write_response(header.api_key, header.version, header.correlation_id, values))

    async def _while_there(self, work: Awaitable[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
        """The answer, unless the client goes away in the meantime. Raises ConnectionResetError."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait((task,), timeout=limits.PRESENCE_SECONDS)
                if not task.done() and self._reader.at_eof():
                    raise ConnectionResetError
            return task.result()
        finally:
            task.cancel()

    def _write(self, answer: bytes) -> None:
        self._traffic.sent += len(answer)
        self._writer.write(answer)

    async def _drain(self) -> None:
        transport = self._writer.transport
        while left := transport.get_write_buffer_size():
            self._traffic.unsent += left
            try:
                async with asyncio.timeout(limits.ANSWER_SECONDS):
                    await self._writer.drain()
            except TimeoutError:
                if transport.get_write_buffer_size() >= left:
                    raise TooSlow(f"nothing of an answer was taken in {limits.ANSWER_SECONDS} s") from None
            finally:
                self._traffic.unsent -= left


def _unsupported(header: Header) -> bytes:
    if header.api_key != versions.API_VERSIONS:
        raise BadFrame(f"api {header.api_key} v{header.version} is not served here")
    return write_response(header.api_key, 0, header.correlation_id, versions.unsupported())


def _host_and_port(name: Any) -> tuple[str, int]:
    return (str(name[0]), int(name[1])) if name else ("unknown", 0)
