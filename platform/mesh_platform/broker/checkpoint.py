"""What a log may trust when it is opened: written whole or not at all, and only after what it vouches for."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crc32c import crc32c

from mesh_platform.broker.files import replace_file, sync_file

CHECKPOINT_FILE = "checkpoint.json"
_NEVER_SAVED: Mapping[str, Any] = {
    "start": 0,
    "segments": [],
    "producers": [],
    "transactions": {"open": [], "aborted": []},
    "swaps": [],
}
_CHECKSUM, _CHECKSUM_BYTES = b"%08x\n", 9


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
            state = self.state.encode()
            replace_file(self.directory / CHECKPOINT_FILE, _CHECKSUM % crc32c(state) + state)
            self.order.written = self.number


def load(directory: Path) -> Mapping[str, Any]:
    """What the last checkpoint of a log said; what it did not say, or is damaged, is as at the beginning."""
    try:
        saved = _state((directory / CHECKPOINT_FILE).read_bytes())
        return dict(_NEVER_SAVED) | {key: saved[key] for key in saved.keys() & _NEVER_SAVED.keys()}
    except (OSError, ValueError):
        return _NEVER_SAVED


def _state(saved: bytes) -> dict[str, Any]:
    checksum, state = saved[:_CHECKSUM_BYTES], saved[_CHECKSUM_BYTES:]
    if saved.startswith(b"{"):  # as it was written before it had a checksum
        state = saved
    elif checksum != _CHECKSUM % crc32c(state):
        raise ValueError("the checksum does not match")
    return dict(json.loads(state))
