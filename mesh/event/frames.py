"""Which schema an event was written with: told before its datum, or in a header.

Before it, in five bytes: `0x00` and the schema's id, big endian. In the header `__value_schema_id`: `0x01`
and the schema's GUID, or `0x00` and its id; then the value is the bare datum. A header
counts before all else.

MESH-E010  no value    MESH-E011  too short for a frame    MESH-E012  not framed
MESH-E033  a header that names no schema
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from operator import eq, itemgetter, not_
from typing import Final
from uuid import UUID

from mesh.errors import EventError

FRAME_BYTES: Final = 5
#: so few kinds of frames are looked for in all values at once
_FEW: Final = 16
#: by so many values it is told which kinds there are
_SAMPLE: Final = 64
_datum = itemgetter(slice(FRAME_BYTES, None))
_FRAME: Final = struct.Struct(">bi")
_MAX_SCHEMA_ID: Final = 2**31 - 1
_NO_SCHEMA: Final = bytes(FRAME_BYTES)
SCHEMA_HEADER: Final = "__value_schema_id"

#: How an event names its schema: by its id in one registry, or by the GUID that it has in all of them.
SchemaKey = int | UUID
Headers = Iterable[tuple[str, bytes | None]] | None


def frame_prefix(schema_id: int) -> bytes:
    """The five bytes before every datum of a schema; raises EventError for an id no registry gives."""
    if not 0 < schema_id <= _MAX_SCHEMA_ID:
        raise EventError(
            f"{schema_id} is not a schema id", code="MESH-E012", why="an id is between 1 and 2147483647"
        )
    return _FRAME.pack(0, schema_id)


def framing(schema: SchemaKey) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """What stands before each datum, and among its headers: an id before it, a GUID in a header."""
    if isinstance(schema, UUID):
        return b"", (schema_header(schema),)
    return frame_prefix(schema), ()


def schema_header(guid: UUID) -> tuple[str, bytes]:
    """The header that names the schema of a bare datum."""
    return SCHEMA_HEADER, b"\x01" + guid.bytes


def schema_of_headers(headers: Headers) -> SchemaKey | None:
    """The schema that an event's headers name, None when they name none; raises EventError (MESH-E033)."""
    raw = next((raw for name, raw in headers or () if name == SCHEMA_HEADER), None)
    if raw is None:
        return None
    if len(raw) == 17 and raw[0] == 1:
        return UUID(bytes=bytes(raw[1:]))
    if len(raw) == FRAME_BYTES and raw[0] == 0 and raw[1:] != b"\0\0\0\0":
        return int.from_bytes(raw[1:], "big")
    raise EventError(
        f"the header {SCHEMA_HEADER} names no schema",
        code="MESH-E033",
        why=f"it is {bytes(raw[:20]).hex(' ') or 'empty'}; 01 and a GUID are expected, or 00 and an id",
        fix="publish with mesh, or with a client that uses the schema registry",
    )


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

    schema_id: SchemaKey
    indices: Sequence[int]
    datums: list[bytes]


@dataclass(frozen=True, slots=True)
class Unframed:
    """A batch of values taken apart: every index is in exactly one of the three."""

    groups: tuple[SchemaGroup, ...]
    tombstones: tuple[int, ...] = ()
    poison: tuple[Poison, ...] = ()


def unframe_batch(
    values: Sequence[bytes | None], headers_of: Callable[[int], Headers] | None = None
) -> Unframed:
    """Split values by schema; what is no event is set aside, nothing is raised.

    To ask each event for its headers would cost a third of all reading. So of those that begin with the same
    frame the first is asked, and whatever begins with none; bare datums begin in many ways. Where one names
    its schema, all of the batch are asked.
    """
    if not values:
        return Unframed(())
    shared = _shared_start(values)
    if shared is not None and not (headers_of is not None and _tells(headers_of(0))):
        schema_id, _ = unframe(shared)
        return Unframed((SchemaGroup(schema_id, range(len(values)), _datums(values)),))
    starts = [None if value is None else value[:FRAME_BYTES] for value in values]
    groups, left = _common(values, starts)
    rest = [starts[index] for index in left]
    if headers_of is not None:
        bare = {start for start in set(rest) if start is not None and not _frames(start)}
        asked = [index for index, start in zip(left, rest, strict=True) if start in bare] if bare else []
        asked += [group.indices[0] for group in groups]
        asked += [left[at] for at in _firsts(rest, bare)]
        if any(_tells(headers_of(index)) for index in asked):
            return _taken_apart(values, range(len(values)), headers_of)
    others = _taken_apart(values, left)
    return Unframed((*groups, *others.groups), others.tombstones, others.poison)


