"""Members of consumer groups: what they ask for, what they are told, what they wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kio.schema.errors import ErrorCode

Protocols = Mapping[str, bytes]


class State(Enum):
    """The names are Kafka's."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


class GroupRefusal(Exception):
    """The group's answer is this error."""

    def __init__(self, code: ErrorCode, member_id: str = "") -> None:
        super().__init__(code.name)
        self.code = code
        self.member_id = member_id


@dataclass(frozen=True, slots=True)
class Joining:
    """A JoinGroup request."""

    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_ms: int
    rebalance_ms: int
    protocol_type: str
    protocols: Protocols
    needs_known_id: bool
    may_skip_assignment: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """What JoinGroup is answered with; only the leader learns the members."""

    generation: int
    protocol_type: str
    protocol: str
    leader: str
    member_id: str
    members: tuple[tuple[str, str | None, bytes], ...] = ()
    skip_assignment: bool = False


@dataclass(slots=True)
class Member:
    """One member, and the requests of it that wait."""

    id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_ms: int
    rebalance_ms: int
    protocols: Protocols
    assignment: bytes = b""
    joining: asyncio.Future[Joined] | None = None
    syncing: asyncio.Future[bytes] | None = None
    timer: asyncio.TimerHandle | None = None


def refuse(answer: asyncio.Future[Any] | None, code: ErrorCode) -> None:
    """Answer a waiting request with an error, if it still waits."""
    if answer is not None and not answer.done():
        answer.set_exception(GroupRefusal(code))


def subscribed_topics(metadata: bytes) -> Sequence[str]:
    """The topics in a consumer's subscription (version, then strings); none if it is not readable."""
    try:
        count, at, topics = int.from_bytes(metadata[2:6], "big"), 6, []
        for _ in range(min(count, len(metadata))):
            length = int.from_bytes(metadata[at : at + 2], "big")
            topics.append(metadata[at + 2 : at + 2 + length].decode())
            at += 2 + length
    except UnicodeDecodeError:
        return []
    return topics
