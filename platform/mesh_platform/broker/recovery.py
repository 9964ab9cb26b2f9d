"""Recovery: a log as it can be trusted when it is opened.

Behaviour
* Swaps that the checkpoint speaks of are finished first.
* Up to where the checkpoint vouches for a segment nothing is read, and what it knows of producers and
  transactions is taken from it. Everything after that is proven by CRC. Where a file does not bear the
  checkpoint out, the whole log is read.
* The valid prefix stays. A torn or damaged tail is cut off; segments after a hole are set aside as
  `.dropped`, and all of it is reported. Offsets that were given out once are not given out again: a batch
  without records stands for them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_platform.broker.batch import blank, read_batch
from mesh_platform.broker.checkpoint import load
from mesh_platform.broker.isolation import Isolation
from mesh_platform.broker.segment import Segment
from mesh_platform.broker.sequences import Sequences

if TYPE_CHECKING:
    from mesh_platform.broker.log import Log


@dataclass(frozen=True, slots=True)
class Dropped:
    """What recovery could not keep: the log goes on at `offset`, `bytes` after it are gone."""

    file: str
    offset: int
    bytes: int


def recover(log: Log) -> list[Dropped]:
    """Fill an empty log from its folder; answers what was lost. Raises OSError."""
    saved = load(log.directory)
    for base in saved["swaps"]:
        Segment(log.directory, base).take_name()
    known = {base: (size, end, latest) for base, size, end, latest in saved["segments"]}
    bases = sorted(int(path.stem) for path in log.directory.glob("*.log"))
    log.segments = [Segment(log.directory, base) for base in bases]
    log.start_offset = saved["start"]
    newest = max(known, default=-1)
    holds = all(
        s.trust(*known[s.base_offset]) if s.base_offset in known else s.base_offset > newest
        for s in log.segments
    )
    if holds:
        log.sequences = Sequences.load(saved["producers"])
        log.isolation = Isolation.load(saved["transactions"])
        if log.segments and log.active.base_offset in known:
            log.saved_base, log.saved_size = log.active.base_offset, log.active.size
    else:
        log.segments = [Segment(log.directory, base) for base in bases]
    dropped = _prove(log)
    if not log.segments:
        log.segments = [Segment(log.directory, log.start_offset)]
    log.active.since = int(time.time() * 1000)
    log.synced = log.saved_base
    log.start_offset = max(log.start_offset, log.segments[0].base_offset)
    ends = [end for _, end, _ in known.values()]
    if log.end_offset < max(ends, default=0) and not dropped:  # whole batches are gone, without a trace
        dropped.append(Dropped(log.active.path.name, log.end_offset, 0))
    served = max(log.start_offset, *ends, *bases, 0)
    if log.end_offset < log.start_offset:
        log.segments.append(Segment(log.directory, log.start_offset))
        log.active.create()
    if log.end_offset < served:  # who reads to the end is to get there
        bridge = blank(log.end_offset, served)
        log.active.append(bridge, read_batch(bridge), log.end_offset, -1)
    if not holds or known.keys() - set(bases):  # what no file bears out now, a file that grows might
        log.checkpoint().write()
    return dropped


def _prove(log: Log) -> list[Dropped]:
    dropped: list[Dropped] = []
    expected, now = 0, int(time.time() * 1000)
    for segment in list(log.segments):
        if dropped:  # the log has a hole before this segment: nothing after it may be served
            dropped.append(Dropped(segment.path.name, segment.base_offset, segment.path.stat().st_size))
            log.segments.remove(segment)
            segment.set_aside()
            continue
        for batch, data in segment.scan(max(expected, segment.next_offset)):
            log.remember(batch, batch.base_offset, data, now)
        expected = segment.next_offset
        if surplus := segment.cut():
            dropped.append(Dropped(segment.path.name, segment.next_offset, surplus))
    return dropped
