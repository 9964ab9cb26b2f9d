"""The run file of a data folder: where its broker serves and what it holds, for the commands of this machine.

Behaviour
* It is replaced as a whole, at most once a second and only when something changed.
* It only describes. Whether a broker lives is decided by the folder's lock: a file that a killed broker left
  behind, or one that a starting broker has not replaced yet, is no running broker.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mesh_platform.broker import journal

RUN_FILE = "run.json"
_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A broker that serves."""

    pid: int
    host: str
    port: int
    started: str  #: when it began to serve, ISO 8601 in UTC
    version: str  #: of mesh
    bytes: int  #: of all logs
    topics: int
    partitions: int
    connections: int
    groups: int

    def write(self, data: Path) -> None:
        """Tell; readers never see half a file. Raises OSError."""
        draft = data / f"{RUN_FILE}.new"
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(data / RUN_FILE)


async def telling(data: Path, look: Callable[[], Presence]) -> None:
    """Keep the run file true until cancelled, then remove it."""
    told: Presence | None = None
    try:
        while True:
            if (now := look()) != told:
                try:
                    await asyncio.to_thread(now.write, data)
                    told = now
                except OSError as error:
                    journal.note("run file not written", reason=str(error))
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        with contextlib.suppress(OSError):
            (data / RUN_FILE).unlink(missing_ok=True)


def present(data: Path) -> Presence | None:
    """The broker that serves this folder, if there is one."""
    try:
        presence = Presence(**json.loads((data / RUN_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return presence if presence.pid == holder(data) else None


def holder(data: Path) -> int | None:
    """The process that holds the folder's lock, also while it starts or stops."""
    try:
        lock = os.open(data / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pid = int(os.pread(lock, 32, 0))
        if not _lives(pid):  # asked first: trying the lock must never be in the way of a broker that starts
            return None
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except ValueError:
        return None
    except BlockingIOError:
        return pid
    finally:
        os.close(lock)
    return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
