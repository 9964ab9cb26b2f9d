"""What is there: Metadata, DescribeTopicPartitions, DescribeCluster.

Behaviour
* Metadata for no topics (empty list; null in v1 and later means all) lists brokers only; an unknown name
  gives UNKNOWN_TOPIC_OR_PARTITION, an unknown id UNKNOWN_TOPIC_ID, a bad name INVALID_TOPIC_EXCEPTION. An id
  instead of a name before v12 is INVALID_REQUEST.
* A topic is created by Metadata only if the broker was started so and the client allows it.
* DescribeTopicPartitions goes through topics by name (none named: all), up to a number of partitions, and
  says where the next answer is to begin.
* DescribeCluster knows brokers; there is no controller listener (MISMATCHED_ENDPOINT_TYPE).
* Who asks what may be done is told everything that Kafka allows without an authorizer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.node import NODE_ID, Node, Topic
from mesh_platform.broker.topics import Refused, check_name, check_spelling
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_BROKERS, _CONTROLLERS = 1, 2
_NOT_ASKED = -(2**31)
_IDS_INSTEAD_OF_NAMES = 12


def _bits(*operations: int) -> int:
    return sum(1 << operation for operation in operations)


_READ, _WRITE, _CREATE, _DELETE, _ALTER, _DESCRIBE, _CLUSTER_ACTION = range(3, 10)
_DESCRIBE_CONFIGS, _ALTER_CONFIGS, _IDEMPOTENT_WRITE = 10, 11, 12
_ON_CONFIGS = _bits(_DESCRIBE_CONFIGS, _ALTER_CONFIGS)
ON_GROUP = _bits(_READ, _DELETE, _DESCRIBE) | _ON_CONFIGS
_ON_TOPIC = _bits(_READ, _WRITE, _CREATE, _DELETE, _ALTER, _DESCRIBE) | _ON_CONFIGS
_ON_CLUSTER = _bits(_CREATE, _ALTER, _DESCRIBE, _CLUSTER_ACTION, _IDEMPOTENT_WRITE) | _ON_CONFIGS


def operations(call: Call, of: str, allowed: int) -> int:
    """The operations allowed on topics, the cluster or groups, if the client asks for them."""
    asked = getattr(call.body, f"include_{of}authorized_operations", False)
    return allowed if asked else _NOT_ASKED


async def metadata(node: Node, call: Call) -> Answer:
    """Metadata: the one broker and the topics asked for."""
    wanted, body = call.body.topics, call.body
    may = operations(call, "topic_", _ON_TOPIC)
    if wanted is None or (call.version == 0 and not wanted):
        topics = [_topic(topic, may) for _, topic in sorted(node.topics.items())]
    else:
        allowed = node.creates_topics and getattr(body, "allow_auto_topic_creation", True)
        asked = dict.fromkeys((item.name, getattr(item, "topic_id", None)) for item in wanted)
        if call.version < _IDS_INSTEAD_OF_NAMES and any(topic_id or name is None for name, topic_id in asked):
            code = ErrorCode.invalid_request
            topics = [_no_topic(name or "", None, code, _NOT_ASKED) for name, _ in asked]
        else:
            topics = [_wanted(node, *item, may, may_create=allowed) for item in asked if item != (None, None)]
    return {
        "brokers": [_broker(call)],
        "cluster_id": node.store.cluster_id,
        "controller_id": NODE_ID,
        "topics": topics,
        "cluster_authorized_operations": operations(call, "cluster_", _ON_CLUSTER),
        "error_code": ErrorCode.none,
    }


def _wanted(node: Node, name: str | None, topic_id: Any, may: int, *, may_create: bool) -> Answer:
    topic = node.by_id.get(topic_id) if topic_id is not None else node.topics.get(name or "")
    if topic is not None:
        return _topic(topic, may)
    if topic_id is not None or name is None:
        return _no_topic(name, topic_id, ErrorCode.unknown_topic_id, _NOT_ASKED)
    code = ErrorCode.unknown_topic_or_partition
    try:
        check_spelling(name)
        if may_create:
            check_name(node, name)
            return _topic(node.create_topic(name, 1, {}), may)
    except Refused as refused:
        code = refused.code
    except (OSError, sqlite3.Error):
        code = ErrorCode.kafka_storage_error
    return _no_topic(name, None, code, may)


def _no_topic(name: str | None, topic_id: Any, code: ErrorCode, may: int) -> Answer:
    topic = {"name": name, "topic_id": topic_id, "partitions": [], "topic_authorized_operations": may}
    return topic | {"error_code": code}


def _topic(topic: Topic, may: int, partitions: Iterable[int] | None = None) -> Answer:
    return {
        "error_code": ErrorCode.none,
        "name": topic.name,
        "topic_id": topic.id,
        "topic_authorized_operations": may,
        "partitions": [
            {
                "error_code": ErrorCode.none,
                "partition_index": index,
                "leader_id": NODE_ID,
                "leader_epoch": 0,
                "replica_nodes": [NODE_ID],
                "isr_nodes": [NODE_ID],
                "eligible_leader_replicas": [],
                "last_known_elr": [],
            }
            for index in (range(len(topic.logs)) if partitions is None else partitions)
        ],
    }


async def describe_topic_partitions(node: Node, call: Call) -> Answer:
    """DescribeTopicPartitions: a page of them."""
    body, may = call.body, _ON_TOPIC
    names = sorted({item.name for item in body.topics} or node.topics)
    first, begin = (body.cursor.topic_name, body.cursor.partition_index) if body.cursor else ("", 0)
    left = min(max(body.response_partition_limit, 1), limits.DESCRIBED_PARTITIONS)
    topics = []
    for name in (name for name in names if name >= first):
        topic = node.topics.get(name)
        if topic is None:
            topics.append(_wanted(node, name, None, may, may_create=False))
            continue
        shown = range(begin if name == first else 0, len(topic.logs))
        if not left:
            return {"topics": topics, "next_cursor": {"topic_name": name, "partition_index": shown.start}}
        topics.append(_topic(topic, may, shown[:left]))
        if len(shown) > left:
            cursor = {"topic_name": name, "partition_index": shown[left]}
            return {"topics": topics, "next_cursor": cursor}
        left -= len(shown)
    return {"topics": topics, "next_cursor": None}


async def describe_cluster(node: Node, call: Call) -> Answer:
    """DescribeCluster: one broker, which is also the controller."""
    endpoints = getattr(call.body, "endpoint_type", _BROKERS)
    if endpoints == _CONTROLLERS:
        message = "The request was sent to an endpoint of type BROKER, but we wanted one of type CONTROLLER"
        return {"error_code": ErrorCode.mismatched_endpoint_type, "error_message": message}
    if endpoints != _BROKERS:
        message = f"Unsupported endpoint type {endpoints}"
        return {"error_code": ErrorCode.unsupported_endpoint_type, "error_message": message}
    return {
        "error_code": ErrorCode.none,
        "cluster_id": node.store.cluster_id,
        "controller_id": NODE_ID,
        "brokers": [_broker(call)],
        "cluster_authorized_operations": operations(call, "cluster_", _ON_CLUSTER),
    }


def _broker(call: Call) -> Answer:
    host, port = call.listener
    return {"node_id": NODE_ID, "broker_id": NODE_ID, "host": host, "port": port, "is_fenced": False}
