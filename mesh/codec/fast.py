"""The fast engine: pyruhvro (Rust) for the schemas it is proven equal on, checked batch by batch.

pyruhvro 0.4.0 panics on bytes, fixed and decimals, writes a null of a required field as zero,
cuts numbers to 32 bits, ignores bytes after a datum and passes texts that are not UTF-8. So it sees
schemas of a subset only, only arrays that `conform` accepts, and what it decoded counts only
when encoding it again gives the very bytes that were read; the reference engine decides the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyruhvro

from mesh.codec.conform import require_fit, require_schema
from mesh.codec.interface import Decoded
from mesh.codec.layout import Column, layout_of, schema_of, storage_schema
from mesh.codec.physical import physical_tree
from mesh.codec.poison import join, moved
from mesh.codec.reference import FastavroCodec
from mesh.codec.storage import to_arrow, to_storage
from mesh.codec.structs import as_batch, as_struct, compacted
from mesh.codec.survey import doubts
from mesh.codec.wire import fault
from mesh.errors import EventError
from mesh.event import Poison
from mesh.schema import AvroSchema
from mesh.schema.nodes import Array, Map, Node, Primitive, Record, Reference, Union

T = TypeVar("T")

#: So few datums are read one by one rather than halved on.
_FEW = 8
#: A datum of so many bytes is sooner read by itself than looked at with all others.
_LARGE = 65_536
_PROVEN = frozenset({"boolean", "int", "long", "float", "double", "string"})


def declines(schema: AvroSchema) -> str | None:
    """Why the fast engine leaves a schema to the reference engine; None when it takes it."""
    return _declines(schema.root, schema)


def _declines(node: Node, schema: AvroSchema) -> str | None:
    match node:
        case Reference(fullname):
            return _declines(schema.names[fullname], schema)
        case Primitive(kind):
            return None if kind in _PROVEN else f"{kind} is outside the proven subset"
        case Array(inner):
            return _declines(inner, schema)
        case Map():
            return "map is outside the proven subset"
        case Union(branches):
            if len(branches) != 2 or sum(branch.kind == "null" for branch in branches) != 1:
                return "a union other than of null and one type is outside the proven subset"
            return next(_declines(branch, schema) for branch in branches if branch.kind != "null")
        case Record(fullname=fullname, fields=fields):
            if not fields:
                return f"the record {fullname} has no fields"
            return next((why for field in fields if (why := _declines(field.type, schema))), None)
    return None if node.kind == "enum" else f"{node.kind} is outside the proven subset"


class PyruhvroCodec:
    """One schema's events through pyruhvro, every batch verified."""

    engine = "pyruhvro"

    def __init__(self, schema: AvroSchema) -> None:
        """Raises SchemaError for a schema that has no columns; the schema must not be declined."""
        self.reference = FastavroCodec(schema)
        self._layout = layout_of(schema)
        self._arrow_schema = schema_of(self._layout)
        self._storage_schema = storage_schema(self._layout)
        self._text = json.dumps(physical_tree(schema))

    @property
    def schema(self) -> AvroSchema:
        """The writer's schema."""
        return self.reference.schema

    @property
    def arrow_schema(self) -> pa.Schema:
        """The columns of every batch."""
        return self._arrow_schema

    @property
    def layout(self) -> Column:
        """The same with what Avro demands beyond Arrow."""
        return self._layout

    def encode(self, batch: pa.RecordBatch, prefix: bytes = b"") -> list[bytes]:
        """One datum per row, each after `prefix`; raises EventError for a row that does not fit."""
        require_schema(batch, self._arrow_schema)
        records = as_struct(batch, self._arrow_schema)
        require_fit(records, self._layout)
        stored = compacted(to_storage(records, self._layout))  # arrow-rs panics on some slices
        try:
            datums = self._encode(as_batch(stored, self._storage_schema))
        except _Refused:
            return self.reference.encode(batch, prefix)
        if prefix:
            datums = pc.binary_join_element_wise(prefix, datums, b"")
        return list(datums.to_pylist())

    def decode(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        """One row per datum, in order; raises EventError for the first that does not decode."""
        try:
            stored = self._decode(datums)
            if not self._suspects(stored, datums):
                return self._readable(stored)
        except _Refused:
            pass
        return self.reference.decode(datums)

    def decode_with_poison(self, datums: Sequence[bytes]) -> Decoded:
        """As `decode`, but what does not decode is set aside and the others go on."""
        try:
            return self._judged(datums, {})
        except _Refused:
            pass
        try:
            return self._judged(datums, self._faults(datums))
        except _Refused:
            pass
        try:
            return self._judged(datums, {}, list(self._refused(datums, 0)))
        except _Refused:  # bytes in order, but a value that its type cannot hold
            return self.reference.decode_with_poison(datums)

    def _judged(
        self, datums: Sequence[bytes], faults: dict[int, EventError], refused: Sequence[int] = ()
    ) -> Decoded:
        """pyruhvro's reading where it proves itself; the reference engine's for what has no known fault."""
        doubted = [*faults, *refused]
        sound, read = _without(range(len(datums)), doubted), _without(datums, doubted)
        stored = self._decode(read)
        suspects = self._suspects(stored, read)
        doubtful = sorted([*refused, *(sound[index] for index in suspects)])
        if suspects:
            proven = _without(range(len(read)), suspects)
            stored, sound = stored.take(pa.array(proven, pa.int64())), _without(sound, suspects)
        found = self._faults([datums[index] for index in doubtful]) if doubtful else {}
        poison = faults | {doubtful[index]: error for index, error in found.items()}
        kept = Decoded(
            self._readable(stored), sound, tuple(Poison(index, poison[index]) for index in sorted(poison))
        )
        unsettled = [index for index in doubtful if index not in poison]
        if not unsettled:
            return kept
        judged = self.reference.decode_with_poison([datums[index] for index in unsettled])
        return join([kept, moved(judged, unsettled)])

    def _faults(self, datums: Sequence[bytes]) -> dict[int, EventError]:
        """What is wrong with which datum, as far as one look at all of them shows it, large ones left out."""
        found = {}
        looked_at = list(datums)
        for place in np.flatnonzero(np.fromiter(map(len, datums), np.int64, len(datums)) > _LARGE):
            looked_at[place] = b""
        for doubt in doubts(self.schema, looked_at) or ():
            error = fault(self.schema, datums[doubt.row], doubt.at, doubt.node)
            if error is not None:
                found[doubt.row] = error
        return found

    def _refused(self, datums: Sequence[bytes], start: int) -> Iterator[int]:
        """The places of what pyruhvro refuses, found by halving, a few innocent neighbours among them."""
        try:
            self._decode(datums)
        except _Refused:
            if len(datums) <= _FEW:
                yield from range(start, start + len(datums))
                return
            middle = len(datums) // 2
            yield from self._refused(datums[:middle], start)
            yield from self._refused(datums[middle:], start + middle)

    def _decode(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        """What pyruhvro reads, as storage values."""
        try:
            stored = _rust(pyruhvro.deserialize_array, list(datums), self._text)
            stored.validate(full=True)
        except (TypeError, pa.ArrowInvalid) as error:
            raise _Refused(str(error)) from error
        records = as_struct(stored, stored.schema).view(self._layout.storage)
        return as_batch(records, self._storage_schema)

    def _suspects(self, stored: pa.RecordBatch, datums: Sequence[bytes]) -> list[int]:
        """The datums that encoding does not give back byte for byte."""
        again = self._encode(stored)
        given = pa.array(datums, pa.binary())
        if again.equals(given):
            return []
        return list(pc.indices_nonzero(pc.not_equal(again, given)).to_pylist())

    def _encode(self, stored: pa.RecordBatch) -> pa.Array:
        return pa.concat_arrays(_rust(pyruhvro.serialize_record_batch, stored, self._text, 1))

    def _readable(self, stored: pa.RecordBatch) -> pa.RecordBatch:
        try:
            records = to_arrow(as_struct(stored, self._storage_schema), self._layout)
        except pa.ArrowInvalid as error:
            raise _Refused(str(error)) from error
        return as_batch(records, self._arrow_schema)


def _without(items: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """The items but for those at these places."""
    if not places:
        return items
    kept = bytearray(b"\1") * len(items)
    for place in places:
        kept[place] = 0
    return list(compress(items, kept))


class _Refused(EventError):
    """pyruhvro does not take a batch as a whole."""


def _rust(function: Callable[..., Any], *arguments: object) -> Any:
    """Call into Rust; what goes wrong there, a panic too, is a batch it does not take."""
    try:
        return function(*arguments)
    except BaseException as error:
        if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
            raise _Refused(str(error)) from error
        raise
