"""Replicas, of which there is one: ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments.

Behaviour
* Every partition has its only leader: ELECTION_NOT_NEEDED. Null asks for all partitions that need an
  election, which is none.
* A reassignment to this node alone is what there is already, and succeeds; to any other it is
  INVALID_REPLICA_ASSIGNMENT. None is ever going on: NO_REASSIGNMENT_IN_PROGRESS for who cancels one.
* What is not there is UNKNOWN_TOPIC_OR_PARTITION.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.node import NODE_ID, Node
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_PREFERRED, _UNCLEAN = 0, 1
_MISSING = ErrorCode.unknown_topic_or_partition


async def elect_leaders(node: Node, call: Call) -> Answer:
    """ElectLeaders: nothing to elect."""
    known = getattr(call.body, "election_type", _PREFERRED) in (_PREFERRED, _UNCLEAN)
    code = ErrorCode.election_not_needed if known else ErrorCode.invalid_request
    results = []
    for item in call.body.topic_partitions or ():
        parts = [
            {"partition_id": index, "error_code": code if _there(node, item.topic, index) else _MISSING}
            for index in item.partitions
        ]
        results.append({"topic": item.topic, "partition_result": parts})
    return {
        "error_code": ErrorCode.none if known else ErrorCode.invalid_request,
        "replica_election_results": results,
    }


def _there(node: Node, topic: str, partition: int) -> bool:
    return node.log(node.topics.get(topic), partition) is not None


async def alter_partition_reassignments(node: Node, call: Call) -> Answer:
    """AlterPartitionReassignments: only to where the partition is."""
    responses = []
    for item in call.body.topics:
        parts = [
            {"partition_index": part.partition_index, "error_code": _reassign(node, item.name, part)}
            for part in item.partitions
        ]
        responses.append({"name": item.name, "partitions": parts})
    return {"error_code": ErrorCode.none, "responses": responses}


def _reassign(node: Node, topic: str, part: Any) -> ErrorCode:
    if not _there(node, topic, part.partition_index):
        return _MISSING
    if part.replicas is None:
        return ErrorCode.no_reassignment_in_progress
    here = list(part.replicas) == [NODE_ID]
    return ErrorCode.none if here else ErrorCode.invalid_replica_assignment


async def list_partition_reassignments(_: Node, __: Call) -> Answer:
    """ListPartitionReassignments: none."""
    return {"error_code": ErrorCode.none, "topics": []}
