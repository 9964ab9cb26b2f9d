"""What a log may trust when it is opened: written whole or not at all, and only after what it vouches for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKPOINT_FILE = "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state at one moment: what opening it may trust once `write` has returned."""

    directory: Path
    state: str
    indexes: tuple[tuple[Path, bytes], ...]

    def write(self) -> None:
        """Sync the segments first: a checkpoint never vouches for bytes that a power cut could take."""
        for path, index in self.indexes:
            sync_file(path)
            replace_file(path.with_suffix(".index"), index)
        replace_file(self.directory / CHECKPOINT_FILE, self.state.encode())


def sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
