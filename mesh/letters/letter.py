"""A dead letter as a value: the event with its own bytes, where it came from, and why it was set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.errors import Position
from mesh.event import PUBLISHER, without_dead_letter_headers
from mesh.event.record import Record, text_headers
from mesh.interfaces import Message

_OURS, _STREAMS = "mesh.dlq.", "__streams.errors."


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on a dead-letter topic; `number` is its offset there and names it for people."""

    number: int
    at_ms: int  #: when it was set aside
    code: str
    reason: str
    why: str
    group: str  #: who set it aside: a group, or the publisher
    event: Record  #: as it came, before it was set aside
    facts: Mapping[str, str]  #: every header that says why

    @property
    def from_publisher(self) -> bool:
        """Whether it never was on its topic."""
        return self.group == PUBLISHER or self.event.at.partition < 0

    @property
    def origin(self) -> str:
        """What two letters about one event have in common."""
        return f"letter {self.number}" if self.from_publisher else str(self.event.at)


def letter_of(message: Message, topic: str) -> Letter:
    """The letter in a record of `topic`'s dead-letter topic; what its writer did not say is empty."""
    headers = message.headers() or []
    facts = {name: text for name, text in text_headers(headers).items() if name.startswith((_OURS, _STREAMS))}
    at = Position(_said(facts, "topic") or topic, _number(facts, "partition"), _number(facts, "offset"))
    at_ms = max(message.timestamp()[1], 0)
    known = facts.get(f"{_OURS}timestamp", "")
    event = Record(
        at,
        message.key(),
        message.value(),
        tuple(without_dead_letter_headers(headers)),
        int(known) if known.isdigit() else at_ms,
    )
    reason = facts.get(f"{_OURS}reason") or facts.get(f"{_STREAMS}message", "")
    code, why = facts.get(f"{_OURS}code", ""), facts.get(f"{_OURS}why", "")
    group = facts.get(f"{_OURS}group", "")
    return Letter(message.offset(), at_ms, code, reason, why, group, event, facts)


def _said(facts: Mapping[str, str], name: str) -> str:
    return facts.get(f"{_OURS}{name}") or facts.get(f"{_STREAMS}{name}", "")


def _number(facts: Mapping[str, str], name: str) -> int:
    text = _said(facts, name)
    return int(text) if text.isascii() and text.isdigit() else -1
