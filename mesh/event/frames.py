"""The Confluent wire format: `0x00`, schema id (4 bytes, big endian), Avro datum.

MESH-E010  no value    MESH-E011  too short for a frame    MESH-E012  not framed
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.errors import EventError

FRAME_BYTES: Final = 5
_FRAME: Final = struct.Struct(">bi")
_MAX_SCHEMA_ID: Final = 2**31 - 1


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
