"""Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete.

Behaviour
* A commit is in the store before it is acknowledged. Only members of the current generation commit, and
  not between join and sync (REBALANCE_IN_PROGRESS); a group without members takes commits from anyone
  (generation -1).
* An unknown partition is UNKNOWN_TOPIC_OR_PARTITION, metadata over 4 KiB OFFSET_METADATA_TOO_LARGE.
* OffsetFetch that asks for stable offsets gets UNSTABLE_OFFSET_COMMIT where one waits for a transaction.
* OffsetFetch for null topics gives all; a partition without a commit has offset -1 and no error.
* OffsetDelete refuses topics that a member subscribes to (GROUP_SUBSCRIBED_TO_TOPIC).
* Committed offsets do not expire; they go with their topic or with their group.
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
Codes = Mapping[tuple[str, int], ErrorCode]
_BATCHED_FETCH = 8
_NONE = -1


async def offset_commit(node: Node, call: Call) -> Answer:
    """OffsetCommit: all partitions of one request in one transaction."""
    body = call.body
    codes = codes_by_partition(node, body)
    try:
        _check(node, body)
        accepted = commits_of(body, codes)
        node.store.save_commits(body.group_id, accepted)
        if not accepted:
            node.coordinator.forget_unused(body.group_id)
    except GroupRefusal as refusal:
        codes = dict.fromkeys(codes, refusal.code)
    except sqlite3.Error as error:
        journal.note("commit failed", group=body.group_id, reason=str(error))
        codes = dict.fromkeys(codes, ErrorCode.coordinator_not_available)
    return committed(body, codes)


def _check(node: Node, body: Any) -> None:
    generation = body.generation_id_or_member_epoch
    if generation >= 0 and body.group_id not in node.coordinator.groups:
        raise GroupRefusal(ErrorCode.illegal_generation)
    group = node.coordinator.group(body.group_id)
    group.check_commit(body.member_id, getattr(body, "group_instance_id", None), generation)


def codes_by_partition(node: Node, body: Any) -> Codes:
    """What is to be said of each commit of a request by itself."""
    return {(t.name, p.partition_index): _judge(node, t.name, p) for t in body.topics for p in t.partitions}


def commits_of(body: Any, codes: Codes) -> list[Commit]:
    """The commits of a request that nothing is wrong with."""
    return [
        Commit(
            topic.name,
            part.partition_index,
            part.committed_offset,
            getattr(part, "committed_leader_epoch", _NONE),
            part.committed_metadata or "",
        )
        for topic in body.topics
        for part in topic.partitions
        if codes[topic.name, part.partition_index] == ErrorCode.none
    ]


def _judge(node: Node, topic: str, part: Any) -> ErrorCode:
    if node.log(node.topics.get(topic), part.partition_index) is None:
        return ErrorCode.unknown_topic_or_partition
    if len((part.committed_metadata or "").encode()) > limits.COMMIT_METADATA_BYTES:
        return ErrorCode.offset_metadata_too_large
    return ErrorCode.none


def committed(body: Any, codes: Codes) -> Answer:
    """The answer to a request that commits offsets."""
    topics = []
    for topic in body.topics:
        parts = [
            {"partition_index": p.partition_index, "error_code": codes[topic.name, p.partition_index]}
            for p in topic.partitions
        ]
        topics.append({"name": topic.name, "partitions": parts})
    return {"topics": topics}


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


def _fetch(node: Node, group_id: str, wanted: Any, waiting: set[tuple[str, int]]) -> list[Answer]:
    commits = node.store.commits(group_id)
    if wanted is None:
        by_topic = groupby(sorted(commits), key=lambda place: place[0])
        asked = [(topic, [partition for _, partition in places]) for topic, places in by_topic]
    else:
        asked = [(topic.name, list(topic.partition_indexes)) for topic in wanted]
    return [
        {
            "name": topic,
            "partitions": [
                _unstable(p) if (topic, p) in waiting else _position(commits.get((topic, p)), p)
                for p in partitions
            ],
        }
        for topic, partitions in asked
    ]


def _unstable(partition: int) -> Answer:
    return {
        "partition_index": partition,
        "committed_offset": _NONE,
        "committed_leader_epoch": _NONE,
        "metadata": "",
        "error_code": ErrorCode.unstable_offset_commit,
    }


def _position(commit: Commit | None, partition: int) -> Answer:
    return {
        "partition_index": partition,
        "committed_offset": commit.offset if commit else _NONE,
        "committed_leader_epoch": commit.leader_epoch if commit else _NONE,
        "metadata": commit.metadata if commit else "",
        "error_code": ErrorCode.none,
    }


async def offset_delete(node: Node, call: Call) -> Answer:
    """OffsetDelete: single partitions of a group."""
    body = call.body
    group = node.coordinator.groups.get(body.group_id)
    if group is None:
        return {"error_code": ErrorCode.group_id_not_found, "topics": []}
    read = _read_topics(group)
    topics, gone = [], []
    for topic in body.topics:
        code = ErrorCode.group_subscribed_to_topic if topic.name in read else ErrorCode.none
        parts = [{"partition_index": p.partition_index, "error_code": code} for p in topic.partitions]
        topics.append({"name": topic.name, "partitions": parts})
        if code == ErrorCode.none:
            gone += [(topic.name, p.partition_index) for p in topic.partitions]
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
