"""The coordinator: every group of this node, saved so that a restart of the broker does not disturb its
members, and forgotten when it has not been used for long.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker import journal
from mesh_platform.broker.group import Group
from mesh_platform.broker.membership import GroupRefusal, Member, State
from mesh_platform.broker.store import Store

_USE_MS = 3_600_000


class Coordinator:
    """Groups by id."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self.groups: dict[str, Group] = {}
        for group_id, saved in store.groups().items():
            group = self.groups[group_id] = _load(Group(group_id, self._save), saved, now())
            group.resume()

    def group(self, group_id: str) -> Group:
        """The group, new and empty if there is none. Raises GroupRefusal where there are too many."""
        if group_id not in self.groups:
            if len(self.groups) >= limits.GROUPS:
                raise GroupRefusal(ErrorCode.group_max_size_reached)
            self.groups[group_id] = Group(group_id, self._save, used_at=self._now())
        return self.groups[group_id]

    def use(self, group_id: str) -> None:
        """Note a commit; an hour's doubt about the last use is not worth a write each."""
        group = self.group(group_id)
        if self._now() - group.used_at > _USE_MS:
            self._save(group)

    def expire(self, age_ms: int) -> None:
        """Forget groups that have had no member and no commit for so long. Raises sqlite3.Error."""
        for group in tuple(self.groups.values()):
            unused = group.state is State.EMPTY and not group.pending
            if unused and self._now() - group.used_at > age_ms and not self._store.pending(group.id):
                journal.note("group forgotten", group=group.id)
                self.delete(group.id)

    def forget_unused(self, group_id: str) -> None:
        """Drop a group that nobody ever came to be in, so that bad requests leave nothing behind."""
        group = self.groups.get(group_id)
        used = group is None or group.members or group.pending or group.generation
        if not used and not self._store.commits(group_id):
            del self.groups[group_id]

    def delete(self, group_id: str) -> None:
        """Forget a group and its committed offsets. Raises sqlite3.Error."""
        self._store.delete_group(group_id)
        self.groups.pop(group_id).close()

    def close(self) -> None:
        for group in self.groups.values():
            group.close()

    def _save(self, group: Group) -> None:
        group.used_at = self._now()
        self.forget_unused(group.id)
        if group.id not in self.groups:
            return
        try:
            self._store.save_group(group.id, _dump(group))
        except sqlite3.Error as error:  # members go on; after a restart they would join anew
            journal.note("group not saved", group=group.id, reason=str(error))


def _dump(group: Group) -> str:
    members = [
        {
            "id": m.id,
            "instance_id": m.instance_id,
            "client_id": m.client_id,
            "client_host": m.client_host,
            "session_ms": m.session_ms,
            "rebalance_ms": m.rebalance_ms,
            "protocols": {name: b64encode(metadata).decode() for name, metadata in m.protocols.items()},
            "assignment": b64encode(m.assignment).decode(),
        }
        for m in group.members.values()
    ]
    state = {
        "generation": group.generation,
        "protocol_type": group.protocol_type,
        "protocol": group.protocol,
        "leader": group.leader,
        "used_at": group.used_at,
        "members": members,
    }
    return json.dumps(state)


def _load(group: Group, saved: str, now: int) -> Group:
    state = json.loads(saved)
    group.used_at = state.get("used_at", now)
    group.generation = state.get("generation", 0)
    group.protocol_type = state.get("protocol_type", "")
    group.protocol, group.leader = state.get("protocol"), state.get("leader")
    for fields in state.get("members", ()):
        fields["protocols"] = {name: b64decode(text) for name, text in fields["protocols"].items()}
        fields["assignment"] = b64decode(fields["assignment"])
        group.members[fields["id"]] = Member(**fields)
    group.state = State.STABLE if group.members else State.EMPTY
    return group
