"""One event on Kafka: the frame around its Avro datum and the facts in its headers.

Value: Confluent wire format, `0x00`, schema id (4 bytes, big endian), Avro datum.
Headers: CloudEvents 1.0 binary mode for Kafka; attributes are UTF-8 text, never percent-encoded.

    MESH-E010  no value              MESH-E011  too short for a frame
    MESH-E012  not framed            MESH-E090  a handler's own error
"""

from __future__ import annotations

import struct
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, islice
from typing import Final

from mesh import limits
from mesh.errors import EventError, MeshError, Position

Header = tuple[str, bytes]

AVRO: Final = "application/avro"
FRAME_BYTES: Final = 5
_FRAME: Final = struct.Struct(">bi")
_MAX_SCHEMA_ID: Final = 2**31 - 1


# --- the value ---------------------------------------------------------------------------------


def frame_prefix(schema_id: int) -> bytes:
    """The five bytes before every datum of a schema; raises EventError for an id no registry gives."""
    if not 0 < schema_id <= _MAX_SCHEMA_ID:
        raise EventError(
            f"{schema_id} is not a schema id", code="MESH-E012", why="an id is between 1 and 2147483647"
        )
    return _FRAME.pack(0, schema_id)


def frame(schema_id: int, datum: bytes) -> bytes:
    """Put a datum into the wire format."""
    return frame_prefix(schema_id) + datum


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """`(schema id, datum)` of a value; raises EventError when it is not in the wire format."""
    if value is None:
        raise EventError(
            "the event has no value",
            code="MESH-E010",
            why="an event without data is a tombstone: on a compacted topic it deletes its key",
        )
    if len(value) < FRAME_BYTES:
        raise EventError(
            f"the value has {len(value)} bytes",
            code="MESH-E011",
            why="the wire format needs 5 bytes before the datum: 0x00 and the schema id",
            fix="publish with mesh, or with a client that uses the schema registry",
        )
    magic, schema_id = _FRAME.unpack_from(value)
    if magic != 0 or schema_id <= 0:
        shown = bytes(value[:FRAME_BYTES]).hex(" ")
        raise EventError(
            f"the value starts with {shown}",
            code="MESH-E012",
            why="the wire format is 0x00, then the schema id as four bytes, greater than 0",
            fix="publish with mesh, or with a client that uses the schema registry",
        )
    return schema_id, bytes(value[FRAME_BYTES:])


@dataclass(frozen=True, slots=True)
class Poison:
    """An event of a batch that cannot be read, and why; `index` counts from 0 in the batch."""

    index: int
    error: EventError


@dataclass(frozen=True, slots=True)
class SchemaGroup:
    """The events of a batch written with one schema, in order."""

    schema_id: int
    indices: Sequence[int]
    datums: list[bytes]


@dataclass(frozen=True, slots=True)
class Unframed:
    """A batch of values taken apart: every index is in exactly one of the three."""

    groups: tuple[SchemaGroup, ...]
    tombstones: tuple[int, ...] = ()
    poison: tuple[Poison, ...] = ()


def unframe_batch(values: Sequence[bytes | None]) -> Unframed:
    """Split values by schema id; what is no event is set aside, nothing is raised."""
    whole = _one_schema(values)
    if whole is not None:
        return Unframed((whole,) if whole.datums else ())
    found: dict[int, tuple[list[int], list[bytes]]] = {}
    tombstones: list[int] = []
    poison: list[Poison] = []
    for index, value in enumerate(values):
        if value is None:
            tombstones.append(index)
            continue
        try:
            schema_id, datum = unframe(value)
        except EventError as error:
            poison.append(Poison(index, error))
            continue
        indices, datums = found.setdefault(schema_id, ([], []))
        indices.append(index)
        datums.append(datum)
    groups = tuple(SchemaGroup(schema_id, indices, datums) for schema_id, (indices, datums) in found.items())
    return Unframed(groups, tuple(tombstones), tuple(poison))


