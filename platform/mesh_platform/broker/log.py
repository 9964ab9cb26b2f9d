"""The log of one partition: segments in a folder, recovered when it is opened.

Behaviour
* An append is in the operating system's hands when it returns; base offset and leader epoch are stamped,
  nothing else.
* Opening trusts what the last checkpoint covers, proves every byte after it by CRC, keeps the valid
  prefix and reports what it dropped. Bytes that a checkpoint vouched for are proven when they are first
  served.
* Compacted segments are a part of the log once a checkpoint says so; opening gives them their names.
* A checkpoint is written when the log is closed, and by the node's upkeep.
* Offsets never go back, also when every record before them is gone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mesh_platform.broker.batch import Batch, stamp
from mesh_platform.broker.checkpoint import CHECKPOINT_FILE, Checkpoint, Order
from mesh_platform.broker.files import sync_file, sync_folder
from mesh_platform.broker.isolation import Aborted, Isolation
from mesh_platform.broker.recovery import Dropped, recover
from mesh_platform.broker.segment import Segment
from mesh_platform.broker.sequences import Sequences


class OffsetOutOfRange(Exception):
    """No such offset, before the log's start or after its end."""


class LogFailed(Exception):
    """An fsync failed; the log takes no more writes until it has been opened again."""


class Log:
    """Batches of one partition, from `start_offset` up to but not including `end_offset`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.start_offset = 0
        self.sequences = Sequences()
        self.isolation = Isolation()
        self.segments: list[Segment] = []
        self.swaps: list[Segment] = []
        self.waiters: set[Callable[[], None]] = set()
        self.failed = False
        self.deleted = False
        self.compacted_to = 0
        self.saved_base, self.saved_size = 0, 0
        self.synced, self._synced_name = 0, -1
        self._order = Order()
        self._syncing = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> tuple[Log, list[Dropped]]:
        """The log as it can be trusted, and what was lost of it."""
        log = cls(directory)
        directory.mkdir(parents=True, exist_ok=True)
        dropped = recover(log)
        return log, dropped

    @property
    def active(self) -> Segment:
        return self.segments[-1]

    @property
    def end_offset(self) -> int:
        return self.active.next_offset

    @property
    def stable_offset(self) -> int:
        """What read_committed may read up to: the first offset of the oldest open transaction, or the end."""
        return max(self.start_offset, self.isolation.stable_offset(self.end_offset))

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self.segments)

    # Writing

    def append(self, data: bytes, batch: Batch, now: int, *, append_time: bool, segment_bytes: int) -> int:
        """Write a proven batch; answers its base offset. Raises LogFailed, OSError: nothing is kept then."""
        if self.failed:
            raise LogFailed
        if self.active.size and self.active.size + len(data) > segment_bytes:
            self.roll()
        if not self.active.size:
            self.active.since = now
        base, latest = self.end_offset, now if append_time else batch.max_timestamp
        self.active.append(stamp(data, base, now if append_time else None), batch, base, latest)
        self.remember(batch, base, data, now)
        for wake in tuple(self.waiters):
            wake()
        return base

    def roll(self) -> None:
        """Close the active segment and begin the next."""
        fresh = Segment(self.directory, self.end_offset)
        fresh.create()  # its name alone says how far offsets have come
        self.segments.append(fresh)

    def roll_if_older(self, now: int, age_ms: int) -> None:
        """Close the active segment if it has been written to for that long."""
        if self.active.size and now - self.active.since > age_ms:
            self.roll()

    def sync(self) -> None:
        """Force what was written to the disk. Raises LogFailed, OSError; takes no more writes then.

        A second try would not do: what could not be written the operating system may have forgotten.
        """
        with self._syncing:
            if self.failed:
                raise LogFailed
            written = [s for s in self.segments if s.next_offset > self.synced]
            end, newest = self.end_offset, self.active.base_offset
            try:
                for segment in written:  # by name: the log may close or delete its files meanwhile
                    sync_file(segment.path)
                if written and newest != self._synced_name:
                    sync_folder(self.directory)
            except OSError:
                self.failed = True
                raise
            self.synced, self._synced_name = end, newest

    # Reading

    def read(self, offset: int, limit: int, *, whole: bool, until: int | None = None) -> bytes:
        """Batches from the one that holds `offset`, before `until`. Raises OffsetOutOfRange, CorruptBatch."""
        segment, position = self._find(offset)
        until = self.end_offset if until is None else until
        if segment is None or offset >= until:
            return b""
        room = segment.position_of(until) - position
        return segment.slice(position, min(limit, room), whole=whole)

    def available(self, offset: int, until: int) -> int:
        """Bytes from `offset` to `until`. Raises OffsetOutOfRange."""
        segment, position = self._find(offset)
        if segment is None or offset >= until:
            return 0
        later = (s for s in self.segments if segment.base_offset <= s.base_offset < until)
        return sum(s.position_of(until) for s in later) - position

    def aborted(self, offset: int, size: int) -> Sequence[Aborted]:
        """The aborted transactions among `size` bytes read from `offset`."""
        segment, position = self._find(offset)
        return self.isolation.aborted(offset, segment.offset_after(position + size)) if segment else ()

    def _find(self, offset: int) -> tuple[Segment | None, int]:
        if not self.start_offset <= offset <= self.end_offset:
            raise OffsetOutOfRange
        if offset == self.end_offset:
            return None, 0
        for index in range(len(self.segments) - 1, -1, -1):
            if self.segments[index].base_offset <= offset or index == 0:
                break
        for segment in self.segments[index:]:
            position = segment.locate(offset)
            if position is not None:
                return segment, position
        return None, 0

    def first_at_time(self, timestamp: int) -> tuple[Batch, bytes] | None:
        """The first batch with a record at or after `timestamp`, not before the log's start."""
        for segment in self.segments:
            if segment.max_timestamp >= timestamp and segment.next_offset > self.start_offset:
                return segment.first_at_time(timestamp)
        return None

    # Retention

    def advance_start(self, offset: int) -> None:
        """Hide everything before `offset`, and delete segments that lie before it."""
        self.start_offset = max(self.start_offset, offset)
        while len(self.segments) > 1 and self.segments[0].next_offset <= self.start_offset:
            self.segments.pop(0).delete()
        self.isolation.forget_before(self.start_offset)
        self.checkpoint().write()

    def swap(self, pairs: Iterable[tuple[Segment, Segment]]) -> Checkpoint:
        """Serve compacted segments from now on. Once the checkpoint is written, they may take their names."""
        for old, fresh in pairs:
            self.segments[self.segments.index(old)] = fresh
            self.swaps.append(fresh)
            old.close()
        return self.checkpoint()

    def swapped(self) -> None:
        """The compacted segments have their names."""
        for fresh in self.swaps:
            fresh.path = fresh.path.with_suffix(".log")
        self.swaps.clear()

    # Checkpoint and recovery

    @property
    def rolled(self) -> bool:
        """Whether a segment was closed or begun since the last checkpoint."""
        return self.active.base_offset != self.saved_base

    @property
    def unsaved(self) -> int:
        """Bytes of the active segment that opening this log would have to prove."""
        return self.active.size - (0 if self.rolled else self.saved_size)

    def checkpoint(self) -> Checkpoint:
        """What is known now, to be written by the caller, in another thread if it likes."""
        indexes = tuple((s.path, s.index_bytes()) for s in self.segments if s.base_offset >= self.saved_base)
        state = {
            "start": self.start_offset,
            "segments": [[s.base_offset, s.size, s.next_offset, s.max_timestamp] for s in self.segments],
            "producers": self.sequences.dump(),
            "transactions": self.isolation.dump(),
            "swaps": [s.base_offset for s in self.swaps],
        }
        self.saved_base, self.saved_size = self.active.base_offset, self.active.size
        return Checkpoint(self.directory, json.dumps(state), indexes, self._order, self._order.next())

    def close(self) -> None:
        """Sync, checkpoint and let go of the files. Raises OSError."""
        if self.unsaved or not (self.directory / CHECKPOINT_FILE).exists():
            self.checkpoint().write()
        for segment in self.segments:
            segment.close()

    def remember(self, batch: Batch, base_offset: int, data: bytes, now: int) -> None:
        """What a batch in the log says of its producer and its transaction."""
        if batch.is_control:
            self.sequences.fence(batch.producer_id, batch.producer_epoch, now)
        elif batch.is_idempotent:
            self.sequences.note(batch, base_offset, now)
        if batch.is_transactional:
            self.isolation.note(batch, base_offset, data)

    def delete(self) -> None:
        """Close the files and wake who waits; the folder is the caller's to remove."""
        self.deleted = True
        for segment in self.segments:
            segment.close()
        for wake in tuple(self.waiters):
            wake()
