"""Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete.

Behaviour
* A commit is in the store before it is acknowledged. Only members of the current generation commit, and
  not between join and sync (REBALANCE_IN_PROGRESS); a group without members takes commits from anyone
  (generation -1).
* An unknown partition is UNKNOWN_TOPIC_OR_PARTITION, an unknown topic id UNKNOWN_TOPIC_ID, metadata over
  4 KiB OFFSET_METADATA_TOO_LARGE; the other partitions of the request are committed.
* OffsetFetch that asks for stable offsets gets UNSTABLE_OFFSET_COMMIT where one waits for a transaction.
* OffsetFetch for null topics gives all; a partition without a commit has offset -1 and no error.
* OffsetDelete refuses topics that a member subscribes to (GROUP_SUBSCRIBED_TO_TOPIC).
* Committed offsets go with their topic or with their group.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.group import Group
from mesh_platform.broker.membership import GroupRefusal, State, subscribed_topics
from mesh_platform.broker.node import Node
from mesh_platform.broker.store import Commit
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
Place = tuple[str, int]
Codes = Mapping[tuple[int, int], ErrorCode]  # by the places of topic and partition in the request
_BATCHED_FETCH, _KNOWS_NO_GROUP = 8, 9
_NONE = -1


async def offset_commit(node: Node, call: Call) -> Answer:
    """OffsetCommit: all partitions of one request in one transaction."""
    body = call.body
    codes = codes_by_partition(node, body)
    try:
        _check(node, call)
        if good := commits_of(node, body, codes):
            node.coordinator.group(body.group_id)  # where there is no room for it nothing is saved
            node.store.save_commits(body.group_id, good)
            node.coordinator.use(body.group_id)
    except GroupRefusal as refusal:
        codes = dict.fromkeys(codes, refusal.code)
    except sqlite3.Error as error:
        journal.note("commit failed", group=body.group_id, reason=str(error))
        codes = dict.fromkeys(codes, ErrorCode.coordinator_not_available)
    return committed(body, codes)


def _check(node: Node, call: Call) -> None:
    body = call.body
    group, generation = node.coordinator.groups.get(body.group_id), body.generation_id_or_member_epoch
    if group is not None:
        group.check_commit(body.member_id, getattr(body, "group_instance_id", None), generation)
    elif generation >= 0:
        told = call.version >= _KNOWS_NO_GROUP
        raise GroupRefusal(ErrorCode.group_id_not_found if told else ErrorCode.illegal_generation)


def codes_by_partition(node: Node, body: Any) -> Codes:
    """What is to be said of each commit of a request by itself."""
    return {
        (i, j): _judge(node, topic, part)
        for i, topic in enumerate(body.topics)
        for j, part in enumerate(topic.partitions)
    }


def _judge(node: Node, item: Any, part: Any) -> ErrorCode:
    topic, missing = node.find(item)
    if node.log(topic, part.partition_index) is None:
        return ErrorCode.unknown_topic_or_partition if topic else missing
    if len((part.committed_metadata or "").encode()) > limits.COMMIT_METADATA_BYTES:
        return ErrorCode.offset_metadata_too_large
    return ErrorCode.none


def commits_of(node: Node, body: Any, codes: Codes) -> list[Commit]:
    """The commits of a request that nothing is wrong with."""
    found = []
    for i, item in enumerate(body.topics):
        topic, _ = node.find(item)
        for j, part in enumerate(item.partitions):
            if topic is not None and codes[i, j] == ErrorCode.none:
                epoch = getattr(part, "committed_leader_epoch", _NONE)
                metadata = part.committed_metadata or ""
                commit = Commit(topic.name, part.partition_index, part.committed_offset, epoch, metadata)
                found.append(commit)
    return found


def committed(body: Any, codes: Codes) -> Answer:
    """The answer to a request that commits offsets."""
    topics = []
    for i, topic in enumerate(body.topics):
        parts = [
            {"partition_index": part.partition_index, "error_code": codes[i, j]}
            for j, part in enumerate(topic.partitions)
        ]
        topics.append({**_named(topic), "partitions": parts})
    return {"topics": topics}


def _named(item: Any) -> Answer:
    return {"name": getattr(item, "name", None), "topic_id": getattr(item, "topic_id", None)}


async def offset_fetch(node: Node, call: Call) -> Answer:
    """OffsetFetch: of one group, or of several from version 8 on."""
    stable = getattr(call.body, "require_stable", False)
    groups = [call.body] if call.version < _BATCHED_FETCH else call.body.groups
    answers = []
    for group in dict.fromkeys(groups):
        waiting = node.store.pending(group.group_id) if stable else set()
        topics = _fetch(node, group.group_id, group.topics, waiting)
        answers.append({"group_id": group.group_id, "topics": topics, "error_code": ErrorCode.none})
    return answers[0] if call.version < _BATCHED_FETCH else {"groups": answers}


def _fetch(node: Node, group_id: str, wanted: Any, waiting: set[Place]) -> list[Answer]:
    commits = node.store.commits(group_id)
    if wanted is None:
        return [
            {
                "name": name,
                "topic_id": node.topics[name].id if name in node.topics else None,
                "partitions": [_position(commits, waiting, place) for place in places],
            }
            for name, places in groupby(sorted(commits), key=lambda place: place[0])
        ]
    return [{**_named(item), "partitions": _positions(node, item, commits, waiting)} for item in wanted]


def _positions(node: Node, item: Any, commits: Mapping[Place, Commit], waiting: set[Place]) -> list[Answer]:
    topic, missing = node.find(item)
    if topic is None and missing == ErrorCode.unknown_topic_id:
        return [_no_position(index, missing) for index in item.partition_indexes]
    name = topic.name if topic else item.name
    return [_position(commits, waiting, (name, index)) for index in item.partition_indexes]


def _position(commits: Mapping[Place, Commit], waiting: set[Place], place: Place) -> Answer:
    commit = commits.get(place)
    if place in waiting:
        return _no_position(place[1], ErrorCode.unstable_offset_commit)
    if commit is None:
        return _no_position(place[1], ErrorCode.none)
    return {
        "partition_index": commit.partition,
        "committed_offset": commit.offset,
        "committed_leader_epoch": commit.leader_epoch,
        "metadata": commit.metadata,
        "error_code": ErrorCode.none,
    }


def _no_position(partition: int, code: ErrorCode) -> Answer:
    return {
        "partition_index": partition,
        "committed_offset": _NONE,
        "committed_leader_epoch": _NONE,
        "metadata": "",
        "error_code": code,
    }


async def offset_delete(node: Node, call: Call) -> Answer:
    """OffsetDelete: single partitions of a group."""
    body = call.body
    if not body.group_id:
        return {"error_code": ErrorCode.invalid_group_id, "topics": []}
    group = node.coordinator.groups.get(body.group_id)
    if group is None:
        return {"error_code": ErrorCode.group_id_not_found, "topics": []}
    read = _read_topics(group)
    topics, gone = [], []
    for item in body.topics:
        parts = []
        for index in (part.partition_index for part in item.partitions):
            code = ErrorCode.group_subscribed_to_topic if item.name in read else ErrorCode.none
            if node.log(node.topics.get(item.name), index) is None:
                code = ErrorCode.unknown_topic_or_partition
            gone += [(item.name, index)] if code == ErrorCode.none else []
            parts.append({"partition_index": index, "error_code": code})
        topics.append({"name": item.name, "partitions": parts})
    try:
        node.store.delete_commits(body.group_id, gone)
    except sqlite3.Error:
        return {"error_code": ErrorCode.coordinator_not_available, "topics": []}
    return {"error_code": ErrorCode.none, "topics": topics}


def _read_topics(group: Group) -> set[str]:
    if group.state is State.EMPTY:
        return set()
    subscriptions = (metadata for m in group.members.values() for metadata in m.protocols.values())
    return {topic for metadata in subscriptions for topic in subscribed_topics(metadata)}
