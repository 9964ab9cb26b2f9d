"""Upkeep, once a second: checkpoints of logs that grew, retention, compaction, producers long gone,
transactions overdue, groups that nobody uses.

However many logs there are, what a start after a kill has to prove stays near `UNSAVED_BYTES` in all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.batch import CorruptBatch
from mesh_platform.broker.compaction import compact
from mesh_platform.broker.log import Log, LogFailed
from mesh_platform.broker.node import Node, Topic, now_ms
from mesh_platform.broker.retention import retain

UNSAVED_BYTES = 32 * 1024 * 1024
_ROUND_SECONDS = 1.0
_RETENTION_ROUNDS = 15
_FOREVER = 2**63 - 1


async def upkeep(node: Node) -> None:
    """Work until cancelled; a failure is noted and tried again in the next round."""
    count = 0
    while True:
        await asyncio.sleep(_ROUND_SECONDS)
        count += 1
        try:
            await node.ledger.keep(now_ms(), limits.TRANSACTIONAL_ID_EXPIRES_MS)
        except (OSError, LogFailed, sqlite3.Error) as error:
            journal.note("transactions not kept", reason=str(error))
        node.disk.recount()
        logs = [(topic, log) for topic in node.topics.values() for log in topic.logs]
        for log in tuple(due((log for _, log in logs), UNSAVED_BYTES)):
            try:
                await save(log)
            except OSError as error:
                journal.note("checkpoint failed", folder=log.directory, reason=str(error))
        if count % _RETENTION_ROUNDS == 0:
            try:
                node.coordinator.expire(limits.OFFSETS_RETENTION_MS)
            except sqlite3.Error as error:
                journal.note("groups not forgotten", reason=str(error))
            for topic, log in logs:
                try:
                    await keep(topic, log)
                except (OSError, CorruptBatch) as error:
                    journal.note("upkeep failed", folder=log.directory, reason=str(error))


def due(logs: Iterable[Log], budget: int) -> Iterator[Log]:
    """The logs to checkpoint so that all together leave no more than `budget` bytes to prove."""
    most_first = sorted(logs, key=lambda log: log.unsaved, reverse=True)
    left = sum(log.unsaved for log in most_first)
    for log in most_first:
        if log.rolled or left > budget:
            left -= log.unsaved
            yield log


async def save(log: Log) -> None:
    """Checkpoint one log. Raises OSError."""
    if not log.deleted:
        await asyncio.to_thread(log.checkpoint().write)


async def keep(topic: Topic, log: Log) -> None:
    """Producers long gone, retention and compaction of one log. Raises OSError, CorruptBatch."""
    if log.deleted:
        return
    now, config = now_ms(), topic.config
    log.sequences.expire(now - limits.PRODUCER_EXPIRES_MS, keep=log.isolation.open)
    latest_ms = config.number("max.compaction.lag.ms") if "compact" in config.policies else _FOREVER
    log.roll_if_older(now, min(config.number("segment.ms"), latest_ms))
    if "delete" in config.policies:
        retain(log, now, config.number("retention.ms"), config.number("retention.bytes"))
    if "compact" in config.policies:
        ratio = float(config["min.cleanable.dirty.ratio"])
        lags = (config.number("min.compaction.lag.ms"), latest_ms)
        await compact(log, now, ratio, config.number("delete.retention.ms"), lags)
