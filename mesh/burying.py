"""Setting events aside on a dead-letter topic: bytes and headers untouched, with the reason and the place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mesh.errors import Position
from mesh.event import dead_letter_headers
from mesh.interfaces import Message, Sender


@dataclass(frozen=True, slots=True)
class Letter:
    """An event to set aside, and why; `failures` counts how often a handler failed."""

    message: Message
    error: BaseException
    failures: int | None = None


def bury(sender: Sender, topic: str, letters: Sequence[Letter], group: str) -> None:
    """Hand letters over; they are there when the sender is flushed, or its transaction is committed.

    Kafka's time of a letter is when it was set aside; the event's own is among the headers.
    """
    messages = [letter.message for letter in letters]
    headers = [
        dead_letter_headers(
            letter.message.headers(),
            error=letter.error,
            position=Position(letter.message.topic(), letter.message.partition(), letter.message.offset()),
            group=group,
            time_ms=letter.message.timestamp()[1],
            failures=letter.failures,
        )
        for letter in letters
    ]
    keys, values = [message.key() for message in messages], [message.value() for message in messages]
    sender.send(topic, keys, values, headers, [0] * len(messages))


#: so long positions wait for dead letters at most; asking at every batch costs a third
LETTER_SECONDS = 1.0


class LettersUnderWay:
    """Letters handed over and not acknowledged so far, and where reading goes on should they not be."""

    def __init__(self, sender: Sender, topic: str, group: str, clock: Callable[[], float]) -> None:
        self._sender = sender
        self._topic = topic
        self._group = group
        self._clock = clock
        self._firsts: dict[int, int] = {}
        self._since = 0.0
        self._count = 0
        self.acknowledged = 0

    def __bool__(self) -> bool:
        return self._count > 0

    @property
    def are_due(self) -> bool:
        """Whether positions have waited long enough for them."""
        return self._clock() - self._since >= LETTER_SECONDS

    def bury(self, letters: Sequence[Letter]) -> None:
        """Hand letters over; no position may pass them before `make_safe`."""
        if not self:
            self._since = self._clock()
        for letter in letters:
            self._firsts.setdefault(letter.message.partition(), letter.message.offset())
        self._count += len(letters)
        bury(self._sender, self._topic, letters, self._group)

    def make_safe(self) -> None:
        """Wait until they are acknowledged; raises NotAcknowledged."""
        if self:
            self._sender.flush()
        self.acknowledged += self._count
        self.forgotten()

    def forgotten(self) -> dict[int, int]:
        """By partition, the first of those that nobody waits for any more: from there it is read again."""
        firsts, self._firsts, self._count = self._firsts, {}, 0
        return firsts
