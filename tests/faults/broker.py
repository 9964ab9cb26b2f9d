"""The embedded broker, in a hurry, started to die at a named point: around a file operation, or within it.

    python -m tests.faults.broker --die replace:3 -- --data FOLDER --port 0

Upkeep (checkpoints, retention, compaction) comes round every 50 ms instead of every second, so that kills
meet it. `--die POINT:N` ends the process by SIGKILL at the N-th moment of that kind. Each operation has two
moments: one before it (for a write: when half of the bytes are written) and one after it.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

# kio imports hypothesis wherever it is installed, which costs every start 1.5 s.
sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]

from mesh_platform.broker import process, upkeep  # noqa: E402
from mesh_platform.chaos.countdown import Countdown, die  # noqa: E402
from tests.faults import broken  # noqa: E402

_CONTROL_BATCH, _ATTRIBUTES = 0x20, 22


def hurry() -> None:
    """Do every second's work every 50 ms, and checkpoint every 64 KiB."""
    for name, value in (("_ROUND_SECONDS", 0.05), ("_RETENTION_ROUNDS", 4), ("UNSAVED_BYTES", 64 * 1024)):
        mock.patch.object(upkeep, name, value).start()


def rest() -> None:
    """Change nothing while the last reader reads: a tombstone may go between two of its reads."""
    mock.patch.object(upkeep, "_ROUND_SECONDS", 3600).start()


def arm(countdown: Countdown) -> None:
    """Put the moments around the operations by which the broker changes files."""
    for name, point in (
        ("replace", "replace"),
        ("rename", "replace"),
        ("unlink", "unlink"),
        ("fsync", "sync"),
    ):
        setattr(os, name, _around(getattr(os, name), countdown, point))
    os.pwrite = _writing(os.pwrite, countdown)
    os.open = _opening(os.open, countdown)
    connect = sqlite3.connect

    class Mortal(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.lower().startswith(("select", "pragma", "begin")):
                return super().execute(sql, *values)
            countdown.pass_by("statement")
            cursor = super().execute(sql, *values)
            countdown.pass_by("statement")
            return cursor

    def mortal(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Mortal, **settings)

    sqlite3.connect = mortal  # type: ignore[assignment]


def _around(operation: Callable[..., Any], countdown: Countdown, point: str) -> Callable[..., Any]:
    def surrounded(*arguments: Any, **settings: Any) -> Any:
        countdown.pass_by(point)
        result = operation(*arguments, **settings)
        countdown.pass_by(point)
        return result

    return surrounded


def _writing(operation: Callable[..., int], countdown: Countdown) -> Callable[..., int]:
    def write(fd: int, data: Any, at: int) -> int:
        marker = len(data) > _ATTRIBUTES and data[_ATTRIBUTES] & _CONTROL_BATCH
        points = ("write", "marker") if marker else ("write",)
        if countdown.moment(*points):
            operation(fd, data[: len(data) // 2], at)
            die()
        written = operation(fd, data, at)
        countdown.pass_by(*points)
        return written

    return write


def _opening(operation: Callable[..., int], countdown: Countdown) -> Callable[..., int]:
    def open_(path: Any, flags: int, *rest: Any, **settings: Any) -> int:
        new = flags & os.O_CREAT and str(path).endswith(".log") and not Path(path).exists()
        if new:
            countdown.pass_by("roll")
        fd = operation(path, flags, *rest, **settings)
        if new:
            countdown.pass_by("roll")
        return fd

    return open_


def main() -> int:
    """Arm the broker as told and run it."""
    parser = argparse.ArgumentParser(prog="tests.faults.broker")
    parser.add_argument("--die", help="POINT:N")
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--broken", choices=sorted(broken.KINDS))
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    pace = rest if options.rest else hurry
    pace()
    if options.broken:
        broken.KINDS[options.broken]()
    if options.die:
        point, _, number = options.die.partition(":")
        arm(Countdown(point, int(number)))
    return process.main(options.arguments)


if __name__ == "__main__":
    sys.exit(main())
