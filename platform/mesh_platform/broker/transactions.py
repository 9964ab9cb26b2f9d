"""Transactions: AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn.

Behaviour
* Another producer id than the one that holds the transactional id is INVALID_PRODUCER_ID_MAPPING, another
  epoch PRODUCER_FENCED (INVALID_PRODUCER_EPOCH in v0 and v1, and always in TxnOffsetCommit).
* While a transaction is being ended every request for it is CONCURRENT_TRANSACTIONS: ask again.
* AddPartitionsToTxn takes all partitions or none: one that does not exist is UNKNOWN_TOPIC_OR_PARTITION, the
  others are then OPERATION_NOT_ATTEMPTED.
* TxnOffsetCommit needs its group in the transaction (INVALID_TXN_STATE, in v4 TRANSACTION_ABORTABLE). Its
  offsets count when the transaction commits, but for those that a plain commit came after. Member and
  generation are checked where they are given.
* EndTxn answers when every partition has its marker. The same decision again is fine, the other one, or one
  without a transaction, is INVALID_TXN_STATE.
* This is the protocol that Kafka calls transaction version 1: partitions are added before they are written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker import journal
from mesh_platform.broker.commits import codes_by_partition, commits_of, committed
from mesh_platform.broker.log import LogFailed
from mesh_platform.broker.membership import GroupRefusal, State
from mesh_platform.broker.node import Node, now_ms
from mesh_platform.broker.transaction import TransactionRefusal
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_KNOWS_FENCED, _KNOWS_ABORTABLE = 2, 4
_FAILURES = (OSError, LogFailed, sqlite3.Error)


async def add_partitions_to_txn(node: Node, call: Call) -> Answer:
    """AddPartitionsToTxn: before the first write to a partition."""
    body = call.body
    places = [(t.name, p) for t in body.v3_and_below_topics for p in t.partitions]
    unknown = {(name, p) for name, p in places if node.log(node.topics.get(name), p) is None}
    code = ErrorCode.operation_not_attempted if unknown else ErrorCode.none
    if not unknown:
        try:
            held = node.ledger.held(
                body.v3_and_below_transactional_id,
                body.v3_and_below_producer_id,
                body.v3_and_below_producer_epoch,
            )
            node.ledger.add(held, now_ms(), places=places)
        except (TransactionRefusal, *_FAILURES) as error:
            code = _code(call, error)
    results = [
        {
            "name": topic.name,
            "results_by_partition": [
                {
                    "partition_index": p,
                    "partition_error_code": ErrorCode.unknown_topic_or_partition
                    if (topic.name, p) in unknown
                    else code,
                }
                for p in topic.partitions
            ],
        }
        for topic in body.v3_and_below_topics
    ]
    return {"results_by_topic_v3_and_below": results}


async def add_offsets_to_txn(node: Node, call: Call) -> Answer:
    """AddOffsetsToTxn: before the first TxnOffsetCommit of a group."""
    body = call.body
    try:
        held = node.ledger.held(body.transactional_id, body.producer_id, body.producer_epoch)
        node.ledger.add(held, now_ms(), groups=[body.group_id])
    except (TransactionRefusal, *_FAILURES) as error:
        return {"error_code": _code(call, error)}
    return {"error_code": ErrorCode.none}


async def txn_offset_commit(node: Node, call: Call) -> Answer:
    """TxnOffsetCommit: offsets that wait for the transaction's end."""
    body = call.body
    try:
        if not body.group_id:
            raise GroupRefusal(ErrorCode.invalid_group_id)
        held = node.ledger.held(body.transactional_id, body.producer_id, body.producer_epoch)
        if not held.is_ongoing or body.group_id not in held.groups:
            knows = call.version >= _KNOWS_ABORTABLE
            raise TransactionRefusal(
                ErrorCode.transaction_abortable if knows else ErrorCode.invalid_txn_state
            )
        _check_member(node, body)
        codes = codes_by_partition(node, body)
        node.store.save_pending_commits(body.transactional_id, body.group_id, commits_of(node, body, codes))
        node.coordinator.use(body.group_id)
    except GroupRefusal as refusal:
        return committed(body, dict.fromkeys(codes_by_partition(node, body), refusal.code))
    except (TransactionRefusal, *_FAILURES) as error:
        code = _code(call, error)
        fenced = ErrorCode.invalid_producer_epoch if code == ErrorCode.producer_fenced else code
        return committed(body, dict.fromkeys(codes_by_partition(node, body), fenced))
    return committed(body, codes)


def _check_member(node: Node, body: Any) -> None:
    """Producers that know their consumer's member and generation say them (v3)."""
    generation = getattr(body, "generation_id", -1)
    if generation >= 0 and body.group_id not in node.coordinator.groups:
        raise GroupRefusal(ErrorCode.illegal_generation)
    group = node.coordinator.group(body.group_id)
    member_id, instance_id = getattr(body, "member_id", ""), getattr(body, "group_instance_id", None)
    says_nothing = generation < 0 and not member_id and instance_id is None
    if not says_nothing and not (generation < 0 and group.state is State.EMPTY):
        group.check_member(member_id, instance_id, generation)


async def end_txn(node: Node, call: Call) -> Answer:
    """EndTxn: commit or abort."""
    body = call.body
    try:
        held = node.ledger.held(body.transactional_id, body.producer_id, body.producer_epoch)
        await node.ledger.end(held, commits=body.committed, now=now_ms())
    except (TransactionRefusal, *_FAILURES) as error:
        return {"error_code": _code(call, error)}
    return {"error_code": ErrorCode.none}


def _code(call: Call, error: Exception) -> ErrorCode:
    if not isinstance(error, TransactionRefusal):
        journal.note("transaction failed", client=call.client_host, reason=str(error))
        return ErrorCode.coordinator_not_available
    if error.code == ErrorCode.producer_fenced and call.version < _KNOWS_FENCED:
        return ErrorCode.invalid_producer_epoch
    return error.code
