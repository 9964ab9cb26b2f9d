"""`--fsync interval`: what was written is forced to the disk every so often.

Behaviour
* After a power cut at most the events, topics and commits of one interval are gone.
* A log whose sync failed takes no more writes until it has been opened again: what the operating system
  could not write it may have forgotten, and a second sync would not say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mesh_platform.broker import journal
from mesh_platform.broker.files import sync_file
from mesh_platform.broker.log import LogFailed
from mesh_platform.broker.node import Node
from mesh_platform.broker.store import STORE_FILE


async def flushing(node: Node, every_ms: int) -> None:
    """Work until cancelled; begins with what an earlier process may have left unsynced."""
    while True:
        await flush(node)
        await asyncio.sleep(every_ms / 1000)


async def flush(node: Node) -> None:
    """One round over every log, and what the store wrote."""
    for _, log in node.logs():
        if not log.failed and not log.deleted:
            await _noted(log.sync, log.directory)
    write_ahead = node.data / f"{STORE_FILE}-wal"
    await _noted(lambda: sync_file(write_ahead), node.data)


async def _noted(sync: Callable[[], None], folder: Path) -> None:
    try:
        await asyncio.to_thread(sync)
    except (OSError, LogFailed) as error:
        journal.note("fsync failed", folder=folder, reason=str(error))
