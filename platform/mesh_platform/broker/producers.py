"""InitProducerId.

Behaviour
* A producer id is never given twice, also across restarts; the epoch of a new one is 0.
* Without a transactional id: a new one each time, whatever is named.
* With one: the next epoch of its producer id. Whoever held it is fenced, and its open transaction is aborted
  first. A holder that names its id and epoch (v3) may ask again, and may go on after a time-out; one that
  was replaced is PRODUCER_FENCED (INVALID_PRODUCER_EPOCH before v4).
* An empty transactional id, or an id named without an epoch, is INVALID_REQUEST; a time-out of 0 or above
  15 minutes is INVALID_TRANSACTION_TIMEOUT.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.log import LogFailed
from mesh_platform.broker.node import Node, now_ms
from mesh_platform.broker.transaction import TransactionRefusal
from mesh_platform.broker.wire import Call

_KNOWS_FENCED = 4


async def init_producer_id(node: Node, call: Call) -> Mapping[str, Any]:
    """InitProducerId: for idempotent and for transactional producers."""
    body = call.body
    claim = getattr(body, "producer_id", -1), getattr(body, "producer_epoch", -1)
    try:
        if body.transactional_id is None:
            producer_id, epoch = node.store.next_producer_id(), 0
        else:
            producer_id, epoch = await _transactional(node, body, claim)
    except TransactionRefusal as refusal:
        fenced = refusal.code == ErrorCode.producer_fenced and call.version < _KNOWS_FENCED
        return _refused(ErrorCode.invalid_producer_epoch if fenced else refusal.code)
    except (OSError, LogFailed, sqlite3.Error) as error:
        journal.note("producer refused", transactional_id=body.transactional_id, reason=str(error))
        return _refused(ErrorCode.coordinator_not_available)
    return {"error_code": ErrorCode.none, "producer_id": producer_id, "producer_epoch": epoch}


async def _transactional(node: Node, body: Any, claim: tuple[int, int]) -> tuple[int, int]:
    if not body.transactional_id or (claim[0] < 0) != (claim[1] < 0):
        raise TransactionRefusal(ErrorCode.invalid_request)
    if not 0 < body.transaction_timeout <= limits.TRANSACTION_MS:
        raise TransactionRefusal(ErrorCode.invalid_transaction_timeout)
    held = await node.ledger.hold(body.transactional_id, body.transaction_timeout, claim, now_ms())
    return held.producer_id, held.epoch


def _refused(code: ErrorCode) -> Mapping[str, Any]:
    return {"error_code": code, "producer_id": -1, "producer_epoch": -1}
