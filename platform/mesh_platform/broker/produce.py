"""Produce.

Behaviour
* One record batch of format 2 per partition. A wrong CRC or length is CORRUPT_MESSAGE; a torn batch, an
  older format, several batches, a control batch or (on a compacted topic) an event without a key
  INVALID_RECORD; one larger than max.message.bytes, or unpacked for a compacted topic than 64 MiB,
  MESSAGE_TOO_LARGE.
* The answer comes after the batch has been handed to the operating system, with --fsync always after it
  was synced.
* A repeat of one of a producer's last five batches is answered with the offset it got the first time; a
  gap is OUT_OF_ORDER_SEQUENCE_NUMBER, an older epoch INVALID_PRODUCER_EPOCH.
* A full disk is KAFKA_STORAGE_ERROR, which clients retry; the log is as it was before.
* A batch beyond --max-disk is POLICY_VIOLATION; a repeat of one that was taken is answered as ever.
* acks other than -1, 0, 1 is INVALID_REQUIRED_ACKS; acks=0 gets no answer, and a closed connection if it
  failed.
* A transactional batch needs its partition in the producer's open transaction (else INVALID_TXN_STATE, from
  v11 on TRANSACTION_ABORTABLE), and while that is open in a partition the producer writes nothing else there
  (INVALID_TXN_STATE). A producer that was fenced gets INVALID_PRODUCER_EPOCH, one that holds another
  transactional id than it says INVALID_PRODUCER_ID_MAPPING, one that says none
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker import journal
from mesh_platform.broker.batch import Batch, CorruptBatch, UnsupportedBatch, read_batch, read_one_batch
from mesh_platform.broker.disk import DiskFull
from mesh_platform.broker.log import Log, LogFailed
from mesh_platform.broker.node import Node, Topic, now_ms
from mesh_platform.broker.records import TooLarge, records
from mesh_platform.broker.sequences import FencedEpoch, OutOfOrder
from mesh_platform.broker.transaction import TransactionRefusal
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_NO_ANSWER = 0
_KNOWS_ABORTABLE = 11


class Hangup(Exception):
    """The protocol has no other way to tell this client no than to close the connection."""


async def produce(node: Node, call: Call) -> Answer | None:
    """Produce: every partition on its own."""
    body, failed = call.body, False
    written: set[Log] = set()
    responses = []
    for item in body.topic_data:
        topic, missing = node.find(item)
        answers = []
        for part in item.partition_data:
            answer, log = _append(node, call, topic, missing, part)
            failed = failed or answer["error_code"] != ErrorCode.none
            answers.append(answer)
            if log is not None:
                written.add(log)
        named = {"name": getattr(item, "name", None), "topic_id": getattr(item, "topic_id", None)}
        responses.append({**named, "partition_responses": answers})
    if node.durability == "always" and written:
        await _sync(written, responses)
    if body.acks != _NO_ANSWER:
        return {"responses": responses}
    if failed:
        raise Hangup
    return None


def _append(
    node: Node, call: Call, topic: Topic | None, missing: ErrorCode, part: Any
) -> tuple[dict[str, Any], Log | None]:
    log = node.log(topic, part.index)
    if topic is None or log is None:
        return _failure(part.index, ErrorCode.unknown_topic_or_partition if topic else missing), None
    if call.body.acks not in (-1, 0, 1):
        return _failure(part.index, ErrorCode.invalid_required_acks), None
    try:
        return _write(node, topic, log, part, call.body.transactional_id), log
    except TooLarge as error:
        return _failure(part.index, ErrorCode.message_too_large, str(error)), None
    except CorruptBatch as error:
        return _failure(part.index, ErrorCode.corrupt_message, str(error)), None
    except UnsupportedBatch as error:
        return _failure(part.index, ErrorCode.invalid_record, str(error)), None
    except OutOfOrder:
        return _failure(part.index, ErrorCode.out_of_order_sequence_number), None
    except FencedEpoch:
        return _failure(part.index, ErrorCode.invalid_producer_epoch), None
    except TransactionRefusal as refusal:
        not_open = refusal.code == ErrorCode.transaction_abortable and call.version < _KNOWS_ABORTABLE
        return _failure(part.index, ErrorCode.invalid_txn_state if not_open else refusal.code), None
    except DiskFull as error:
        return _failure(part.index, ErrorCode.policy_violation, str(error)), None
    except LogFailed:
        return _failure(part.index, ErrorCode.kafka_storage_error, "an earlier fsync failed"), None
    except OSError as error:
        journal.note("write failed", topic=topic.name, partition=part.index, reason=str(error))
        return _failure(part.index, ErrorCode.kafka_storage_error, error.strerror), None


def _write(node: Node, topic: Topic, log: Log, part: Any, said: str | None) -> dict[str, Any]:
    data, config, now = part.records, topic.config, now_ms()
    if not data:
        raise UnsupportedBatch("no record batch")
    if len(data) > config.number("max.message.bytes"):
        return _failure(part.index, ErrorCode.message_too_large)
    batch = read_one_batch(data)
    if batch.is_transactional:
        node.ledger.check(batch, (topic.name, part.index), said)
    elif batch.producer_id in log.isolation.open:
        raise TransactionRefusal(ErrorCode.invalid_txn_state)
    append_time = config.uses_append_time
    if not append_time and _out_of_time(batch, topic, now):
        return _failure(part.index, ErrorCode.invalid_timestamp)
    if "compact" in config.policies and any(record.key is None for record in records(batch, data)):
        raise UnsupportedBatch("compacted topics take no event without a key")
    if log.failed:  # also for a repeat: what was written before may never have reached the disk
        raise LogFailed
    offset = log.sequences.check(batch) if batch.is_idempotent else None
    if offset is None:
        node.disk.claim(len(data))
        segment_bytes = config.number("segment.bytes")
        offset = log.append(data, batch, now, append_time=append_time, segment_bytes=segment_bytes)
    elif append_time:  # a repeat is told the time that its events have
        now = read_batch(log.read(offset, 1, whole=True)).max_timestamp
    return {
        "index": part.index,
        "error_code": ErrorCode.none,
        "base_offset": offset,
        "log_append_time": now if append_time else -1,
        "log_start_offset": log.start_offset,
        "record_errors": [],
    }


def _out_of_time(batch: Batch, topic: Topic, now: int) -> bool:
    after, before = (
        topic.config.number("message.timestamp.after.max.ms"),
        topic.config.number("message.timestamp.before.max.ms"),
    )
    return batch.max_timestamp > now + after or 0 <= batch.base_timestamp < now - before


def _failure(index: int, code: ErrorCode, message: str | None = None) -> dict[str, Any]:
    return {
        "index": index,
        "error_code": code,
        "base_offset": -1,
        "log_append_time": -1,
        "log_start_offset": -1,
        "record_errors": [],
        "error_message": message,
    }


async def _sync(written: set[Log], responses: list[dict[str, Any]]) -> None:
    """Sync what was written; if that fails, nothing of this request was acknowledged."""
    try:
        for log in written:
            await asyncio.to_thread(log.sync)
    except (OSError, LogFailed) as error:
        journal.note("fsync failed", reason=str(error) or "an earlier one failed")
        for topic in responses:
            answers = topic["partition_responses"]
            topic["partition_responses"] = [
                _failure(a["index"], ErrorCode.kafka_storage_error) for a in answers
            ]
