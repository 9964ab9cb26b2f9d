"""Which letters went back: a mark per letter, written with the event in one transaction.

A mark also names the place its event came from when it went onto the product's topic, where every letter
about that event would put it again. A group's retry topic needs none: the last word on a place counts there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mesh.interfaces import Message
from mesh.letters.letter import Letter

_KEY: Final = b"replayed-"


@dataclass(frozen=True, slots=True)
class Mark:
    """A letter went back."""

    number: int
    origin: str = ""

    def key(self) -> bytes:
        """The record key; a retry topic that holds marks tells them from waiting events by it."""
        return _KEY + str(self.number).encode()

    def value(self, at_ms: int) -> bytes:
        """The record value."""
        return json.dumps({"letter": self.number, "origin": self.origin, "at": at_ms}).encode()


class Marks:
    """All marks of a topic's letters, wherever they went."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._numbers: set[int] = set()
        self._origins: set[str] = set()
        self.learn(messages)

    def learn(self, messages: Iterable[Message]) -> None:
        """Take in the marks among some records."""
        for mark in map(mark_of, messages):
            if mark is not None:
                self.add(mark)

    def __contains__(self, letter: Letter) -> bool:
        return letter.number in self._numbers or letter.origin in self._origins

    def add(self, mark: Mark) -> None:
        """It goes back."""
        self._numbers.add(mark.number)
        if mark.origin:
            self._origins.add(mark.origin)


def mark_of(message: Message) -> Mark | None:
    """The mark in a record; None when it holds none."""
    if not (message.key() or b"").startswith(_KEY):
        return None
    try:
        told = json.loads(message.value() or b"")
        return Mark(int(told["letter"]), str(told["origin"]))
    except (ValueError, KeyError, TypeError):
        return None