def _common(
    values: Sequence[bytes | None], starts: Sequence[bytes | None]
) -> tuple[list[SchemaGroup], Sequence[int]]:
    """What begins with a frame that many begin with, by frame; and the places of all others."""
    left: Sequence[int] = range(len(values))
    among = starts
    groups = []
    for _ in range(_FEW):
        start = _frequent(among)
        if start is None:
            break
        chosen = list(map(eq, among, repeat(start)))
        indices = list(compress(left, chosen))
        schema_id, _ = unframe(start)
        groups.append(SchemaGroup(schema_id, indices, _datums(compress(values, chosen))))
        others = list(map(not_, chosen))
        left, among = list(compress(left, others)), list(compress(among, others))
        values = list(compress(values, others))
    return groups, left


def _frequent(starts: Sequence[bytes | None]) -> bytes | None:
    """A frame that a good part of these begin with; None where one by one is as fast."""
    if len(starts) < _SAMPLE:
        return None
    start, times = Counter(starts[:: len(starts) // _SAMPLE]).most_common(1)[0]
    return start if start is not None and times > _SAMPLE // _FEW and _names_a_schema(start) else None


def _shared_start(values: Sequence[bytes | None]) -> bytes | None:
    """The frame that all values begin with, if they do: the least and the greatest of them share it then."""
    try:
        least, greatest = min(values), max(values)  # type: ignore[type-var]
    except TypeError:  # a tombstone has no place among bytes
        return None
    if least is None or greatest is None:  # a tombstone alone
        return None
    start = least[:FRAME_BYTES]
    return start if _names_a_schema(start) and greatest[:FRAME_BYTES] == start else None


def _firsts(starts: Sequence[bytes | None], but: Collection[bytes]) -> list[int]:
    """Where each of these stands first, but for some and for tombstones."""
    first_of = dict(zip(reversed(starts), range(len(starts) - 1, -1, -1), strict=True))
    return [at for start, at in first_of.items() if start is not None and start not in but]


def _datums(values: Iterable[bytes | None]) -> list[bytes]:
    return list(map(_datum, values))  # type: ignore[arg-type]


def _frames(start: bytes) -> bool:
    return len(start) == FRAME_BYTES and start[0] == 0


def _names_a_schema(start: bytes) -> bool:
    return _frames(start) and start[1] < 0x80 and start != _NO_SCHEMA


def _tells(headers: Headers) -> bool:
    return any(name == SCHEMA_HEADER for name, _ in headers or ())


def _taken_apart(
    values: Sequence[bytes | None],
    places: Sequence[int],
    headers_of: Callable[[int], Headers] = lambda _: None,
) -> Unframed:
    """One by one."""
    found: dict[SchemaKey, tuple[list[int], list[bytes]]] = {}
    tombstones: list[int] = []
    poison: list[Poison] = []
    for index in places:
        value = values[index]
        if value is None:
            tombstones.append(index)
            continue
        try:
            named = schema_of_headers(headers_of(index))
            schema_id, datum = unframe(value) if named is None else (named, value)
        except EventError as error:
            poison.append(Poison(index, error))
            continue
        indices, datums = found.setdefault(schema_id, ([], []))
        indices.append(index)
        datums.append(datum)
    groups = tuple(SchemaGroup(schema_id, indices, datums) for schema_id, (indices, datums) in found.items())
    return Unframed(groups, tuple(tombstones), tuple(poison))
