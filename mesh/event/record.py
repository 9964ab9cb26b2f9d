"""A record as it once came in, kept as a value in the shape of the official client's messages."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.errors import Position

Headers = list[tuple[str, bytes | None]]
_CREATED = 1


@dataclass(frozen=True, slots=True)
class Record:
    """Key, value and headers, and the position they had."""

    at: Position
    raw_key: bytes | None
    raw_value: bytes | None
    raw_headers: tuple[tuple[str, bytes | None], ...] = ()
    time_ms: int = 0

    def topic(self) -> str:
        """The topic it came from."""
        return self.at.topic

    def partition(self) -> int:
        """Its partition there."""
        return self.at.partition

    def offset(self) -> int:
        """Its offset there."""
        return self.at.offset

    def key(self) -> bytes | None:
        """The record key."""
        return self.raw_key

    def value(self) -> bytes | None:
        """The bytes of the event."""
        return self.raw_value

    def headers(self) -> Headers:
        """Its own headers."""
        return list(self.raw_headers)

    def timestamp(self) -> tuple[int, int]:
        """Kafka's kind of time, and milliseconds."""
        return _CREATED, self.time_ms


def text_headers(headers: list[tuple[str, bytes | None]] | None) -> dict[str, str]:
    """Headers as text for people and for look-ups; the last of a name counts."""
    return {name: (raw or b"").decode(errors="replace") for name, raw in headers or ()}
