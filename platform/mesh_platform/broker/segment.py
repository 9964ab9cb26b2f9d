"""One segment: a file of record batches and a sparse index of it, one entry per 4 KiB.

The index answers two questions without touching the file: where does an offset lie, and from where on can
a time be. It lives in memory, is saved beside the file at a checkpoint, and can always be rebuilt from
the file.
"""

from __future__ import annotations

import contextlib
import os
import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

from crc32c import crc32c

from mesh_platform.broker.batch import HEADER_BYTES, PREFIX_BYTES, Batch, CorruptBatch, read_batch

INDEX_EVERY = 4096
_SPAN = struct.Struct(">qi")  # base offset, length
_TIMES = struct.Struct(">i8xq")  # last offset delta, max timestamp
_CHECKSUM = struct.Struct(">I")
_READ_AHEAD = 8192


class Segment:
    """Batches from `base_offset` on; `size` is what is valid, whatever the file holds beyond it."""

    def __init__(self, directory: Path, base_offset: int) -> None:
        self.path = directory / f"{base_offset:020d}.log"
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.size = 0
        self.max_timestamp = -1
        self.since = 0  # when its first batch came, or when it was opened again (milliseconds)
        self.verified_from = 0  # bytes before it were trusted to a checkpoint and are proven when read
        self._offsets = array("q")
        self._positions = array("q")
        self._times = array("q")
        self._last_indexed = -INDEX_EVERY
        self._file = -1

    # Writing

    def append(self, stamped: bytes | bytearray, batch: Batch, base_offset: int, max_timestamp: int) -> None:
        """Write at the end. Raises OSError; then the segment is as it was."""
        fd, at, view = self._open(), self.size, memoryview(stamped)
        try:
            while view:
                written = os.pwrite(fd, view, at)
                at, view = at + written, view[written:]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, self.size)
            raise
        self._note(base_offset, self.size, max_timestamp)
        self.size = at
        self.next_offset = base_offset + batch.last_offset_delta + 1

    def _note(self, base_offset: int, position: int, max_timestamp: int) -> None:
        self.max_timestamp = max(self.max_timestamp, max_timestamp)
        if position - self._last_indexed >= INDEX_EVERY:
            self._offsets.append(base_offset)
            self._positions.append(position)
            self._times.append(self.max_timestamp)
            self._last_indexed = position

    def sync(self) -> None:
        os.fsync(self._open())

    # Reading

    def locate(self, offset: int) -> int | None:
        """The position of the first batch that ends at or after `offset`; None when all end before it."""
        at = self._indexed_before(bisect_right(self._offsets, offset))
        before = None
        for position, base, size, delta, _ in self._headers(at):
            if base + delta >= offset:
                if base > offset and before and before[0] < self.verified_from:
                    self._proven(os.pread(self._open(), before[1], before[0]))  # is its header the damage?
                return position
            before = position, size
        return None

    def position_of(self, offset: int) -> int:
        """Where the batch that begins at or after `offset` lies; the end when there is none."""
        position = None if offset >= self.next_offset else self.locate(offset)
        return self.size if position is None else position

    def offset_after(self, position: int) -> int:
        """An offset that everything before `position` is below; up to 4 KiB of batches too far."""
        entry = bisect_left(self._positions, position)
        return self._offsets[entry] if entry < len(self._offsets) else self.next_offset

    def slice(self, position: int, limit: int, *, whole: bool) -> bytes:
        """Whole batches from `position`, up to `limit` bytes; with `whole`, the first even if larger."""
        end = min(self.size, position + max(limit, 0))
        if end < self.size:
            end = self._boundary(position, end)
            if end == position and whole and position < self.size:
                _, length = _SPAN.unpack(os.pread(self._open(), PREFIX_BYTES, position))
                end = position + length + PREFIX_BYTES
        data = os.pread(self._open(), end - position, position)
        return self._proven(data) if position < self.verified_from else data

    def _boundary(self, position: int, end: int) -> int:
        """The last batch boundary in `position..end`."""
        boundary = max(position, self._indexed_before(bisect_right(self._positions, end)))
        with contextlib.suppress(CorruptBatch):  # what lies before the damage can be served
            for at, _, size, _, _ in self._headers(boundary):
                if at + size > end:
                    break
                boundary = at + size
        return boundary

    def first_at_time(self, timestamp: int) -> tuple[Batch, bytes] | None:
        """The first batch with a record at or after `timestamp`."""
        at = self._indexed_before(bisect_left(self._times, timestamp))
        for position, _, size, _, latest in self._headers(at):
            if latest >= timestamp:
                data = os.pread(self._open(), size, position)
                return read_batch(data), data
        return None

    def batches(self) -> Iterator[tuple[Batch, bytes]]:
        """Every batch, in order. Raises CorruptBatch."""
        for position, _, size, _, _ in self._headers(0):
            data = os.pread(self._open(), size, position)
            yield read_batch(data), data

    def _indexed_before(self, entry: int) -> int:
        return self._positions[entry - 1] if entry > 0 else 0

    def _headers(self, at: int) -> Iterator[tuple[int, int, int, int, int]]:
        """(position, base offset, size, last offset delta, max timestamp) of each batch from `at` on."""
        window, start = b"", at
        while at < self.size:
            if at + HEADER_BYTES > start + len(window):
                window, start = os.pread(self._open(), min(_READ_AHEAD, self.size - at), at), at
            here = at - start
            if len(window) - here < HEADER_BYTES:
                raise CorruptBatch("a batch header is cut off")
            base, length = _SPAN.unpack_from(window, here)
            delta, latest = _TIMES.unpack_from(window, here + 23)
            if length + PREFIX_BYTES < HEADER_BYTES:
                raise CorruptBatch(f"a batch claims {length} bytes")
            yield at, base, length + PREFIX_BYTES, delta, latest
            at += length + PREFIX_BYTES

    @staticmethod
    def _proven(data: bytes) -> bytes:
        """The whole batches before the first damaged one. Raises CorruptBatch when that is the first."""
        at = 0
        while at < len(data):
            try:
                at += read_batch(data, at).size
            except CorruptBatch:
                if not at:
                    raise
                break
        return data[:at]

    def reader(self) -> Segment:
        """A second view of the same bytes with a file of its own, for another thread."""
        twin = Segment(self.path.parent, self.base_offset)
        twin.size, twin.next_offset = self.size, self.next_offset
        return twin

    # Recovery

    def scan(self, expected: int) -> Iterator[tuple[Batch, bytes]]:
        """Prove the file from `size` on, yielding good batches; stop at one torn, damaged or out of order."""
        on_disk = os.fstat(self._open()).st_size
        while self.size < on_disk:
            head = os.pread(self._open(), PREFIX_BYTES, self.size)
            if len(head) < PREFIX_BYTES:
                return
            base, length = _SPAN.unpack(head)
            if base < expected or length <= 0 or self.size + PREFIX_BYTES + length > on_disk:
                return
            try:
                data = os.pread(self._open(), PREFIX_BYTES + length, self.size)
                batch = read_batch(data)
            except CorruptBatch:
                return
            self._note(batch.base_offset, self.size, batch.max_timestamp)
            self.size += batch.size
            expected = self.next_offset = batch.last_offset + 1
            yield batch, data

    def cut(self) -> int:
        """Drop what the file holds beyond `size`; answers how many bytes that was."""
        surplus = os.fstat(self._open()).st_size - self.size
        if surplus > 0:
            os.ftruncate(self._open(), self.size)
        return max(surplus, 0)

    def trust(self, size: int, next_offset: int, max_timestamp: int) -> bool:
        """Take up to `size` as valid on a checkpoint's word; False when the file does not bear it out.

        Without its index the file is read, and the index made anew.
        """
        if self.path.stat().st_size < size or not (self._load_index(size) or self._index_again(size)):
            return False
        self.size = self.verified_from = size
        self.next_offset, self.max_timestamp = next_offset, max_timestamp
        return True

    def _index_again(self, size: int) -> bool:
        for _ in self.scan(0):
            if self.size >= size:
                break
        whole = self.size == size
        self.size = 0
        return whole

    def index_bytes(self) -> bytes:
        """The index as it is saved beside the file, its checksum in front."""
        index = (array("q", [len(self._offsets)]) + self._offsets + self._positions + self._times).tobytes()
        return _CHECKSUM.pack(crc32c(index)) + index

    def _load_index(self, size: int) -> bool:
        try:
            saved = self.path.with_suffix(".index").read_bytes()
        except OSError:
            return size == 0
        checksum, index = saved[: _CHECKSUM.size], saved[_CHECKSUM.size :]
        if checksum != _CHECKSUM.pack(crc32c(index)):
            return False
        blob = array("q", index)
        count = blob[0]
        keep = bisect_left(blob, size, 1 + count, 1 + 2 * count) - 1 - count
        self._offsets = blob[1 : 1 + keep]
        self._positions = blob[1 + count : 1 + count + keep]
        self._times = blob[1 + 2 * count : 1 + 2 * count + keep]
        self._last_indexed = self._positions[-1] if keep else -INDEX_EVERY
        return True

    # The file

    def create(self) -> None:
        """Make the file, still empty. Raises OSError."""
        self._open()

    def _open(self) -> int:
        if self._file < 0:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def set_aside(self) -> None:
        """Keep the file for a human to look at, out of the log's way."""
        self.close()
        self.path.rename(self.path.with_suffix(".dropped"))

    def discard(self) -> None:
        """Remove the file alone: the index beside it belongs to another."""
        self.close()
        self.path.unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the file, its index, and the one it was to replace."""
        self.close()
        for suffix in (".cleaned", ".log", ".index"):
            self.path.with_suffix(suffix).unlink(missing_ok=True)

    def take_name(self) -> None:
        """Put a compacted file in the place of the one it was made from, whose index goes first."""
        cleaned = self.path.with_suffix(".cleaned")
        if cleaned.exists():
            self.path.with_suffix(".index").unlink(missing_ok=True)
            cleaned.replace(self.path.with_suffix(".log"))
