"""Upkeep, once a second: checkpoints of logs that grew, retention, compaction, producers long gone,
transactions overdue, groups that nobody uses.
"""

from __future__ import annotations

import asyncio
import sqlite3

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.batch import CorruptBatch
from mesh_platform.broker.compaction import compact
from mesh_platform.broker.log import Log, LogFailed
from mesh_platform.broker.node import Node, Topic, now_ms

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
        try:
            node.coordinator.expire(limits.OFFSETS_RETENTION_MS)
        except sqlite3.Error as error:
            journal.note("groups not expired", reason=str(error))
        node.disk.recount()
        for topic in tuple(node.topics.values()):
            for log in tuple(topic.logs):
                try:
                    await keep(topic, log, thoroughly=count % _RETENTION_ROUNDS == 0)
                except (OSError, CorruptBatch) as error:
                    journal.note("upkeep failed", folder=log.directory, reason=str(error))


async def keep(topic: Topic, log: Log, *, thoroughly: bool) -> None:
    """One round for one log. Raises OSError, CorruptBatch."""
    if log.outgrew_checkpoint and not log.deleted:
        await asyncio.to_thread(log.checkpoint().write)
    if not thoroughly or log.deleted:
        return
    now, config = now_ms(), topic.config
    log.sequences.expire(now - limits.PRODUCER_EXPIRES_MS, keep=log.isolation.open)
    latest_ms = config.number("max.compaction.lag.ms") if "compact" in config.policies else _FOREVER
    log.roll_if_older(now, min(config.number("segment.ms"), latest_ms))
    if "delete" in config.policies:
        log.retain(now, config.number("retention.ms"), config.number("retention.bytes"))
    if "compact" in config.policies:
        ratio = float(config["min.cleanable.dirty.ratio"])
        lags = (config.number("min.compaction.lag.ms"), latest_ms)
        await compact(log, now, ratio, config.number("delete.retention.ms"), lags)
