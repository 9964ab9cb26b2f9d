"""Where a letter goes back to: to the group that could not handle it, or onto the product's topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh import naming
from mesh.event.record import Record
from mesh.handling.waiting import WRITER, Waiting
from mesh.letters.letter import Letter
from mesh.letters.marks import Mark


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Target:
    """A topic, and the one that holds the marks of what went there."""

    topic: str
    marks: str
    group: str = ""  #: empty: the product's topic, and with it every group that reads it

    def mark(self, letter: Letter) -> Mark:
        """The mark of a letter that goes there."""
        return Mark(letter.number, "" if self.group else letter.origin)

    def parcel(self, event: Record) -> Parcel:
        """An event on its way there."""
        if not self.group:
            return Parcel(self.topic, event.key(), event.value(), event.headers())
        waiting = Waiting(event)
        headers = [(WRITER, b"replay"), *waiting.headers()]
        return Parcel(self.topic, waiting.origin.key(), event.value(), headers)


def product_target(topic: str) -> Target:
    """The product's topic."""
    return Target(topic, naming.replays_topic(topic))


def group_target(group: str, topic: str) -> Target:
    """A group's retry topic, which holds the marks as well."""
    name = naming.retry_topic(group, topic)
    return Target(name, name, group)
