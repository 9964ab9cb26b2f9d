"""`--fsync interval`: what was written is forced to the disk every so often.

Behaviour
* After a power cut at most the events, topics and commits of one interval are gone.
* A log whose sync failed takes no more writes until it has been opened again: what the operating system
  could not write it may have forgotten, and a second sync would not say so.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mesh_platform.broker import journal
from mesh_platform.broker.log import Log
from mesh_platform.broker.node import Node
from mesh_platform.broker.store import STORE_FILE


async def flushing(node: Node, every_ms: int) -> None:
    """Work until cancelled; begins with what an earlier process may have left unsynced."""
    synced: Mapping[Log, int] = {}
    while True:
        synced = await flush(node, synced)
        await asyncio.sleep(every_ms / 1000)


async def flush(node: Node, synced: Mapping[Log, int]) -> Mapping[Log, int]:
    """One round; takes and answers up to which offset each log has been synced."""
    ends = {log: log.end_offset for topic in node.topics.values() for log in topic.logs if not log.failed}
    for log, end in ends.items():
        since = synced.get(log, 0)
        if end <= since or log.deleted:
            continue
        paths = [segment.path for segment in log.segments if segment.next_offset > since]
        if not await _synced(paths):
            log.failed = True
    await _synced([node.data / f"{STORE_FILE}-wal"])
    return ends


async def _synced(paths: Sequence[Path]) -> bool:
    try:
        await asyncio.to_thread(_sync, paths)
    except OSError as error:
        journal.note("fsync failed", folder=paths[0].parent, reason=str(error))
        return False
    return True


def _sync(paths: Sequence[Path]) -> None:
    """Through files of its own: the log may close or delete its files meanwhile."""
    for path in paths:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            os.fsync(file)
        finally:
            os.close(file)
