"""What a log may trust when it is opened: written whole or not at all, and only after what it vouches for."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

CHECKPOINT_FILE = "checkpoint.json"


@dataclass(slots=True)
class Order:
    """Several threads write checkpoints of one log: one at a time, and never an older over a newer."""

    taken: int = 0
    written: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> int:
        self.taken += 1
        return self.taken


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state at one moment: what opening it may trust once `write` has returned."""

    directory: Path
    state: str
    indexes: tuple[tuple[Path, bytes], ...]
    order: Order
    number: int

    def write(self) -> None:
        """Sync the segments first: a checkpoint never vouches for bytes that a power cut could take."""
        with self.order.lock:
            if self.number <= self.order.written:
                return
            for path, index in self.indexes:
                sync_file(path)
                replace_file(path.with_suffix(".index"), index)
            replace_file(self.directory / CHECKPOINT_FILE, self.state.encode())
            self.order.written = self.number


def sync_file(path: Path) -> None:
    """Force a file to the disk, if it is still there: retention may be faster."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, content: bytes) -> None:
    """Write the whole file or leave the old one."""
    scratch = path.with_name(path.name + ".new")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
