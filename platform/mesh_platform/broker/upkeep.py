"""Upkeep, once a second: checkpoints of logs that grew, retention, producers long gone."""

from __future__ import annotations

import asyncio

from mesh_platform.broker import journal
from mesh_platform.broker.log import Log
from mesh_platform.broker.node import Node, Topic, now_ms

_ROUND_SECONDS = 1.0
_RETENTION_ROUNDS = 30
_PRODUCER_EXPIRES_MS = 86_400_000


async def upkeep(node: Node) -> None:
    """Work until cancelled; a failure is noted and tried again in the next round."""
    count = 0
    while True:
        await asyncio.sleep(_ROUND_SECONDS)
        count += 1
        for topic in tuple(node.topics.values()):
            for log in tuple(topic.logs):
                try:
                    await _checkpoint(log)
                    if count % _RETENTION_ROUNDS == 0:
                        _retain(topic, log)
                except OSError as error:
                    journal.note("upkeep failed", folder=log.directory, reason=str(error))


async def _checkpoint(log: Log) -> None:
    if log.outgrew_checkpoint and not log.deleted:
        await asyncio.to_thread(log.checkpoint().write)


def _retain(topic: Topic, log: Log) -> None:
    now = now_ms()
    log.sequences.expire(now - _PRODUCER_EXPIRES_MS)
    if "delete" in topic.config.policies and not log.deleted:
        log.retain(now, topic.config.number("retention.ms"), topic.config.number("retention.bytes"))
