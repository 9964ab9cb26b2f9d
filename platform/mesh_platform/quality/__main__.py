"""`python -m mesh_platform.quality`: the quality worker as a process of its own.

It stops by SIGTERM, SIGINT or, with --exit-with-parent, when its stdin ends. Exit code 0 after a clean
stop, 4 when broker or platform stay unreachable, otherwise the error's own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from mesh.errors import MeshError, UsageError
from mesh_platform.quality.windows import Pace


def main(arguments: list[str]) -> int:
    """Run the worker; answers the exit code."""
    from mesh.cli.stopping import until_stopped
    from mesh.connection import connect
    from mesh_platform.quality.worker import run_worker

    asked = _parsed(arguments)
    try:
        pace = _pace(asked.window, asked.every)
        if asked.exit_with_parent:
            threading.Thread(target=_end_with_parent, daemon=True).start()
        with until_stopped(exit_with_parent=False) as going_on, connect() as mesh:
            run_worker(mesh, pace, going_on, _ready)
    except MeshError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m mesh_platform.quality", description="Check products in windows."
    )
    parser.add_argument("--window", type=int, default=Pace().rows, help="events of a window, at most")
    parser.add_argument("--every", type=float, default=Pace().seconds, help="seconds of a window, at most")
    parser.add_argument("--exit-with-parent", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _pace(rows: int, seconds: float) -> Pace:
    if rows < 1 or not 0 < seconds <= 86_400:
        raise UsageError(
            f"a window of {rows:,} events or {seconds:g} seconds",
            code="MESH-U080",
            why="it has at least one event and lasts at most a day",
            fix="python -m mesh_platform.quality --window 50000 --every 2.0",
        )
    return Pace(rows, seconds)


def _end_with_parent() -> None:
    # Below Python's buffers: their lock, held by a thread that never ends, aborts the interpreter at exit.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _ready() -> None:
    print(json.dumps({"pid": os.getpid()}), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
