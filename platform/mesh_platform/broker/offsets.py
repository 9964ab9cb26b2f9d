"""Offsets: ListOffsets, OffsetForLeaderEpoch, DeleteRecords.

Behaviour
* Timestamp -1 is the end, -2 the start, -3 the record with the largest timestamp, -4 (earliest local) the
  start, -5 (latest tiered) and -6 (earliest to be tiered) nothing; 0 or more is the first record at or
  after that time, and -1 when there is none. A negative one that the version does not have is
  UNSUPPORTED_VERSION, a partition twice in a request INVALID_REQUEST.
* read_committed: the end is the last stable offset, and a record at or after it is not found.
* There is one leader epoch, 0: a newer one is UNKNOWN_LEADER_EPOCH. Its end is the end of the log.
* DeleteRecords moves the start forward: -1 to the end, beyond the end is OFFSET_OUT_OF_RANGE; a topic that
  is only compacted has no records to delete (POLICY_VIOLATION).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker import journal
from mesh_platform.broker.batch import LEADER_EPOCH, CorruptBatch
from mesh_platform.broker.log import Log
from mesh_platform.broker.node import Node
from mesh_platform.broker.records import first_at_time, first_of_largest_time
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_READ_COMMITTED = 1
_LATEST, _EARLIEST, _MAX_TIMESTAMP, _EARLIEST_LOCAL, _LATEST_TIERED, _EARLIEST_UNTIERED = range(-1, -7, -1)
#: special timestamp: the version it came with
_SINCE = {
    _LATEST: 1,
    _EARLIEST: 1,
    _MAX_TIMESTAMP: 7,
    _EARLIEST_LOCAL: 8,
    _LATEST_TIERED: 9,
    _EARLIEST_UNTIERED: 11,
}
_NEVER = 2**15


async def list_offsets(node: Node, call: Call) -> Answer:
    """ListOffsets: by place or by time."""
    topics = []
    committed_only = getattr(call.body, "isolation_level", 0) == _READ_COMMITTED
    times = Counter(
        (item.name, part.partition_index) for item in call.body.topics for part in item.partitions
    )
    for item in call.body.topics:
        topic, answers = node.topics.get(item.name), []
        for part in {part.partition_index: part for part in item.partitions}.values():
            code = _refusal(call.version, part, times[item.name, part.partition_index])
            log = node.log(topic, part.partition_index)
            answers.append(_failure(part, code) if code else _list(log, part, committed_only))
        topics.append({"name": item.name, "partitions": answers})
    return {"topics": topics}


def _refusal(version: int, part: Any, times: int) -> ErrorCode | None:
    if times > 1:
        return ErrorCode.invalid_request
    known = part.timestamp >= 0 or version >= _SINCE.get(part.timestamp, _NEVER)
    return None if known else ErrorCode.unsupported_version


def _failure(part: Any, code: ErrorCode) -> dict[str, Any]:
    return {"partition_index": part.partition_index, "error_code": code}


def _list(log: Log | None, part: Any, committed_only: bool) -> Answer:
    if log is None:
        return _failure(part, ErrorCode.unknown_topic_or_partition)
    if getattr(part, "current_leader_epoch", -1) > LEADER_EPOCH:
        return _failure(part, ErrorCode.unknown_leader_epoch)
    try:
        end = log.stable_offset if committed_only else log.end_offset
        timestamp, offset = _look_up(log, part.timestamp, end)
    except CorruptBatch as error:
        journal.note("damaged", folder=log.directory, reason=str(error))
        return _failure(part, ErrorCode.corrupt_message)
    except OSError as error:
        journal.note("read failed", folder=log.directory, reason=str(error))
        return _failure(part, ErrorCode.kafka_storage_error)
    epoch = LEADER_EPOCH if offset >= 0 else -1
    found = {"timestamp": timestamp, "offset": offset, "leader_epoch": epoch}
    return _failure(part, ErrorCode.none) | found


def _look_up(log: Log, timestamp: int, end: int) -> tuple[int, int]:
    """(timestamp, offset), each -1 where the protocol has none. Raises CorruptBatch, OSError."""
    if timestamp == _LATEST:
        return -1, end
    if timestamp in (_EARLIEST, _EARLIEST_LOCAL):
        return -1, log.start_offset
    if timestamp in (_LATEST_TIERED, _EARLIEST_UNTIERED):
        return -1, -1
    found = first_of_largest_time(log) if timestamp == _MAX_TIMESTAMP else first_at_time(log, timestamp)
    return found if found[1] < end else (-1, -1)


async def offset_for_leader_epoch(node: Node, call: Call) -> Answer:
    """OffsetForLeaderEpoch: where an epoch ends."""
    topics = []
    for item in call.body.topics:
        topic = node.topics.get(item.topic)
        answers = [_epoch_end(node.log(topic, part.partition), part) for part in item.partitions]
        topics.append({"topic": item.topic, "partitions": answers})
    return {"topics": topics}


def _epoch_end(log: Log | None, part: Any) -> Answer:
    answer = {"partition": part.partition, "error_code": ErrorCode.none}
    if log is None:
        return answer | {"error_code": ErrorCode.unknown_topic_or_partition}
    if getattr(part, "current_leader_epoch", -1) > LEADER_EPOCH:
        return answer | {"error_code": ErrorCode.unknown_leader_epoch}
    if part.leader_epoch != LEADER_EPOCH:
        return answer
    return answer | {"leader_epoch": LEADER_EPOCH, "end_offset": log.end_offset}


async def delete_records(node: Node, call: Call) -> Answer:
    """DeleteRecords: forget everything before an offset."""
    topics = []
    for item in call.body.topics:
        topic = node.topics.get(item.name)
        compacted = topic is not None and topic.config.policies == {"compact"}
        answers = [_delete(node.log(topic, p.partition_index), p, compacted) for p in item.partitions]
        topics.append({"name": item.name, "partitions": answers})
    return {"topics": topics}


def _delete(log: Log | None, part: Any, compacted: bool) -> Answer:
    answer = {"partition_index": part.partition_index, "low_watermark": -1, "error_code": ErrorCode.none}
    if log is None:
        return answer | {"error_code": ErrorCode.unknown_topic_or_partition}
    if compacted:
        return answer | {"error_code": ErrorCode.policy_violation}
    target = log.end_offset if part.offset == -1 else part.offset
    if not 0 <= target <= log.end_offset:
        return answer | {"error_code": ErrorCode.offset_out_of_range}
    try:
        log.advance_start(target)
    except OSError as error:
        journal.note("write failed", folder=log.directory, reason=str(error))
        return answer | {"error_code": ErrorCode.kafka_storage_error}
    return answer | {"low_watermark": log.start_offset}
