"""Places on a topic as people name them: earliest, latest, a time, offsets; and what was skipped there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from mesh.errors import UsageError

#: Where to begin or end on a topic. A time means the first event that was published then or later, by
#: Kafka's timestamp; offsets are by partition, and partitions that they leave out begin at their start.
Place = Literal["earliest", "latest"] | datetime | Mapping[int, int]

#: What to do where the events at a position are gone: go on with the oldest that is left, or with the
#: next that comes, or stop.
OutOfRange = Literal["earliest", "latest", "fail"]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a topic: from `since` to before `until`; without `until`, to the end that is there now."""

    since: Place = "earliest"
    until: Place | None = None


EVERYTHING = Span()


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets that a group wanted and the topic no longer has: from `first` to before `next`.

    `next` is where the reading went on; it is smaller than `first` on a topic that was made anew.
    """

    topic: str
    partition: int
    first: int
    next: int

    @property
    def missed(self) -> int:
        """How many offsets were passed over; at most so many events are missed."""
        return max(self.next - self.first, 0)

    def __str__(self) -> str:
        if self.next < self.first:
            said = f"offset {self.first} is beyond the end; the reading goes on at {self.next}"
        else:
            said = f"offsets {self.first} to {self.next - 1} are gone"
        return f"{self.topic}/{self.partition}: {said}"


def place_of(value: object) -> Place:
    """What a caller named, checked: a time without a zone counts as UTC, and text may be a time in ISO 8601.

    Raises UsageError (MESH-U190).
    """
    match value:
        case "earliest" | "latest":
            return cast(Place, value)
        case datetime():
            return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        case str():
            try:
                return place_of(datetime.fromisoformat(value))
            except ValueError:
                raise _no_place(value) from None
        case Mapping() if all(_is_offset(key) and _is_offset(offset) for key, offset in value.items()):
            return dict(value)
    raise _no_place(value)


def span_of(since: object = "earliest", until: object = None) -> Span:
    """A part of a topic by its two places; raises UsageError as `place_of`."""
    return Span(place_of(since), None if until is None else place_of(until))


def milliseconds(time: datetime) -> int:
    """A time as Kafka's timestamps count."""
    return round(time.timestamp() * 1000)


def _is_offset(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _no_place(value: object) -> UsageError:
    return UsageError(
        f"{value!r} is no place on a topic",
        code="MESH-U190",
        why="a place is 'earliest', 'latest', a time, or offsets by partition",
        fix="as in start='2026-01-31T12:00:00+00:00', or start={0: 1500, 1: 1498}",
    )
