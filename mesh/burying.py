"""Setting events aside on a dead-letter topic: bytes and headers untouched, with the reason and the place."""

from __future__ import annotations

from collections.abc import Sequence
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
