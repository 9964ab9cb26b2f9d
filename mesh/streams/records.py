"""Records as Faust hands them over, in the shape of the official client's messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh.errors import EventError, Position
from mesh.event import dead_letter_headers
from mesh.interfaces import Message, Sender
from mesh.port import OutputPort


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the source topic."""

    raw: Any

    def topic(self) -> str:
        return str(self.raw.topic)

    def partition(self) -> int:
        return int(self.raw.partition)

    def offset(self) -> int:
        return int(self.raw.offset)

    def key(self) -> bytes | None:
        key: bytes | None = self.raw.key
        return key

    def value(self) -> bytes | None:
        value: bytes | None = self.raw.value
        return value

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return list(self.raw.headers or ())

    def timestamp(self) -> tuple[int, int]:
        """Kafka's type of the time and the time in milliseconds."""
        return int(self.raw.timestamp_type or 0), round((self.raw.timestamp or 0) * 1000)


M = TypeVar("M", bound=Message)


def without_repeats(records: Iterable[M]) -> tuple[list[M], dict[int, int]]:
    """`(each record once, partition → next offset)`.

    When the reading goes back while records wait for their batch, the batch has some of them twice.
    """
    once: list[M] = []
    ends: dict[int, int] = {}
    for record in records:
        partition, offset = record.partition(), record.offset()
        if offset >= ends.get(partition, 0):
            ends[partition] = offset + 1
            once.append(record)
    return once, ends


@dataclass(frozen=True, slots=True)
class Grave:
    """Where unreadable events of a port go, bytes untouched, with the reason."""

    port: OutputPort
    sender: Sender
    group: str

    def bury(self, poison: list[tuple[Message, EventError]]) -> None:
        """Send poison to the dead-letter topic and wait until it is there."""
        messages = [message for message, _ in poison]
        headers = [
            dead_letter_headers(
                message.headers(),
                error=error,
                position=Position(message.topic(), message.partition(), message.offset()),
                group=self.group,
            )
            for message, error in poison
        ]
        times = [max(message.timestamp()[1], 0) for message in messages]
        keys, values = [message.key() for message in messages], [message.value() for message in messages]
        self.sender.send(self.port.dead_letters, keys, values, headers, times)
        self.sender.flush()
