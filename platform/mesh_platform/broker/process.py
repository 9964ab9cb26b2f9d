"""The broker process: arguments, signals, the line that says it serves, and the rounds of upkeep."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from mesh.errors import MeshError, PlanError
from mesh_platform.broker import journal
from mesh_platform.broker.node import Node
from mesh_platform.broker.server import Server
from mesh_platform.broker.upkeep import upkeep


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; answers the exit code."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except MeshError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mesh_platform.broker", description="One Kafka node in one process."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the events")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--fsync", choices=("os", "always"), default="os", help="when a write counts as done")
    parser.add_argument(
        "--auto-create-topics", action="store_true", help="create a topic when a client names it"
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when stdin ends")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    _raise_file_limit()
    node = Node(options.data, options.fsync, creates_topics=options.auto_create_topics)
    await node.settle()
    server = Server(node)
    try:
        host, port = await _listen(server, options.host, options.port)
        _announce(host, port, node)
        gc.freeze()
        rounds = asyncio.create_task(upkeep(node))
        await _told_to_stop(options.exit_with_parent)
        rounds.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rounds
    finally:
        await server.close()
        node.close()


async def _listen(server: Server, host: str, port: int) -> tuple[str, int]:
    try:
        return await server.listen(host, port)
    except OSError as error:
        raise PlanError(
            f"the broker cannot listen on {host}:{port}",
            code="MESH-P103",
            where=f"{host}:{port}",
            why=os.strerror(error.errno) if error.errno and error.errno > 0 else str(error),
            fix="stop what uses the port, or choose another with --port (0 takes a free one)",
        ) from error


def _announce(host: str, port: int, node: Node) -> None:
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
    print(json.dumps({"host": host, "port": port, "pid": os.getpid(), "recovered": recovered}), flush=True)


async def _told_to_stop(with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _read_to_end, loop, stop)
    await stop.wait()
    journal.note("stopping")


def _read_to_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _raise_file_limit() -> None:
    """Each partition and each connection is a file; the soft limit is often 1,024 or less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
