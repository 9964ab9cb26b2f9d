"""The broker process: signals, the line that says it serves, and what goes on beside the connections."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from types import FrameType
from typing import Any

from mesh.errors import MeshError, PlanError
from mesh_platform.broker import journal, options
from mesh_platform.broker.flushing import flushing
from mesh_platform.broker.node import Node
from mesh_platform.broker.options import LOOPBACK, Options
from mesh_platform.broker.presence import Presence, telling
from mesh_platform.broker.server import Server
from mesh_platform.broker.store import STORE_FILE
from mesh_platform.broker.upkeep import upkeep


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; answers the exit code."""
    try:
        run(options.read(arguments))
    except MeshError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def run(wanted: Options) -> None:
    """Serve until told to stop. Raises PlanError when it cannot start."""
    wanted.check()
    if wanted.is_remote:
        journal.note("open to everyone", host=wanted.host, why="this broker has no authentication")
    asyncio.run(_serve(wanted))


async def _serve(wanted: Options) -> None:
    _raise_file_limit()
    asyncio.get_running_loop().set_exception_handler(_note_failure)
    node = _open(wanted)
    await node.settle()
    server = Server(node)
    try:
        host, port = await _listen(server, wanted.host, wanted.port)
        with _metrics(wanted.metrics_port, node, server) as metrics_port:
            stop = _stop_when_told(wanted.exit_with_parent)
            _announce(host, port, metrics_port, node)
            gc.freeze()
            rounds = [upkeep(node), telling(node.data, _looking(node, server, host, port))]
            if wanted.fsync == "interval":
                rounds.append(flushing(node, wanted.fsync_ms))
            await _until(stop, rounds)
    finally:
        await server.close()
        node.close()


def _open(wanted: Options) -> Node:
    try:
        return Node(wanted.data, wanted.fsync, creates_topics=wanted.creates_topics, max_disk=wanted.max_disk)
    except (sqlite3.DatabaseError, ValueError, LookupError, TypeError) as error:  # or its rows are damaged
        raise PlanError(
            "the broker cannot read what it knows of its topics and groups",
            code="MESH-P106",
            where=str(wanted.data / STORE_FILE),
            why=str(error),
            fix="restore the data folder from a copy, or name another folder with --data",
        ) from error


async def _listen(server: Server, host: str, port: int) -> tuple[str, int]:
    try:
        return await server.listen(host, port)
    except (OSError, OverflowError) as error:
        raise _no_listening(host, port, "--port", error) from error


@contextlib.contextmanager
def _metrics(port: int | None, node: Node, server: Server) -> Iterator[int | None]:
    """Serve metrics while the context is open; answers on which port. Raises PlanError."""
    if port is None:
        yield None
        return
    from mesh_platform.broker.metrics import serving  # its library is only loaded by who wants it

    try:
        metrics = serving(LOOPBACK, port, node, server)
    except (OSError, OverflowError) as error:
        raise _no_listening(LOOPBACK, port, "--metrics-port", error) from error
    with metrics as bound:
        yield bound


def _no_listening(host: str, port: int, option: str, error: Exception) -> PlanError:
    number = getattr(error, "errno", None)
    return PlanError(
        f"the broker cannot listen on {host}:{port}",
        code="MESH-P103",
        where=f"{host}:{port}",
        why=os.strerror(number) if number and number > 0 else str(error),
        fix=f"stop what uses the port, or choose another with {option} (0 takes a free one)",
    )


def _announce(host: str, port: int, metrics_port: int | None, node: Node) -> None:
    recovered = [
        {
            "topic": topic,
            "partition": partition,
            "offset": loss.offset,
            "bytes": loss.bytes,
            "file": loss.file,
        }
        for topic, partition, loss in node.recovered
    ]
    line = {"host": host, "port": port, "pid": os.getpid(), "recovered": recovered}
    print(json.dumps(line | ({"metrics_port": metrics_port} if metrics_port else {})), flush=True)


def _looking(node: Node, server: Server, host: str, port: int) -> Callable[[], Presence]:
    """What asks for the broker's presence now."""
    pid, mesh, started = os.getpid(), version("mesh"), datetime.now(UTC).isoformat(timespec="seconds")
    return lambda: Presence(
        pid=pid,
        host=host,
        port=port,
        started=started,
        version=mesh,
        bytes=node.disk.used,
        topics=len(node.topics),
        partitions=sum(len(topic.logs) for topic in node.topics.values()),
        connections=len(server.connections),
        groups=len(node.coordinator.groups),
    )


async def _until(stop: asyncio.Event, rounds: Sequence[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.create_task(_noted(work)) for work in rounds]
    await stop.wait()
    journal.note("stopping")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _noted(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # clients are served on, and whoever runs it must know
        journal.note("loop failed", reason=repr(error))


def _stop_when_told(with_parent: bool) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, loop, stop)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _read_to_end, loop, stop)
    return stop


def _stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """The first signal; the next one is met also while the loop waits for the disk."""
    stop.set()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(each)
        signal.signal(each, _end_at_once)


def _end_at_once(number: int, _: FrameType | None) -> None:
    journal.note("stopped at once")
    os._exit(128 + number)


def _read_to_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _note_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    journal.note("loop failed", reason=repr(context.get("exception") or context["message"]))


def _raise_file_limit() -> None:
    """Each partition and each connection is a file; the soft limit is often 1,024 or less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
