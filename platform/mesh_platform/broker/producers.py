"""InitProducerId.

Behaviour
* A producer id is never given twice, also across restarts; the epoch of a new one is 0.
* A producer that names its id and epoch (v3) gets the next epoch, and a new id when epochs run out.
* A transactional id is refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED: transactions are not offered
  here, and this is the refusal that every client takes as final.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import Node
from mesh_platform.broker.wire import Call

_LAST_EPOCH = 2**15 - 2


async def init_producer_id(node: Node, call: Call) -> Mapping[str, Any]:
    """InitProducerId: for idempotent producers."""
    body = call.body
    if body.transactional_id is not None:
        return _refused(ErrorCode.transactional_id_authorization_failed)
    known, epoch = getattr(body, "producer_id", -1), getattr(body, "producer_epoch", -1)
    if known >= 0 and 0 <= epoch < _LAST_EPOCH:
        return {"error_code": ErrorCode.none, "producer_id": known, "producer_epoch": epoch + 1}
    try:
        return {
            "error_code": ErrorCode.none,
            "producer_id": node.store.next_producer_id(),
            "producer_epoch": 0,
        }
    except sqlite3.Error:
        return _refused(ErrorCode.coordinator_not_available)


def _refused(code: ErrorCode) -> Mapping[str, Any]:
    return {"error_code": code, "producer_id": -1, "producer_epoch": -1}
