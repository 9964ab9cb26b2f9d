"""Connections: frames in, calls dispatched in order, frames out.

Behaviour
* Requests of one connection are answered one after another, in order, as Kafka does; connections do not
  wait for each other.
* A frame with a negative or too large size, one that cannot be read, an unknown api key or a version that
  is not advertised closes the connection it came on; a handler that fails answers nothing and closes it
  too. The broker goes on.
* A client that does not read its answers holds at most one of them in the broker.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mesh import limits
from mesh_platform.broker import (
    commits,
    configs,
    fetch,
    groups,
    journal,
    offsets,
    produce,
    producers,
    topics,
    transaction_reports,
    transactions,
    versions,
)
from mesh_platform.broker.entities import BadFrame
from mesh_platform.broker.node import Node
from mesh_platform.broker.produce import Hangup
from mesh_platform.broker.wire import Call, Header, read_header, read_request, write_response

Handler = Callable[[Node, Call], Awaitable[Mapping[str, Any] | None]]
HANDLERS: Mapping[int, Handler] = {
    0: produce.produce,
    1: fetch.fetch,
    2: offsets.list_offsets,
    3: topics.metadata,
    8: commits.offset_commit,
    9: commits.offset_fetch,
    10: groups.find_coordinator,
    11: groups.join_group,
    12: groups.heartbeat,
    13: groups.leave_group,
    14: groups.sync_group,
    15: groups.describe_groups,
    16: groups.list_groups,
    18: versions.api_versions,
    19: topics.create_topics,
    20: topics.delete_topics,
    21: offsets.delete_records,
    22: producers.init_producer_id,
    23: offsets.offset_for_leader_epoch,
    24: transactions.add_partitions_to_txn,
    25: transactions.add_offsets_to_txn,
    26: transactions.end_txn,
    28: transactions.txn_offset_commit,
    32: configs.describe_configs,
    33: configs.alter_configs,
    37: topics.create_partitions,
    42: groups.delete_groups,
    44: configs.incremental_alter_configs,
    47: commits.offset_delete,
    60: topics.describe_cluster,
    61: transaction_reports.describe_producers,
    65: transaction_reports.describe_transactions,
    66: transaction_reports.list_transactions,
}
_READ_BUFFER = 1024 * 1024


class Server:
    """Serves one node on one listener."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Start serving; answers where. Raises OSError."""
        self._listener = await asyncio.start_server(self._connected, host, port, limit=_READ_BUFFER)
        name = self._listener.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def close(self) -> None:
        """Stop listening, let what is being answered end, then hang up."""
        if self._listener is not None:
            self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= limits.CONNECTIONS:
            journal.note("refused", why=f"{limits.CONNECTIONS} connections are open")
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except asyncio.CancelledError:
            pass  # the broker stops; ending the task quietly is the answer
        except BadFrame as error:
            journal.note("bad frame", client=_peer(writer)[0], reason=str(error))
        except (Hangup, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client is gone, or is told no by hanging up
        except Exception as error:  # one client's request must never end the broker
            journal.note("failed", client=_peer(writer)[0], reason=repr(error), kind=type(error).__name__)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client, listener = _peer(writer), writer.get_extra_info("sockname")
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            if not 0 <= size <= limits.REQUEST_BYTES:
                raise BadFrame(f"a frame of {size} bytes; the most is {limits.REQUEST_BYTES}")
            frame = await reader.readexactly(size)
            answer = await self._answer(frame, client[0], (str(listener[0]), int(listener[1])))
            del frame  # a long poll must not keep a produce request's bytes alive
            if answer is not None:
                writer.write(answer)
                await writer.drain()

    async def _answer(self, frame: bytes, client_host: str, listener: tuple[str, int]) -> bytes | None:
        header = read_header(frame)
        if not versions.is_advertised(header.api_key, header.version):
            return _unsupported(header)
        call = read_request(header, frame, client_host, listener)
        values = await HANDLERS[header.api_key](self._node, call)
        if values is None:
            return None
        return write_response(header.api_key, header.version, header.correlation_id, values)


def _unsupported(header: Header) -> bytes:
    if header.api_key != versions.API_VERSIONS:
        raise BadFrame(f"api {header.api_key} v{header.version} is not served here")
    return write_response(header.api_key, 0, header.correlation_id, versions.unsupported())


def _peer(writer: asyncio.StreamWriter) -> tuple[str, int]:
    name = writer.get_extra_info("peername") or ("unknown", 0)
    return str(name[0]), int(name[1])
