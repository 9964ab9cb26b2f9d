"""Brokers broken on purpose, one fault each: a verifier is worth something only if it sees them all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from mesh_platform.broker import markers, node
from mesh_platform.broker.log import Log
from mesh_platform.broker.sequences import Sequences


def ack_before_write() -> None:
    """Acknowledges what lies in memory; it is written with the next read, sync, or 20 writes later."""
    waiting: list[tuple[int, bytes, int]] = []
    pwrite, pread, fsync = os.pwrite, os.pread, os.fsync

    def settle() -> None:
        for fd, data, at in waiting:
            pwrite(fd, data, at)
        waiting.clear()

    def write(fd: int, data: Any, at: int) -> int:
        waiting.append((fd, bytes(data), at))
        if len(waiting) > 20:
            settle()
        return len(data)

    def read(fd: int, size: int, at: int) -> bytes:
        settle()
        return pread(fd, size, at)

    def sync(fd: int) -> None:
        settle()
        fsync(fd)

    for name, slower in (("pwrite", write), ("pread", read), ("fsync", sync)):
        mock.patch.object(os, name, slower).start()


def drop_every_1000th() -> None:
    """Acknowledges every batch and forgets the one with each 1000th event."""
    append = Log.append
    count = 0

    def forgetful(log: Log, data: bytes, batch: Any, *arguments: Any, **settings: Any) -> Any:
        nonlocal count
        before, count = count, count + batch.count
        size, end = log.active.size, log.end_offset
        answer = append(log, data, batch, *arguments, **settings)
        if before // 1000 != count // 1000:
            log.active.size = size if log.active.base_offset < end else 0
            log.active.next_offset = end
        return answer

    mock.patch.object(Log, "append", forgetful).start()


def append_again() -> None:
    """Takes a repeated batch for a new one."""
    mock.patch.object(Sequences, "check", return_value=None).start()


def forget_the_tail() -> None:
    """Loses the last batch of every log when it opens, and gives its offsets out again."""
    opened = Log.open

    def shortened(directory: Any) -> Any:
        for path in sorted(directory.glob("*.log"))[-1:]:
            os.truncate(path, max(0, path.stat().st_size - 1))
        return opened(directory)

    mock.patch.object(Log, "open", shortened).start()


def show_aborted() -> None:
    """Tells no consumer which transactions were aborted."""
    mock.patch.object(Log, "aborted", return_value=()).start()


def commit_by_halves() -> None:
    """Ends transactions with a commit in one partition and an abort in the next."""
    written = markers.marker
    fates = itertools.cycle((True, False))

    def either(*who: Any, commits: bool, **when: Any) -> bytes:
        return written(*who, commits=commits and next(fates), **when)

    mock.patch.object(node, "marker", either).start()


KINDS: Mapping[str, Callable[[], None]] = {
    "ack-before-write": ack_before_write,
    "drop-every-1000th": drop_every_1000th,
    "append-again": append_again,
    "forget-the-tail": forget_the_tail,
    "show-aborted": show_aborted,
    "commit-by-halves": commit_by_halves,
}
