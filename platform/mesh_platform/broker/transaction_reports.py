"""What is known of transactions: DescribeTransactions, ListTransactions, DescribeProducers.

Behaviour
* An unknown transactional id is TRANSACTIONAL_ID_NOT_FOUND, an empty one INVALID_REQUEST.
* ListTransactions filters by state, producer id, how long it is open (v1) and a pattern on the id (v2,
  INVALID_REGULAR_EXPRESSION where it is none); states that it does not know are named in the answer.
* DescribeProducers names the producers that wrote to a partition within a day, with the first offset of the
  transaction that each has open there.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.log import Log
from mesh_platform.broker.markers import COORDINATOR_EPOCH
from mesh_platform.broker.node import Node, now_ms
from mesh_platform.broker.transaction import State, Transaction
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_ANY = -1


async def describe_transactions(node: Node, call: Call) -> Answer:
    """DescribeTransactions: one by one."""
    return {"transaction_states": [_described(node, name) for name in call.body.transactional_ids]}


def _described(node: Node, name: str) -> Answer:
    known = node.ledger.transactions.get(name)
    if known is None:
        code = ErrorCode.transactional_id_not_found if name else ErrorCode.invalid_request
        return {"error_code": code, "transactional_id": name, "transaction_start_time": 0}
    places = groupby(sorted(known.partitions), key=lambda place: place[0])
    return {
        "error_code": ErrorCode.none,
        "transactional_id": name,
        "transaction_state": known.state.value,
        "transaction_timeout": known.timeout_ms,
        "transaction_start_time": known.started,
        "producer_id": known.producer_id,
        "producer_epoch": known.epoch,
        "topics": [{"topic": topic, "partitions": [p for _, p in found]} for topic, found in places],
    }


async def list_transactions(node: Node, call: Call) -> Answer:
    """ListTransactions: those that every filter lets through."""
    import re2

    quiet = re2.Options()
    quiet.log_errors = False  # the client is told; stderr is the journal's
    body, now = call.body, now_ms()
    states = {state.value for state in State}
    duration = getattr(body, "duration_filter", _ANY)
    pattern = getattr(body, "transactional_id_pattern", None)
    try:
        matches = re2.compile(pattern, options=quiet).fullmatch if pattern else lambda _: True
    except re2.error:
        return {"error_code": ErrorCode.invalid_regular_expression, "unknown_state_filters": []}

    def passes(known: Transaction) -> bool:
        return (
            (not body.state_filters or known.state.value in body.state_filters)
            and (not body.producer_id_filters or known.producer_id in body.producer_id_filters)
            and (duration < 0 or (known.started >= 0 and now - known.started > duration))
            and bool(matches(known.id))
        )

    return {
        "error_code": ErrorCode.none,
        "unknown_state_filters": [name for name in body.state_filters if name not in states],
        "transaction_states": [
            {
                "transactional_id": known.id,
                "producer_id": known.producer_id,
                "transaction_state": known.state.value,
            }
            for known in node.ledger.transactions.values()
            if passes(known)
        ],
    }


async def describe_producers(node: Node, call: Call) -> Answer:
    """DescribeProducers: who writes to a partition."""
    topics = []
    for item in call.body.topics:
        topic = node.topics.get(item.name)
        parts = [_producers(node.log(topic, p), p) for p in item.partition_indexes]
        topics.append({"name": item.name, "partitions": parts})
    return {"topics": topics}


def _producers(log: Log | None, partition: int) -> Answer:
    if log is None:
        return {
            "partition_index": partition,
            "error_code": ErrorCode.unknown_topic_or_partition,
            "error_message": "This server does not host this topic-partition.",
        }
    return {
        "partition_index": partition,
        "error_code": ErrorCode.none,
        "active_producers": [
            {
                "producer_id": producer_id,
                "producer_epoch": epoch,
                "last_sequence": sequence,
                "last_timestamp": timestamp,
                "coordinator_epoch": COORDINATOR_EPOCH if has_ended else _ANY,
                "current_txn_start_offset": log.isolation.open.get(producer_id, _ANY),
            }
            for producer_id, epoch, sequence, timestamp, has_ended in log.sequences.active()
        ],
    }
