"""Compaction: of each key only the latest record stays, in the segments that are closed.

Behaviour
* The active segment is never touched, offsets never change, and order stays.
* A record without a value (tombstone) stays for delete.retention.ms after its segment was last written to.
* A segment is rewritten beside the old one, synced, and put in its place by a rename: a kill at any moment
  leaves one or the other, and a log whose files are not what its checkpoint says is read anew.
* Rewritten batches are not compressed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence

from mesh_platform.broker.batch import Batch, rebuild
from mesh_platform.broker.log import Log
from mesh_platform.broker.records import Record, records
from mesh_platform.broker.segment import Segment

Latest = Mapping[bytes | None, int]


async def compact(log: Log, now: int, dirty_ratio: float, tombstones_ms: int) -> None:
    """Compact the closed segments if enough of them is new. Raises CorruptBatch, OSError."""
    closed = log.segments[:-1]
    dirty = sum(segment.size for segment in closed if segment.next_offset > log.compacted_to)
    if not dirty or dirty < dirty_ratio * sum(segment.size for segment in closed):
        return
    until = closed[-1].next_offset
    fresh = await asyncio.to_thread(_clean, [segment.reader() for segment in closed], now - tombstones_ms)
    changed = False
    for old in closed:
        if old.base_offset in fresh and old in log.segments and not log.deleted:
            log.replace(old, fresh.pop(old.base_offset))
            changed = True
    for left in fresh.values():  # retention or a deleted topic was faster
        left.discard()
    log.compacted_to = until
    if changed and not log.deleted:
        await asyncio.to_thread(log.checkpoint().write)


def _clean(segments: Sequence[Segment], tombstones_before: int) -> dict[int, Segment]:
    """Fresh segments by base offset, for those that lose something."""
    try:
        latest = _latest(segments)
        cleaned = ((s.base_offset, _rewrite(s, latest, tombstones_before)) for s in segments if s.size)
        return {base: fresh for base, fresh in cleaned if fresh is not None}
    finally:
        for segment in segments:
            segment.close()


def _latest(segments: Sequence[Segment]) -> Latest:
    return {
        record.key: record.offset
        for segment in segments
        for batch, data in segment.batches()
        for record in records(batch, data)
    }


def _rewrite(segment: Segment, latest: Latest, tombstones_before: int) -> Segment | None:
    """The segment with only what stays, in a file beside it; None when all of it stays."""
    written = segment.path.stat().st_mtime_ns
    keeps_tombstones = written // 1_000_000 >= tombstones_before
    fresh = Segment(segment.path.parent, segment.base_offset)
    fresh.path = segment.path.with_suffix(".cleaned")
    fresh.path.unlink(missing_ok=True)
    lost = False
    for batch, data in segment.batches():
        found = list(records(batch, data))
        kept = [r for r in found if _stays(r, latest, keeps_tombstones)]
        lost = lost or len(kept) < len(found)
        if len(kept) == len(found):
            fresh.append(data, batch, batch.base_offset, batch.max_timestamp)
        elif kept:
            _append_fewer(fresh, batch, kept)
    if not lost:
        fresh.discard()
        return None
    fresh.sync()
    os.utime(fresh.path, ns=(written, written))
    fresh.next_offset = segment.next_offset
    return fresh


def _stays(record: Record, latest: Latest, keeps_tombstones: bool) -> bool:
    return latest[record.key] == record.offset and (record.has_value or keeps_tombstones)


def _append_fewer(fresh: Segment, batch: Batch, kept: Sequence[Record]) -> None:
    max_timestamp = max(record.timestamp for record in kept)
    data = rebuild(batch, [record.raw for record in kept], max_timestamp)
    fresh.append(data, batch, batch.base_offset, max_timestamp)
