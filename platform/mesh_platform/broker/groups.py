"""Groups: FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups, ListGroups,
DeleteGroups.

Behaviour
* This node coordinates every group. An empty group id is INVALID_GROUP_ID; a session timeout outside 6 s
  to 30 min is INVALID_SESSION_TIMEOUT; an id that nobody was given is UNKNOWN_MEMBER_ID; another
  generation is ILLEGAL_GENERATION.
* From JoinGroup v4 on a new dynamic member is first told its id (MEMBER_ID_REQUIRED).
* A generation begins when all members have joined, or when the longest rebalance timeout is over; who is
  late is dropped. The first one of an empty group begins after 0.1 s with whoever has joined by then, so
  that members started together share it.
* A static member (group instance id) that comes back takes its old place and assignment without a
  rebalance, and its former self gets FENCED_INSTANCE_ID. It leaves when its session ends or when it is
  named in LeaveGroup.
* A member with more than 1 MiB of metadata, or assignments of more, is UNKNOWN_SERVER_ERROR, as where Kafka
  cannot write the group down; the 10,001st group is GROUP_MAX_SIZE_REACHED.
* Groups outlive a restart of the broker: members go on with the next heartbeat. One that has had no member
  and no commit for seven days is forgotten, with its committed offsets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.group import Group
from mesh_platform.broker.membership import GroupRefusal, Joining, Member, State
from mesh_platform.broker.metadata import ON_GROUP, operations
from mesh_platform.broker.node import NODE_ID, Node
from mesh_platform.broker.wire import Call

Answer = Mapping[str, Any]
_GROUP_AND_TRANSACTION = (0, 1)
_BATCHED_LEAVE, _BATCHED_FIND, _DESCRIBE_SAYS_NOT_FOUND, _NULL_PROTOCOL = 3, 4, 6, 7


async def find_coordinator(_: Node, call: Call) -> Answer:
    """FindCoordinator: always here."""
    body = call.body
    if call.version >= _BATCHED_FIND:
        return {"coordinators": [_coordinator(call, key) for key in body.coordinator_keys]}
    return _coordinator(call, body.key)


def _coordinator(call: Call, key: str) -> Answer:
    if getattr(call.body, "key_type", 0) not in _GROUP_AND_TRANSACTION:
        code = ErrorCode.invalid_request
        return {"key": key, "node_id": -1, "host": "", "port": -1, "error_code": code}
    host, port = call.listener
    answer = {"key": key, "node_id": NODE_ID, "host": host, "port": port}
    return answer | {"error_code": ErrorCode.none, "error_message": ""}


def _check_group_id(group_id: str) -> None:
    if not group_id:
        raise GroupRefusal(ErrorCode.invalid_group_id)


def _known(node: Node, group_id: str) -> Group:
    _check_group_id(group_id)
    group = node.coordinator.groups.get(group_id)
    if group is None:
        raise GroupRefusal(ErrorCode.unknown_member_id)
    return group


async def join_group(node: Node, call: Call) -> Answer:
    """JoinGroup: answered when the generation begins."""
    body = call.body
    low, high = limits.GROUP_SESSION_MS
    try:
        _check_group_id(body.group_id)
        if not low <= body.session_timeout <= high:
            raise GroupRefusal(ErrorCode.invalid_session_timeout, body.member_id)
        if body.member_id and body.group_id not in node.coordinator.groups:
            raise GroupRefusal(ErrorCode.unknown_member_id, body.member_id)
        joined = await node.coordinator.group(body.group_id).join(_joining(call))
    except GroupRefusal as refusal:
        member_id = refusal.member_id or body.member_id
        node.coordinator.forget_unused(body.group_id)
        named = None if call.version >= _NULL_PROTOCOL else ""
        code = refusal.code
        return {
            "error_code": code,
            "member_id": member_id,
            "leader": "",
            "members": [],
            "protocol_name": named,
        }
    return {
        "error_code": ErrorCode.none,
        "generation_id": joined.generation,
        "protocol_type": joined.protocol_type,
        "protocol_name": joined.protocol,
        "leader": joined.leader,
        "skip_assignment": joined.skip_assignment,
        "member_id": joined.member_id,
        "members": [
            {"member_id": member_id, "group_instance_id": instance_id, "metadata": metadata}
            for member_id, instance_id, metadata in joined.members
        ],
    }


def _joining(call: Call) -> Joining:
    body = call.body
    return Joining(
        member_id=body.member_id,
        instance_id=getattr(body, "group_instance_id", None),
        client_id=call.client_id or "",
        client_host=f"/{call.client_host}",
        session_ms=body.session_timeout,
        rebalance_ms=getattr(body, "rebalance_timeout", body.session_timeout),
        protocol_type=body.protocol_type,
        protocols={protocol.name: protocol.metadata for protocol in body.protocols},
        needs_known_id=call.version >= 4,
        may_skip_assignment=call.version >= 9,
    )


async def sync_group(node: Node, call: Call) -> Answer:
    """SyncGroup: answered when the leader has assigned."""
    body = call.body
    try:
        _check_group_id(body.group_id)
        named = (getattr(body, "protocol_type", ""), getattr(body, "protocol_name", ""))
        if None in named:
            raise GroupRefusal(ErrorCode.inconsistent_group_protocol)
        group = _known(node, body.group_id)
        assignments = {item.member_id: item.assignment for item in body.assignments}
        instance_id = getattr(body, "group_instance_id", None)
        member = (body.member_id, instance_id, body.generation_id)
        assignment = await group.sync(*member, assignments, protocol=named if all(named) else None)
    except GroupRefusal as refusal:
        return {"error_code": refusal.code, "protocol_type": None, "protocol_name": None, "assignment": b""}
    return {
        "error_code": ErrorCode.none,
        "protocol_type": group.protocol_type,
        "protocol_name": group.protocol,
        "assignment": assignment,
    }


async def heartbeat(node: Node, call: Call) -> Answer:
    """Heartbeat: still there, and told when a rebalance is on."""
    body = call.body
    try:
        group = _known(node, body.group_id)
        group.heartbeat(body.member_id, getattr(body, "group_instance_id", None), body.generation_id)
    except GroupRefusal as refusal:
        return {"error_code": refusal.code}
    return {"error_code": ErrorCode.none}


async def leave_group(node: Node, call: Call) -> Answer:
    """LeaveGroup: one member, or several from version 3 on."""
    body = call.body
    try:
        _check_group_id(body.group_id)
        if call.version < _BATCHED_LEAVE:
            _known(node, body.group_id).leave(body.member_id, None)
            return {"error_code": ErrorCode.none}
    except GroupRefusal as refusal:
        return {"error_code": refusal.code, "members": []}
    answers = []
    for item in body.members:
        code = ErrorCode.none
        try:
            _known(node, body.group_id).leave(item.member_id, item.group_instance_id)
        except GroupRefusal as refusal:
            code = refusal.code
        named = {"member_id": item.member_id, "group_instance_id": item.group_instance_id}
        answers.append(named | {"error_code": code})
    return {"error_code": ErrorCode.none, "members": answers}


async def describe_groups(node: Node, call: Call) -> Answer:
    """DescribeGroups: states and members."""
    may = operations(call, "", ON_GROUP)
    return {
        "groups": [
            _describe(node, call.version, name) | {"authorized_operations": may}
            for name in dict.fromkeys(call.body.groups)
        ]
    }


def _describe(node: Node, version: int, group_id: str) -> dict[str, Any]:
    group = node.coordinator.groups.get(group_id)
    if group is None:
        missing = version >= _DESCRIBE_SAYS_NOT_FOUND
        return {
            "error_code": ErrorCode.group_id_not_found if missing else ErrorCode.none,
            "error_message": f"Group {group_id} not found." if missing else None,
            "group_id": group_id,
            "group_state": "Dead",
            "members": [],
        }
    stable = group.state is State.STABLE
    return {
        "error_code": ErrorCode.none,
        "group_id": group_id,
        "group_state": group.state.value,
        "protocol_type": group.protocol_type,
        "protocol_data": (group.protocol or "") if stable else "",
        "members": [_described(group, member, stable) for member in group.members.values()],
    }


def _described(group: Group, member: Member, stable: bool) -> Answer:
    return {
        "member_id": member.id,
        "group_instance_id": member.instance_id,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "member_metadata": member.protocols.get(group.protocol or "", b"") if stable else b"",
        "member_assignment": member.assignment if stable else b"",
    }


async def list_groups(node: Node, call: Call) -> Answer:
    """ListGroups: all, or those in certain states and of certain types."""
    states = {state.lower() for state in getattr(call.body, "states_filter", ())}
    types = {kind.lower() for kind in getattr(call.body, "types_filter", ())}
    groups = [
        {
            "group_id": group.id,
            "protocol_type": group.protocol_type,
            "group_state": group.state.value,
            "group_type": "classic",
        }
        for group in node.coordinator.groups.values()
        if (not states or group.state.value.lower() in states) and (not types or "classic" in types)
    ]
    return {"error_code": ErrorCode.none, "groups": groups}


async def delete_groups(node: Node, call: Call) -> Answer:
    """DeleteGroups: those without members, with their committed offsets."""
    return {
        "results": [
            {"group_id": name, "error_code": _delete(node, name)}
            for name in dict.fromkeys(call.body.groups_names)
        ]
    }


def _delete(node: Node, group_id: str) -> ErrorCode:
    group = node.coordinator.groups.get(group_id)
    if group is None:
        return ErrorCode.group_id_not_found
    if group.state is not State.EMPTY:
        return ErrorCode.non_empty_group
    try:
        node.coordinator.delete(group_id)
    except sqlite3.Error:
        return ErrorCode.coordinator_not_available
    return ErrorCode.none
