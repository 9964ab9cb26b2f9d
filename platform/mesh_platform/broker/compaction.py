"""Compaction: of each key only the latest record stays, in the segments that are closed and stable.

Behaviour
* The active segment and what follows the last stable offset are never touched, offsets never change, and
  order stays.
* A segment with an event younger than min.compaction.lag.ms waits, with all that follow it; one older than
  max.compaction.lag.ms does not wait for others to be worth a pass.
* A record without a value (tombstone) stays for delete.retention.ms after its segment was last written to.
* Records of aborted transactions go, whatever their key. A marker stays as long as a record of its
  transaction does, and as long as a tombstone would.
* Segments are rewritten beside the old ones and synced; then one checkpoint makes all of them count at once.
  Until it is written the old ones do, after it a start gives the new ones their names.
* The last batch stays, if need be without records: who reads to the end is to get there.
* Rewritten batches are not compressed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from mesh_platform.broker.batch import Batch, rebuild
from mesh_platform.broker.checkpoint import Checkpoint
from mesh_platform.broker.files import replace_file
from mesh_platform.broker.isolation import Aborted
from mesh_platform.broker.log import Log
from mesh_platform.broker.records import Record, records
from mesh_platform.broker.segment import Segment

Latest = Mapping[bytes | None, int]
_NO_LAGS = (0, 2**63 - 1)


async def compact(
    log: Log, now: int, dirty_ratio: float, tombstones_ms: int, lags_ms: tuple[int, int] = _NO_LAGS
) -> None:
    """Compact the closed segments if enough of them is new. Raises CorruptBatch, OSError."""
    stable, (least, most) = log.stable_offset, lags_ms
    old_enough = takewhile(lambda s: not least or s.max_timestamp <= now - least, log.segments[:-1])
    closed = [segment for segment in old_enough if segment.next_offset <= stable]
    added = [segment for segment in closed if segment.next_offset > log.compacted_to]
    dirty = sum(segment.size for segment in added)
    overdue = any(segment.since <= now - most for segment in added)
    if not dirty or (dirty < dirty_ratio * sum(segment.size for segment in closed) and not overdue):
        return
    await _settle(log)
    until = closed[-1].next_offset
    cleaning = _Cleaning(until, log.isolation.aborted(0, until), now - tombstones_ms)
    fresh = await asyncio.to_thread(cleaning.rewrite, [segment.reader() for segment in closed])
    swaps = [(old, fresh.pop(old.base_offset)) for old in closed if _is_wanted(log, old, fresh)]
    for left in fresh.values():  # retention or a deleted topic was faster
        left.discard()
    log.compacted_to = until
    if swaps:
        log.isolation.forget(cleaning.gone)
        await asyncio.to_thread(_write, log.swap(swaps), [new for _, new in swaps])
        log.swapped()


async def _settle(log: Log) -> None:
    """Leave no checkpoint that speaks of earlier swaps: a kill would take half-written files for them."""
    if log.swaps:  # their names could not be given
        await asyncio.to_thread(_write, log.checkpoint(), tuple(log.swaps))
        log.swapped()
    await asyncio.to_thread(log.checkpoint().write)


def _is_wanted(log: Log, old: Segment, fresh: Mapping[int, Segment]) -> bool:
    return old.base_offset in fresh and old in log.segments and not log.deleted


def _write(checkpoint: Checkpoint, swapped: Sequence[Segment]) -> None:
    """The checkpoint makes the new segments count; their names come after."""
    checkpoint.write()
    for segment in swapped:
        segment.take_name()
        replace_file(segment.path.with_suffix(".index"), segment.index_bytes())


@dataclass(slots=True)
class _Cleaning:
    """One pass over closed segments; `gone` are the aborted transactions of which it left nothing."""

    until: int
    aborted: Sequence[Aborted]
    tombstones_before: int
    gone: list[Aborted] = field(default_factory=list)
    _by_producer: dict[int, list[Aborted]] = field(default_factory=dict)
    _written: set[int] = field(default_factory=set)  # producers with a record since their last marker

    def __post_init__(self) -> None:
        for entry in self.aborted:
            self._by_producer.setdefault(entry.producer_id, []).append(entry)

    def rewrite(self, segments: Sequence[Segment]) -> dict[int, Segment]:
        """Fresh segments by base offset, for those that lose something."""
        try:
            latest = self._latest(segments)
            cleaned = ((s.base_offset, self._rewrite(s, latest)) for s in segments if s.size)
            return {base: fresh for base, fresh in cleaned if fresh is not None}
        finally:
            for segment in segments:
                segment.close()

    def _latest(self, segments: Sequence[Segment]) -> Latest:
        return {
            record.key: record.offset for s in segments for _, _, found in self._open(s) for record in found
        }

    def _open(self, segment: Segment) -> Iterator[tuple[Batch, bytes, list[Record]]]:
        """Batches with their records; those of aborted transactions, and markers, have none to keep."""
        for batch, data in segment.batches():
            lost = batch.is_control or self._was_aborted(batch)
            yield batch, data, [] if lost else list(records(batch, data))

    def _was_aborted(self, batch: Batch) -> bool:
        mine = self._by_producer.get(batch.producer_id, ()) if batch.is_transactional else ()
        return any(a.first_offset <= batch.base_offset < a.last_offset for a in mine)

    def _rewrite(self, segment: Segment, latest: Latest) -> Segment | None:
        """The segment with only what stays, in a file beside it; None when all of it stays."""
        written = segment.path.stat().st_mtime_ns
        is_old = written // 1_000_000 < self.tombstones_before
        fresh = Segment(segment.path.parent, segment.base_offset)
        fresh.path = segment.path.with_suffix(".cleaned")
        fresh.path.unlink(missing_ok=True)
        lost = False
        for batch, data, found in self._open(segment):
            kept = [r for r in found if latest[r.key] == r.offset and (r.has_value or not is_old)]
            is_last = batch.last_offset + 1 == self.until
            if batch.is_control:
                stays = self._marker_stays(batch, is_old) or is_last
            else:
                stays = (bool(kept) or is_last) and len(kept) == batch.count
                self._written.update([batch.producer_id] if kept and batch.is_transactional else [])
            lost = lost or not stays
            if stays:
                fresh.append(data, batch, batch.base_offset, batch.max_timestamp)
            elif kept or is_last:
                _append_fewer(fresh, batch, kept)
        if not lost:
            fresh.discard()
            return None
        fresh.sync()
        os.utime(fresh.path, ns=(written, written))
        fresh.next_offset = segment.next_offset
        return fresh

    def _marker_stays(self, marker: Batch, is_old: bool) -> bool:
        if marker.producer_id in self._written or not is_old:
            self._written.discard(marker.producer_id)
            return True
        self.gone += [a for a in self.aborted if a.last_offset == marker.base_offset]
        return False


def _append_fewer(fresh: Segment, batch: Batch, kept: Iterable[Record]) -> None:
    kept = list(kept)
    max_timestamp = max((record.timestamp for record in kept), default=-1)
    data = rebuild(batch, [record.raw for record in kept], max_timestamp)
    fresh.append(data, batch, batch.base_offset, max_timestamp)
