"""An event that waits to be tried again, and the record that says so on the retry topic.

The record's key is the origin the event came from, so that the last word about an event wins: the topic is
compacted. Its value is the event's own bytes; what belongs to the event otherwise travels in headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from mesh.errors import Position
from mesh.event import error_facts
from mesh.event.record import Record
from mesh.interfaces import Message

Header = tuple[str, bytes | None]
_KEY: Final = "mesh.retry.key"
_PREFIX: Final = "mesh.retry."
#: by which member a record was written: the first header, before the event's own
WRITER: Final = "mesh.retry.writer"
#: `mesh.retry.key` and everything after it is ours; what stands before it is the event's own.
_OURS: Final = 7


class Origin(NamedTuple):
    """Partition and offset an event came from."""

    partition: int
    offset: int

    def key(self) -> bytes:
        """The key of its records on the retry topic."""
        return b"%d-%d" % self


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event, how often it failed, and when its turn is (seconds since 1970)."""

    message: Message
    failures: int = 0
    due: float = 0.0
    code: str = ""
    reason: str = ""

    @property
    def origin(self) -> Origin:
        """Where the event came from."""
        return Origin(self.message.partition(), self.message.offset())

    @property
    def chain(self) -> tuple[int, bytes | int]:
        """Whom it keeps order with: its key's other events; without a key, nobody."""
        return chain(self.message)

    def failed(self, error: Exception, due: float) -> Waiting:
        """The same event after one more failure."""
        code, reason, _ = error_facts(error)
        return Waiting(self.message, self.failures + 1, due, code, reason)

    def headers(self) -> list[Header]:
        """The event's own headers, then ours."""
        facts = (
            ("partition", str(self.message.partition())),
            ("offset", str(self.message.offset())),
            ("timestamp", str(max(self.message.timestamp()[1], 0))),
            ("failures", str(self.failures)),
            ("due", str(int(self.due * 1000))),
            ("reason", f"{self.code} {self.reason}"[:1_000]),
        )
        own = self.message.headers() or []
        return [
            *own,
            (_KEY, self.message.key()),
            *((f"{_PREFIX}{name}", text.encode(errors="replace")) for name, text in facts),
        ]


def chain(message: Message) -> tuple[int, bytes | int]:
    """Events of one chain are handled one after the other, in the order they came."""
    key = message.key()
    return message.partition(), message.offset() if key is None else key


def origin_of(key: bytes | None) -> Origin | None:
    """The origin that a record of the retry topic is about; None when it is about none."""
    partition, dash, offset = (key or b"").partition(b"-")
    if not (dash and partition.isdigit() and offset.isdigit()):
        return None
    return Origin(int(partition), int(offset))


def waiting_of(message: Message, topic: str) -> Waiting | None:
    """The waiting event in a record of the retry topic; None when the record is none of ours."""
    headers = message.headers() or []
    own, ours = headers[1:-_OURS], headers[-_OURS:]
    if len(headers) <= _OURS or headers[0][0] != WRITER or ours[0][0] != _KEY:
        return None
    try:
        return _told(message, topic, own, ours)
    except ValueError:
        return None


def _told(message: Message, topic: str, own: Sequence[Header], ours: Sequence[Header]) -> Waiting:
    facts = {name.removeprefix(_PREFIX): (raw or b"").decode() for name, raw in ours[1:]}
    at = Position(topic, int(facts["partition"]), int(facts["offset"]))
    record = Record(at, ours[0][1], message.value(), tuple(own), int(facts["timestamp"]))
    code, _, reason = facts["reason"].partition(" ")
    return Waiting(record, int(facts["failures"]), int(facts["due"]) / 1000, code, reason)
