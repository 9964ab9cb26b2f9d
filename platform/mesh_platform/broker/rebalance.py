"""The rebalance of one consumer group: generations begin, are waited for, and end.

    Empty ──join──► PreparingRebalance ──all joined──► CompletingRebalance ──leader syncs──► Stable
      ▲                  ▲    └── nobody left ─► Empty        │                                │
      └── last leaves    └──────── a member joins, leaves, or is silent too long ─────────────┘

Time comes from the running event loop; what is to be saved goes through the `save` function given.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kio.schema.errors import ErrorCode

from mesh_platform.broker.membership import Joined, Member, Protocols, State, refuse

#: The first members of an empty group are waited for this long: those started together share a generation.
INITIAL_DELAY_SECONDS = 0.1


@dataclass(slots=True)
class Rebalance:
    """A group's members and the generation they are in."""

    id: str
    save: Callable[[Any], None]
    state: State = State.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str | None = None
    leader: str | None = None
    members: dict[str, Member] = field(default_factory=dict)
    pending: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    used_at: int = 0  # milliseconds since 1970
    _timer: asyncio.TimerHandle | None = None
    _gathering: bool = False

    # Rebalance

    def _prepare(self) -> None:
        """Ask every member to join again."""
        first = self.state is State.EMPTY
        if self.state is State.COMPLETING:
            for member in self.members.values():
                refuse(member.syncing, ErrorCode.rebalance_in_progress)
                member.syncing, member.assignment = None, b""
                self._alive(member)
        self.state = State.PREPARING
        self._gathering = first
        patience = max((m.rebalance_ms for m in self.members.values()), default=0) / 1000
        self._schedule(INITIAL_DELAY_SECONDS if first else patience, self._out_of_patience)

    def _complete_if_all_joined(self) -> None:
        if self.state is not State.PREPARING or self._gathering or self.pending:
            return
        if all(member.joining is not None for member in self.members.values()):
            self._begin_generation()

    def _out_of_patience(self) -> None:
        """Go on without those who did not join; static members keep their place."""
        self._gathering = False
        for member in [m for m in self.members.values() if m.joining is None and m.instance_id is None]:
            self._drop(member)
        if self.members and all(member.joining is None for member in self.members.values()):
            patience = max(m.rebalance_ms for m in self.members.values()) / 1000
            self._schedule(max(patience, 1.0), self._out_of_patience)  # a client may say 0
        else:
            self._begin_generation()

    def _begin_generation(self) -> None:
        self._cancel_schedule()
        self.generation += 1
        if not self.members:
            self.state, self.protocol, self.leader = State.EMPTY, None, None
            self.save(self)
            return
        joined = [m for m in self.members.values() if m.joining is not None]
        if self.leader not in {m.id for m in joined}:
            self.leader = joined[0].id
        self.protocol = self._choose_protocol(None, {})
        self.state = State.COMPLETING
        for member in joined:
            answer, member.joining = member.joining, None
            if answer is not None and not answer.done():
                answer.set_result(self._joined(member))
            self._alive(member)
        self._schedule(max(m.rebalance_ms for m in joined) / 1000, self._unsynced)

    def _unsynced(self) -> None:
        """Members that got their generation but never asked for their assignment are gone."""
        if self.state is State.COMPLETING:
            for member in [m for m in self.members.values() if m.syncing is None]:
                self._drop(member)
            self._prepare()
            self._complete_if_all_joined()

    def _choose_protocol(self, changed: str | None, protocols: Protocols) -> str:
        """The protocol that all support and most prefer."""
        offers = [protocols if m.id == changed else m.protocols for m in self.members.values()]
        common = set(offers[0]).intersection(*offers[1:])
        votes = Counter(
            next(name for name in offer if name in common) for offer in offers if common & set(offer)
        )
        return votes.most_common(1)[0][0] if votes else ""

    def _joined(self, member: Member) -> Joined:
        protocol = self.protocol or ""
        members: tuple[tuple[str, str | None, bytes], ...] = ()
        if member.id == self.leader:
            members = tuple(
                (m.id, m.instance_id, m.protocols.get(protocol, b"")) for m in self.members.values()
            )
        return Joined(self.generation, self.protocol_type, protocol, self.leader or "", member.id, members)

    # Members that go

    def _remove(self, member: Member) -> None:
        self._drop(member)
        if self.state in (State.STABLE, State.COMPLETING):
            self._prepare()
        self._complete_if_all_joined()

    def _drop(self, member: Member) -> None:
        self._stop_timer(member)
        refuse(member.joining, ErrorCode.unknown_member_id)
        refuse(member.syncing, ErrorCode.unknown_member_id)
        del self.members[member.id]
        if self.leader == member.id:
            self.leader = next(iter(self.members), None)

    def _give_up_pending(self, member_id: str) -> None:
        self.pending.pop(member_id, None)
        if not self.pending and not self.members and not self.generation:
            self.save(self)  # nobody ever came
        self._complete_if_all_joined()

    # Time

    def _alive(self, member: Member) -> None:
        self._stop_timer(member)
        later = asyncio.get_running_loop().call_later
        member.timer = later(member.session_ms / 1000, self._silent, member)

    def _silent(self, member: Member) -> None:
        if self.members.get(member.id) is member and member.joining is None and member.syncing is None:
            self._remove(member)

    @staticmethod
    def _stop_timer(member: Member) -> None:
        if member.timer is not None:
            member.timer.cancel()
            member.timer = None

    def _schedule(self, seconds: float, action: Callable[[], None]) -> None:
        self._cancel_schedule()
        self._timer = asyncio.get_running_loop().call_later(seconds, action)

    def _cancel_schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Go on after a restart: whoever is still there has a session's time to say so."""
        for member in self.members.values():
            self._alive(member)

    def close(self) -> None:
        """Stop every clock; requests that wait are told to find the coordinator again."""
        self._cancel_schedule()
        for waiting in self.pending.values():
            waiting.cancel()
        for member in self.members.values():
            self._stop_timer(member)
            refuse(member.joining, ErrorCode.not_coordinator)
            refuse(member.syncing, ErrorCode.not_coordinator)
