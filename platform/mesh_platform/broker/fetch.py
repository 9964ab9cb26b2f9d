"""Fetch.

Behaviour
* Batches are served as slices of the segment files, whole ones only; the first batch of the answer comes
  even if it is larger than every limit, so that a consumer always gets on.
* max_bytes and partition_max_bytes are obeyed, and the broker's own limits: 55 MiB, and
  one batch while clients have 256 MiB of answers that they do not take.
* With less than min_bytes the request waits for max_wait at most; an append wakes it, and so does a
  deleted topic.
* Any partition with an error is answered at once: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID,
  OFFSET_OUT_OF_RANGE, UNKNOWN_LEADER_EPOCH, CORRUPT_MESSAGE (what is on the disk is damaged),
  KAFKA_STORAGE_ERROR (it cannot be read).
* Fetch sessions are declined: the answer's session id is 0, so the client names its partitions each time.
* read_committed gets what lies before the last stable offset, and with it the aborted transactions that it
  touches: producer id and first offset of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.batch import LEADER_EPOCH, CorruptBatch
from mesh_platform.broker.log import Log, OffsetOutOfRange
from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_NO_SESSION, _FULL_FETCH = 0, (0, -1)
_READ_COMMITTED = 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One partition of the request; `log` is None when there is none."""

    log: Log | None
    missing: ErrorCode
    partition: int
    offset: int
    limit: int
    epoch: int
    committed_only: bool

    @property
    def until(self) -> int:
        """What lies at or after this offset is not for this client, or not there yet."""
        assert self.log is not None
        return self.log.stable_offset if self.committed_only else self.log.end_offset


async def fetch(node: Node, call: Call) -> Answer:
    """Fetch: wait for enough, then serve."""
    body = call.body
    if getattr(body, "session_epoch", -1) not in _FULL_FETCH:
        return {
            "error_code": ErrorCode.fetch_session_id_not_found,
            "session_id": _NO_SESSION,
            "responses": [],
        }
    committed_only = body.isolation_level == _READ_COMMITTED
    wanted = [(item, _wanted(node, item, committed_only)) for item in body.topics]
    partitions = [part for _, parts in wanted for part in parts]
    if body.min_bytes > 0 and body.max_wait > 0:
        await _wait(partitions, body.min_bytes, body.max_wait / 1000)
    spare = max(limits.UNSENT_BYTES - node.traffic.unsent, 0)
    budget, responses = min(max(body.max_bytes, 0), limits.FETCH_BYTES, spare), []
    full = False
    for item, parts in wanted:
        answers = []
        for part in parts:
            answer = _serve(part, budget, whole=not full)
            size = len(answer["records"])
            budget, full = max(0, budget - size), full or size > 0
            answers.append(answer)
        responses.append(
            {
                "topic": getattr(item, "topic", None),
                "topic_id": getattr(item, "topic_id", None),
                "partitions": answers,
            }
        )
    return {"error_code": ErrorCode.none, "session_id": _NO_SESSION, "responses": responses}


def _wanted(node: Node, item: Any, committed_only: bool) -> list[_Wanted]:
    missing = ErrorCode.unknown_topic_or_partition
    if hasattr(item, "topic_id"):
        topic = node.by_id.get(item.topic_id)
        missing = ErrorCode.unknown_topic_id if topic is None else missing
    else:
        topic = node.topics.get(item.topic)
    return [
        _Wanted(
            node.log(topic, part.partition),
            missing,
            part.partition,
            part.fetch_offset,
            part.partition_max_bytes,
            getattr(part, "current_leader_epoch", -1),
            committed_only,
        )
        for part in item.partitions
    ]


async def _wait(partitions: list[_Wanted], min_bytes: int, seconds: float) -> None:
    """Return when there is enough, something is wrong, or the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    changed = asyncio.Event()
    logs = [part.log for part in partitions if part.log is not None]
    for log in logs:
        log.waiters.add(changed.set)
    try:
        while not _enough(partitions, min_bytes):
            changed.clear()
            async with asyncio.timeout_at(deadline):
                await changed.wait()
    except TimeoutError:
        return
    finally:
        for log in logs:
            log.waiters.discard(changed.set)


def _enough(partitions: list[_Wanted], min_bytes: int) -> bool:
    total = 0
    for part in partitions:
        if part.log is None or part.log.deleted or part.epoch > LEADER_EPOCH:
            return True
        try:
            total += min(part.log.available(part.offset, part.until), max(part.limit, 1))
        except OffsetOutOfRange:
            return True
        if total >= min_bytes:
            return True
    return False


def _serve(part: _Wanted, budget: int, *, whole: bool) -> dict[str, Any]:
    log = part.log
    if log is None or log.deleted:
        return _failure(part, part.missing)
    if part.epoch > LEADER_EPOCH:
        return _failure(part, ErrorCode.unknown_leader_epoch)
    try:
        wants = budget or whole
        limit, until = min(part.limit, budget), part.until
        records = log.read(part.offset, limit, whole=whole, until=until) if wants else b""
        aborted = log.aborted(part.offset, len(records)) if part.committed_only else None
    except OffsetOutOfRange:
        return _failure(part, ErrorCode.offset_out_of_range)
    except CorruptBatch as error:
        journal.note("damaged", folder=log.directory, offset=part.offset, reason=str(error))
        return _failure(part, ErrorCode.corrupt_message)
    except OSError as error:
        journal.note("read failed", folder=log.directory, offset=part.offset, reason=str(error))
        return _failure(part, ErrorCode.kafka_storage_error)
    return {
        "partition_index": part.partition,
        "error_code": ErrorCode.none,
        "high_watermark": log.end_offset,
        "last_stable_offset": log.stable_offset,
        "log_start_offset": log.start_offset,
        "aborted_transactions": aborted
        and [{"producer_id": a.producer_id, "first_offset": a.first_offset} for a in aborted],
        "records": records,
    }


def _failure(part: _Wanted, code: ErrorCode) -> dict[str, Any]:
    return {
        "partition_index": part.partition,
        "error_code": code,
        "high_watermark": -1,
        "last_stable_offset": -1,
        "log_start_offset": -1,
        "aborted_transactions": None,
        "records": b"",
    }
