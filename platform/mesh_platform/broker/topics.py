"""Topics come and go: CreateTopics, DeleteTopics, CreatePartitions.

Behaviour
* CreateTopics: a name twice in one request is INVALID_REQUEST for it; names have 1 to 249 of
  [a-zA-Z0-9._-] and are not "." or ".."; a name that differs from another only in "." and "_" is
  INVALID_TOPIC_EXCEPTION; an existing one is TOPIC_ALREADY_EXISTS; 0 or too many partitions are
  INVALID_PARTITIONS; a replication factor other than 1 or -1 is INVALID_REPLICATION_FACTOR; an assignment
  must be on node 1; unknown or bad settings are INVALID_CONFIG.
* validate_only checks and creates nothing.
* CreatePartitions only adds. DeleteTopics removes records and committed offsets; it takes a name or an id.
* What is named twice in one request is INVALID_REQUEST, and nothing happens to it.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.node import NODE_ID, Node, Topic
from mesh_platform.broker.settings import SETTINGS, TopicConfig, refusal
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_NAME = re.compile(r"[a-zA-Z0-9._-]+")
_DYNAMIC_TOPIC_CONFIG, _DEFAULT_CONFIG = 1, 5


class Refused(Exception):
    """One item of a request cannot be done; the others go on."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def create_topics(node: Node, call: Call) -> Answer:
    """CreateTopics: each on its own."""
    repeated = {name for name, count in Counter(t.name for t in call.body.topics).items() if count > 1}
    answers = [
        _refusal_of(name, ErrorCode.invalid_request, "Duplicate topic name.") for name in sorted(repeated)
    ]
    for item in call.body.topics:
        if item.name in repeated:
            continue
        try:
            answers.append(_create(node, item, validate_only=call.body.validate_only))
        except Refused as refused:
            answers.append(_refusal_of(item.name, refused.code, refused.message))
        except (OSError, sqlite3.Error) as error:
            answers.append(_refusal_of(item.name, ErrorCode.kafka_storage_error, str(error)))
    return {"topics": answers}


def _refusal_of(name: str, code: ErrorCode, message: str) -> Answer:
    return {"name": name, "topic_id": None, "error_code": code, "error_message": message, "configs": None}


def _create(node: Node, item: Any, *, validate_only: bool) -> Answer:
    check_name(node, item.name)
    if item.name in node.topics:
        raise Refused(ErrorCode.topic_already_exists, f"Topic '{item.name}' already exists.")
    partitions = _partitions_of(node, item)
    own = {config.name: config.value for config in item.configs}
    if why := refusal(own):
        raise Refused(ErrorCode.invalid_config, why)
    topic_id = None if validate_only else node.create_topic(item.name, partitions, own).id
    return {
        "name": item.name,
        "topic_id": topic_id,
        "error_code": ErrorCode.none,
        "error_message": None,
        "num_partitions": partitions,
        "replication_factor": 1,
        "configs": [_created_config(TopicConfig(own), name) for name in SETTINGS],
    }


def _created_config(config: TopicConfig, name: str) -> Answer:
    source = _DYNAMIC_TOPIC_CONFIG if name in config.own else _DEFAULT_CONFIG
    return {
        "name": name,
        "value": config[name],
        "read_only": False,
        "config_source": source,
        "is_sensitive": False,
    }


def _partitions_of(node: Node, item: Any) -> int:
    if item.assignments:
        if item.num_partitions != -1 or item.replication_factor != -1:
            raise Refused(
                ErrorCode.invalid_request, "Give an assignment, or partitions and replication, not both."
            )
        _check_assignments([list(a.broker_ids) for a in item.assignments])
        if sorted(a.partition_index for a in item.assignments) != list(range(len(item.assignments))):
            raise Refused(
                ErrorCode.invalid_replica_assignment, "Partitions must be numbered from 0 without gaps."
            )
        partitions = len(item.assignments)
    else:
        partitions = 1 if item.num_partitions == -1 else item.num_partitions
        if item.replication_factor not in (-1, 1):
            times = f"{item.replication_factor} time(s)"
            message = f"Unable to replicate the partition {times}: only 1 broker is registered."
            raise Refused(ErrorCode.invalid_replication_factor, message)
    _check_count(node, partitions, added=partitions)
    return partitions


def _check_assignments(assignments: list[list[int]]) -> None:
    if any(nodes != [NODE_ID] for nodes in assignments):
        raise Refused(
            ErrorCode.invalid_replica_assignment, f"Every partition must be on node {NODE_ID} alone."
        )