def _one_schema(values: Sequence[bytes | None]) -> SchemaGroup | None:
    """The whole batch as one group, the usual case at a tenth of the price; None when it is mixed."""
    if not values:
        return SchemaGroup(0, (), [])
    try:
        prefixes = {value[:FRAME_BYTES] for value in values}  # type: ignore[index]
    except TypeError:
        return None
    if len(prefixes) != 1:
        return None
    try:
        schema_id, _ = unframe(prefixes.pop())
    except EventError:
        return None
    return SchemaGroup(schema_id, range(len(values)), [value[FRAME_BYTES:] for value in values])  # type: ignore[index]


# --- the headers -------------------------------------------------------------------------------

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
    shared: tuple[Header, ...] = field(init=False)

    def __post_init__(self) -> None:
        shared = Envelope(
            source=self.source, type=self.type, content_type=self.content_type, dataschema=self.dataschema
        )
        object.__setattr__(self, "shared", tuple(shared.headers()))

    def headers(self, event_id: bytes, time: bytes, traceparent: bytes | None = None) -> list[Header]:
        """The headers of one event; `time` as RFC 3339 text."""
        found = [("ce_id", event_id), ("ce_time", time), *self.shared]
        if traceparent is not None:
            found.append(("traceparent", traceparent))
        return found

    def many(self, ids: Iterable[bytes], times: Iterable[bytes]) -> list[list[Header]]:
        """The headers of many events, in order."""
        shared = self.shared
        return [
            [("ce_id", event_id), ("ce_time", time), *shared]
            for event_id, time in zip(ids, times, strict=True)
        ]


class EventIds:
    """Ids unique per fact: a random prefix of the publisher and a count, in hexadecimal.

    The prefix (8 random bytes) comes from outside; two publishers never share one. Safe to share
    between threads: `count` hands out each number once.
    """

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix.hex().encode()
        self._count = count()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return b"%b%012x" % (self._prefix, next(self._count))

    def take(self, number: int) -> list[bytes]:
        """The next `number` ids."""
        prefix = self._prefix
        return [b"%b%012x" % (prefix, position) for position in islice(self._count, number)]


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


# --- dead letters ------------------------------------------------------------------------------

_DEAD_LETTER: Final = ("mesh.dlq.", "__streams.errors.")


def dead_letter_headers(
    headers: Iterable[tuple[str, bytes | None]] | None,
    *,
    error: BaseException,
    position: Position,
    group: str,
) -> list[tuple[str, bytes | None]]:
    """The headers of an event on its way to the dead-letter topic: its own, then why and from where.

    `mesh.dlq.*` for people and replay, `__streams.errors.*` (KIP-1034) for consoles that know Kafka
    Streams. Values are UTF-8 text of at most `limits.HEADER_BYTES`. Key and value travel unchanged.
    """
    code, what, why = error_facts(error)
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    facts = {
        "mesh.dlq.code": code,
        "mesh.dlq.reason": what,
        "mesh.dlq.why": why,
        "mesh.dlq.topic": position.topic,
        "mesh.dlq.partition": str(position.partition),
        "mesh.dlq.offset": str(position.offset),
        "mesh.dlq.group": group,
        "__streams.errors.exception": f"{type(error).__module__}.{type(error).__qualname__}",
        "__streams.errors.stacktrace": stack,
        "__streams.errors.message": what,
        "__streams.errors.topic": position.topic,
        "__streams.errors.partition": str(position.partition),
        "__streams.errors.offset": str(position.offset),
    }
    return [*(headers or ()), *((name, _clip(text)) for name, text in facts.items())]


def without_dead_letter_headers(
    headers: Iterable[tuple[str, bytes | None]] | None,
) -> list[tuple[str, bytes | None]]:
    """The headers an event had before it was dead-lettered: what a replay sends."""
    return [(name, raw) for name, raw in headers or () if not name.startswith(_DEAD_LETTER)]


def error_facts(error: BaseException) -> tuple[str, str, str]:
    """`(code, what, why)` of an error of the mesh, or of a handler's own."""
    if isinstance(error, MeshError):
        return error.error_code, error.what, error.why
    return "MESH-E090", f"{type(error).__name__}: {error}", "the handler raised an error of its own"


def _clip(text: str) -> bytes:
    raw = text.encode(errors="replace")
    if len(raw) <= limits.HEADER_BYTES:
        return raw
    return raw[: limits.HEADER_BYTES].decode(errors="ignore").encode()
