"""The facts in an event's headers: CloudEvents 1.0, binary mode for Kafka.

Attributes are UTF-8 text, never percent-encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Final

Header = tuple[str, bytes]

AVRO: Final = "application/avro"
_LAST_DIGITS: Final = [b"%03x" % number for number in range(0x1000)]
_ATTRIBUTES: Final = {
    "ce_id": "id",
    "ce_source": "source",
    "ce_type": "type",
    "content-type": "content_type",
    "ce_dataschema": "dataschema",
    "ce_subject": "subject",
    "traceparent": "traceparent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The CloudEvents attributes of an event; None is an attribute the event does not carry."""

    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: datetime | None = None
    content_type: str | None = None
    dataschema: str | None = None
    subject: str | None = None
    traceparent: str | None = None

    def headers(self) -> list[Header]:
        """As Kafka headers, absent attributes left out."""
        found: list[Header] = [("ce_specversion", b"1.0")]
        for header, attribute in _ATTRIBUTES.items():
            text: str | None = getattr(self, attribute)
            if text is not None:
                found.append((header, text.encode()))
        if self.time is not None:
            found.append(("ce_time", format_time(self.time).encode()))
        return found

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | str | None]] | None) -> Envelope:
        """Read what is there; an attribute that is missing or unreadable is None, nothing is raised."""
        found: dict[str, str] = {}
        time: datetime | None = None
        for header, raw in headers or ():
            text = _text(raw)
            if text is None:
                continue
            if header == "ce_time":
                time = parse_time(text)
            elif header in _ATTRIBUTES:
                found[_ATTRIBUTES[header]] = text
        return cls(time=time, **found)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all events of one publisher share, encoded once; two headers differ per event."""

    source: str
    type: str
    content_type: str = AVRO
    dataschema: str | None = None
    also: tuple[Header, ...] = ()
    shared: tuple[Header, ...] = field(init=False)

    def __post_init__(self) -> None:
        shared = Envelope(
            source=self.source, type=self.type, content_type=self.content_type, dataschema=self.dataschema
        )
        object.__setattr__(self, "shared", (*shared.headers(), *self.also))

    def headers(self, event_id: bytes, time: bytes, traceparent: bytes | None = None) -> list[Header]:
        """The headers of one event; `time` as RFC 3339 text."""
        found = [("ce_id", event_id), ("ce_time", time), *self.shared]
        if traceparent is not None:
            found.append(("traceparent", traceparent))
        return found

    def each(self, ids: Sequence[bytes], times: Sequence[bytes], traceparent: bytes | None = None) -> Stamped:
        """The headers of many events, in order."""
        traced = () if traceparent is None else (("traceparent", traceparent),)
        return Stamped(ids, times, (*self.shared, *traced))


@dataclass(frozen=True, slots=True)
class Stamped:
    """The headers of many events, made when asked for: kept all at once they wake the garbage collector."""

    ids: Sequence[bytes]
    times: Sequence[bytes]
    shared: tuple[Header, ...]

    def __iter__(self) -> Iterator[list[Header]]:
        shared = self.shared
        for event_id, time in zip(self.ids, self.times, strict=True):
            yield [("ce_id", event_id), ("ce_time", time), *shared]


class EventIds:
    """Ids unique per fact: a random prefix of the publisher and a count, in hexadecimal.

    The prefix (8 random bytes) comes from outside; two publishers never share one. Safe to share
    between threads: each number is handed out once. Whoever repeats events after a crash gives the prefix
    and the number that the first of them had: the same fact, the same id.
    """

    def __init__(self, prefix: bytes, first: int = 0) -> None:
        self._prefix = prefix.hex().encode()
        self._next = first
        self._turn = Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self.take(1)[0]

    def take(self, number: int) -> list[bytes]:
        """The next `number` ids."""
        with self._turn:
            first, self._next = self._next, self._next + number
        found: list[bytes] = []
        while len(found) < number:
            # The last three digits run through a table: to write each number out costs seven times that.
            high, low = divmod(first + len(found), len(_LAST_DIGITS))
            head = b"%b%09x" % (self._prefix, high)
            found += [head + last for last in _LAST_DIGITS[low : low + number - len(found)]]
        return found


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with microseconds; a time without zone counts as UTC."""
    utc = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    return utc.isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> datetime | None:
    """Read RFC 3339 text; None when it is not, or has no zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _text(raw: bytes | str | None) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