def _check_count(node: Node, partitions: int, *, added: int) -> None:
    if partitions < 1:
        raise Refused(
            ErrorCode.invalid_partitions, "Number of partitions was set to an invalid non-positive value."
        )
    held = sum(len(topic.logs) for topic in node.topics.values())
    if partitions > limits.PARTITIONS_PER_TOPIC or held + added > limits.PARTITIONS:
        most = f"{limits.PARTITIONS_PER_TOPIC} partitions per topic and {limits.PARTITIONS} in all"
        raise Refused(ErrorCode.invalid_partitions, f"This broker takes at most {most}.")


def check_spelling(name: str) -> None:
    """Whether a topic can be called so at all. Raises Refused."""
    if not name or name in (".", "..") or len(name) > limits.TOPIC_NAME_LENGTH or not _NAME.fullmatch(name):
        message = (
            f"Topic name is invalid: {name!r} must have 1 to {limits.TOPIC_NAME_LENGTH} of [a-zA-Z0-9._-]"
        )
        raise Refused(ErrorCode.invalid_topic_exception, message)


def check_name(node: Node, name: str) -> None:
    """Whether a topic may be called so, beside those that there are. Raises Refused."""
    check_spelling(name)
    plain = name.replace(".", "_")
    if plain != name or "_" in name:
        for other in node.topics:
            if other != name and other.replace(".", "_") == plain:
                raise Refused(
                    ErrorCode.invalid_topic_exception, f"Topic '{name}' collides with existing topic: {other}"
                )


async def delete_topics(node: Node, call: Call) -> Answer:
    """DeleteTopics: by name, or by id from version 6 on."""
    if call.version >= 6:
        wanted = [(item.name, item.topic_id) for item in call.body.topics]
    else:
        wanted = [(name, None) for name in call.body.topic_names]
    times = Counter(topic.id for item in wanted if (topic := _named(node, *item)))
    return {"responses": [_delete(node, *item, times) for item in dict.fromkeys(wanted)]}


def _named(node: Node, name: str | None, topic_id: Any) -> Topic | None:
    return node.topics.get(name) if name is not None else node.by_id.get(topic_id)


def _delete(node: Node, name: str | None, topic_id: Any, times: Mapping[Any, int]) -> Answer:
    topic = _named(node, name, topic_id)
    answer = {"name": topic.name if topic else name, "topic_id": topic.id if topic else topic_id}
    try:
        if (name is None) is (topic_id is None):
            raise Refused(ErrorCode.invalid_request, "A topic is named, or its id is given: one of the two.")
        if topic is None:
            unknown = ErrorCode.unknown_topic_id if name is None else ErrorCode.unknown_topic_or_partition
            raise Refused(unknown, "This server does not host this topic.")
        if times[topic.id] > 1:
            raise Refused(ErrorCode.invalid_request, "Duplicate topic name.")
        node.delete_topic(topic)
    except Refused as refused:
        return answer | {"error_code": refused.code, "error_message": refused.message}
    except (OSError, sqlite3.Error) as error:
        return answer | {"error_code": ErrorCode.kafka_storage_error, "error_message": str(error)}
    return answer | {"error_code": ErrorCode.none, "error_message": None}


async def create_partitions(node: Node, call: Call) -> Answer:
    """CreatePartitions: more of them, never fewer."""
    times, answers = Counter(item.name for item in call.body.topics), []
    for item in {item.name: item for item in call.body.topics}.values():
        answer = {"name": item.name, "error_code": ErrorCode.none, "error_message": None}
        try:
            if times[item.name] > 1:
                raise Refused(ErrorCode.invalid_request, "Duplicate topic name.")
            _grow(node, item, validate_only=call.body.validate_only)
        except Refused as refused:
            answer |= {"error_code": refused.code, "error_message": refused.message}
        except (OSError, sqlite3.Error) as error:
            answer |= {"error_code": ErrorCode.kafka_storage_error, "error_message": str(error)}
        answers.append(answer)
    return {"results": answers}


def _grow(node: Node, item: Any, *, validate_only: bool) -> None:
    topic = node.topics.get(item.name)
    if topic is None:
        raise Refused(ErrorCode.unknown_topic_or_partition, "This server does not host this topic.")
    added = item.count - len(topic.logs)
    if added <= 0:
        message = (
            f"Topic has {len(topic.logs)} partitions, which is not less than the requested {item.count}."
        )
        raise Refused(ErrorCode.invalid_partitions, message)
    if item.assignments is not None:
        if len(item.assignments) != added:
            raise Refused(ErrorCode.invalid_replica_assignment, f"{added} assignments are needed.")
        _check_assignments([list(a.broker_ids) for a in item.assignments])
    _check_count(node, item.count, added=added)
    if not validate_only:
        node.grow_topic(topic, item.count)
