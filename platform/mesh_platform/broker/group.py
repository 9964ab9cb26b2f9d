"""One consumer group: what each Kafka request does to it."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Mapping

from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.membership import GroupRefusal, Joined, Joining, Member, State, refuse
from mesh_platform.broker.rebalance import Rebalance

_NAMED_AFTER = 200  # characters of the client's name in a member's; it has to fit a text with the rest


class Group(Rebalance):
    """A group in Kafka's classic protocol. Methods raise GroupRefusal."""

    # JoinGroup

    async def join(self, request: Joining) -> Joined:
        """Take part in the next generation; answers when it begins."""
        if not request.protocol_type or not request.protocols or not self._fits(request):
            raise GroupRefusal(ErrorCode.inconsistent_group_protocol, request.member_id)
        if sum(map(len, request.protocols.values())) > limits.GROUP_BYTES:
            raise GroupRefusal(ErrorCode.unknown_server_error, request.member_id)
        if not request.member_id:
            answer = self._join_new(request)
        else:
            answer = self._join_known(request)
        return await answer if isinstance(answer, asyncio.Future) else answer

    def _fits(self, request: Joining) -> bool:
        if not self.members:
            return True
        others = [m.protocols for m in self.members.values() if m.id != request.member_id]
        common = any(all(name in p for p in others) for name in request.protocols)
        return self.protocol_type == request.protocol_type and common

    def _join_new(self, request: Joining) -> asyncio.Future[Joined] | Joined:
        if len(self.members) + len(self.pending) >= limits.GROUP_MEMBERS:
            raise GroupRefusal(ErrorCode.group_max_size_reached)
        member_id = f"{(request.instance_id or request.client_id)[:_NAMED_AFTER]}-{uuid.uuid4()}"
        if request.instance_id is not None:
            known = self._static(request.instance_id)
            return self._replace(known, member_id, request) if known else self._admit(member_id, request)
        if request.needs_known_id:
            later = asyncio.get_running_loop().call_later
            self.pending[member_id] = later(request.session_ms / 1000, self._give_up_pending, member_id)
            raise GroupRefusal(ErrorCode.member_id_required, member_id)
        return self._admit(member_id, request)

    def _join_known(self, request: Joining) -> asyncio.Future[Joined] | Joined:
        if (waiting := self.pending.pop(request.member_id, None)) is not None:
            waiting.cancel()
            return self._admit(request.member_id, request)
        member = self._member(request.member_id, request.instance_id)
        changed = dict(member.protocols) != dict(request.protocols)
        if self.state is State.STABLE and member.id != self.leader and not changed:
            return self._joined(member)
        if self.state is State.COMPLETING and not changed:
            return self._joined(member)
        return self._rejoin(member, request)

    def _admit(self, member_id: str, request: Joining) -> asyncio.Future[Joined]:
        if not self.members:
            self.protocol_type = request.protocol_type
        member = Member(
            member_id,
            request.instance_id,
            request.client_id,
            request.client_host,
            request.session_ms,
            request.rebalance_ms,
            request.protocols,
        )
        self.members[member_id] = member
        return self._rejoin(member, request)

    def _rejoin(self, member: Member, request: Joining) -> asyncio.Future[Joined]:
        member.protocols = request.protocols
        member.session_ms, member.rebalance_ms = request.session_ms, request.rebalance_ms
        self._stop_timer(member)
        refuse(member.joining, ErrorCode.unknown_member_id)
        answer = member.joining = asyncio.get_running_loop().create_future()
        if self.state is not State.PREPARING:
            self._prepare()
        self._complete_if_all_joined()
        return answer

    def _replace(self, old: Member, member_id: str, request: Joining) -> asyncio.Future[Joined] | Joined:
        """A static member came back under a new id: the old one is fenced, its assignment stays."""
        was_leader = old.id == self.leader
        previous_leader = self.leader or ""
        refuse(old.joining, ErrorCode.fenced_instance_id)
        refuse(old.syncing, ErrorCode.fenced_instance_id)
        old.joining = old.syncing = None
        del self.members[old.id]
        old.id, old.client_id, old.client_host = member_id, request.client_id, request.client_host
        self.members[member_id] = old
        if was_leader:
            self.leader = member_id
        stays = (
            self.state is State.STABLE and self._choose_protocol(old.id, request.protocols) == self.protocol
        )
        if not stays:
            return self._rejoin(old, request)
        old.protocols = request.protocols
        self._alive(old)
        self.save(self)
        joined = self._joined(old)
        if not was_leader:
            return joined
        if request.may_skip_assignment:
            return dataclasses.replace(joined, skip_assignment=True)
        return dataclasses.replace(joined, leader=previous_leader, members=())

    # SyncGroup, Heartbeat, LeaveGroup

    async def sync(
        self,
        member_id: str,
        instance_id: str | None,
        generation: int,
        assignments: Mapping[str, bytes],
        protocol: tuple[str, str] | None = None,
    ) -> bytes:
        """This member's assignment, when the leader has made it; `protocol` is type and name it goes by."""
        member = self._member(member_id, instance_id)
        self._check_generation(generation)
        if protocol not in (None, (self.protocol_type, self.protocol)):
            raise GroupRefusal(ErrorCode.inconsistent_group_protocol)
        if self.state is State.PREPARING:
            raise GroupRefusal(ErrorCode.rebalance_in_progress)
        if sum(map(len, assignments.values())) > limits.GROUP_BYTES:
            raise GroupRefusal(ErrorCode.unknown_server_error)
        self._alive(member)
        if self.state is State.STABLE:
            return member.assignment
        refuse(member.syncing, ErrorCode.unknown_member_id)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        member.syncing = answer
        if member.id == self.leader:
            self._assign(assignments)
        return await answer

    def _assign(self, assignments: Mapping[str, bytes]) -> None:
        self._cancel_schedule()
        self.state = State.STABLE
        for member in self.members.values():
            member.assignment = assignments.get(member.id, b"")
        self.save(self)
        for member in self.members.values():
            answer, member.syncing = member.syncing, None
            if answer is not None and not answer.done():
                answer.set_result(member.assignment)
            self._alive(member)

    def heartbeat(self, member_id: str, instance_id: str | None, generation: int) -> None:
        """Stay a member."""
        if member_id in self.pending:
            return
        member = self._member(member_id, instance_id)
        self._check_generation(generation)
        self._alive(member)
        if self.state is State.PREPARING:
            raise GroupRefusal(ErrorCode.rebalance_in_progress)

    def leave(self, member_id: str, instance_id: str | None) -> None:
        """Stop being a member; a static one may leave by its instance id alone."""
        if (waiting := self.pending.pop(member_id, None)) is not None:
            waiting.cancel()
            self._complete_if_all_joined()
            return
        static = self._static(instance_id) if instance_id is not None and not member_id else None
        self._remove(static or self._member(member_id, instance_id))

    def check_commit(self, member_id: str, instance_id: str | None, generation: int) -> None:
        """Whether this member may commit offsets now."""
        if generation < 0 and self.state is State.EMPTY:
            return
        self.check_member(member_id, instance_id, generation)
        if self.state is State.COMPLETING:
            raise GroupRefusal(ErrorCode.rebalance_in_progress)
        self._alive(self.members[member_id])

    def check_member(self, member_id: str, instance_id: str | None, generation: int) -> None:
        """Whether this is a member of the present generation."""
        self._member(member_id, instance_id)
        self._check_generation(generation)

    # Members

    def _member(self, member_id: str, instance_id: str | None) -> Member:
        if instance_id is not None:
            known = self._static(instance_id)
            if known is None:
                raise GroupRefusal(ErrorCode.unknown_member_id, member_id)
            if known.id != member_id:
                raise GroupRefusal(ErrorCode.fenced_instance_id, member_id)
        if member_id not in self.members:
            raise GroupRefusal(ErrorCode.unknown_member_id, member_id)
        return self.members[member_id]

    def _static(self, instance_id: str) -> Member | None:
        return next((m for m in self.members.values() if m.instance_id == instance_id), None)

    def _check_generation(self, generation: int) -> None:
        if generation != self.generation:
            raise GroupRefusal(ErrorCode.illegal_generation)
