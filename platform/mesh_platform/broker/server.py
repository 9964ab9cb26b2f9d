"""The listener: connections in, up to a limit, and each call to the handler of its api key.

Behaviour
* Connections do not wait for each other; one too many is closed.
* A handler that fails answers nothing and closes its connection. The broker goes on.
* Closing stops listening, ends who only waits, lets running requests end within a bound, then hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mesh import limits
from mesh_platform.broker import (
    commits,
    configs,
    fetch,
    groups,
    journal,
    log_dirs,
    metadata,
    offsets,
    produce,
    producers,
    replicas,
    security,
    topics,
    transaction_reports,
    transactions,
    versions,
)
from mesh_platform.broker.connection import Connection, TooSlow
from mesh_platform.broker.entities import BadFrame
from mesh_platform.broker.node import Node
from mesh_platform.broker.produce import Hangup
from mesh_platform.broker.room import Room
from mesh_platform.broker.wire import Call

Handler = Callable[[Node, Call], Awaitable[Mapping[str, Any] | None]]
HANDLERS: Mapping[int, Handler] = {
    0: produce.produce,
    1: fetch.fetch,
    2: offsets.list_offsets,
    3: metadata.metadata,
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
    29: security.describe_acls,
    30: security.create_acls,
    31: security.delete_acls,
    32: configs.describe_configs,
    33: configs.alter_configs,
    35: log_dirs.describe_log_dirs,
    37: topics.create_partitions,
    42: groups.delete_groups,
    43: replicas.elect_leaders,
    44: configs.incremental_alter_configs,
    45: replicas.alter_partition_reassignments,
    46: replicas.list_partition_reassignments,
    47: commits.offset_delete,
    48: security.describe_client_quotas,
    50: security.describe_user_scram_credentials,
    51: security.alter_user_scram_credentials,
    60: metadata.describe_cluster,
    61: transaction_reports.describe_producers,
    65: transaction_reports.describe_transactions,
    66: transaction_reports.list_transactions,
    74: configs.list_config_resources,
    75: metadata.describe_topic_partitions,
}
_READ_BUFFER = 64 * 1024  # a connection that waits for room holds a few of it


class Server:
    """Serves one node on one listener."""

    def __init__(self, node: Node) -> None:
        self.traffic = node.traffic
        self.room = Room(limits.IN_FLIGHT_BYTES)
        self.connections: dict[Connection, asyncio.Task[None]] = {}
        self._node = node
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
        for connection in tuple(self.connections):
            connection.end()
        tasks = tuple(self.connections.values())
        if tasks:
            await asyncio.wait(tasks, timeout=limits.STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self.connections) >= limits.CONNECTIONS:
            self.traffic.refused["connections"] += 1
            journal.note("refused", why=f"{limits.CONNECTIONS} connections are open")
            writer.close()
            return
        connection = Connection(reader, writer, self._handle, self.room, self.traffic)
        self.traffic.accepted += 1
        self.connections[connection] = task
        try:
            await connection.converse()
        except asyncio.CancelledError:
            pass  # the broker stops; ending the task quietly is the answer
        except BadFrame as error:
            self.traffic.refused["bad frame"] += 1
            journal.note("bad frame", client=connection.client[0], reason=str(error))
        except TooSlow as error:
            self.traffic.refused["too slow"] += 1
            journal.note("hung up", client=connection.client[0], reason=str(error))
        except (Hangup, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client is gone, or is told no by hanging up
        except Exception as error:  # one client's request must never end the broker
            kind = type(error).__name__
            journal.note("failed", client=connection.client[0], reason=repr(error), kind=kind)
        finally:
            del self.connections[connection]
            connection.close()

    def _handle(self, call: Call) -> Awaitable[Mapping[str, Any] | None]:
        return HANDLERS[call.api_key](self._node, call)
