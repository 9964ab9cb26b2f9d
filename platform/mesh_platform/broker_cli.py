"""`mesh broker`: run, status, stop. The embedded broker as a thing of its own."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from mesh.cli.output import data as print_data
from mesh.cli.output import note
from mesh_platform.broker.sizes import size, told

broker = typer.Typer(
    name="broker",
    help="The embedded broker by itself: run, status, stop.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder that holds the events; default: broker in the state folder."),
]
_STOP_SECONDS = 30
_ANSWER_SECONDS = 5


def _folder(data: Path | None) -> Path:
    from mesh.config import find_state

    return data or find_state(Path.cwd(), os.environ) / "broker"


@broker.command()
def run(
    data: Data = None,
    host: Annotated[
        str, typer.Option("--host", help="Address; beyond loopback --allow-remote is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Kafka's port; 0: any free one.")] = 9092,
    fsync: Annotated[
        Literal["os", "always", "interval"],
        typer.Option("--fsync", help="When a write counts as done: os, always or interval."),
    ] = "os",
    fsync_ms: Annotated[
        int, typer.Option("--fsync-ms", min=1, help="The interval of --fsync interval.")
    ] = 1000,
    max_disk: Annotated[
        int | None,
        typer.Option(
            "--max-disk", parser=size, metavar="SIZE", help="Refuse writes beyond it, such as 20GiB."
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", help="Serve Prometheus metrics on this loopback port.")
    ] = None,
    auto_create_topics: Annotated[
        bool, typer.Option("--auto-create-topics", help="Create a topic when a client names it.")
    ] = False,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Serve beyond this machine, open to everyone there.")
    ] = False,
) -> None:
    """Serve Kafka's protocol from one folder until stopped; says where in one line of JSON.

    Example: mesh broker run --port 9092 --fsync interval
    """
    from mesh_platform.broker.__main__ import run as serve
    from mesh_platform.broker.options import Options

    wanted = Options(
        data=_folder(data),
        host=host,
        port=port,
        fsync=fsync,
        fsync_ms=fsync_ms,
        max_disk=max_disk,
        metrics_port=metrics_port,
        creates_topics=auto_create_topics,
        allow_remote=allow_remote,
    )
    serve(wanted)


@broker.command()
def status(
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say where the broker of a folder serves and what it holds; exits 4 when none does.

    Example: mesh broker status --json
    """
    from mesh.errors import UnreachableError
    from mesh_platform.broker.presence import present

    folder = _folder(data)
    found = present(folder)
    if found is None:
        raise UnreachableError(
            "no broker serves this folder",
            code="MESH-X016",
            where=str(folder),
            why="none was started, or it is just starting or stopping",
            fix="mesh broker run",
        )
    if not _answers(found.host, found.port):
        raise UnreachableError(
            f"the broker does not answer on {found.host}:{found.port}",
            code="MESH-X017",
            where=str(folder),
            why=f"process {found.pid} holds the folder, and said nothing for {_ANSWER_SECONDS} s",
            fix="mesh broker stop",
        )
    if as_json:
        print_data({"format_version": "1.0", "data": str(folder), **asdict(found)})
        return
    facts = {**asdict(found), "data": folder, "bytes": told(found.bytes)}
    for name, value in facts.items():
        print(f"{name:13}{value}")


@broker.command()
def stop(data: Data = None) -> None:
    """Ask the broker of a folder to stop, and wait for it.

    Example: mesh broker stop
    """
    from mesh.errors import MeshError
    from mesh_platform.broker.presence import holder

    folder = _folder(data)
    pid = holder(folder)
    if pid is None:
        note("no broker runs here")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while holder(folder) == pid:
        if time.monotonic() > deadline:
            raise MeshError(
                f"the broker has not stopped in {_STOP_SECONDS} s",
                code="MESH-P108",
                where=str(folder),
                why=f"process {pid} still holds the folder",
                fix=f"mesh broker stop again, or kill -9 {pid}: nothing acknowledged is lost by that",
            )
        time.sleep(0.05)
    note("stopped")


def _answers(host: str, port: int) -> bool:
    """Whether it answers Kafka's simplest question: which versions it knows."""
    question = struct.pack(">ihhih", 10, 18, 0, 1, -1)
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(question)
            return len(connection.recv(4)) == 4
    except OSError:
        return False
