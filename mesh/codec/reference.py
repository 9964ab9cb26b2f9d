"""The reference engine: fastavro for every schema, and a strict reading where fastavro is lenient.

A datum is taken from fastavro only when writing its value back gives the same bytes; anything else
(malformed, or well-formed but written in an unusual way) is read strictly by `wire.read_datum`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import fastavro
import pyarrow as pa

from mesh.codec.conform import require_fit, require_schema
from mesh.codec.interface import Decoded
from mesh.codec.layout import Column, layout_of, schema_of
from mesh.codec.physical import physical_tree
from mesh.codec.poison import split
from mesh.codec.storage import to_arrow, to_storage
from mesh.codec.structs import as_batch, as_struct
from mesh.codec.unions import holds_unions, tagged
from mesh.codec.wire import read_datum
from mesh.errors import EventError
from mesh.event import Poison
from mesh.schema import AvroSchema


class FastavroCodec:
    """One schema's events through fastavro."""

    engine = "fastavro"

    def __init__(self, schema: AvroSchema) -> None:
        """Raises SchemaError for a schema that has no columns."""
        self._schema = schema
        self._layout = layout_of(schema)
        self._arrow_schema = schema_of(self._layout)
        self._parsed = fastavro.parse_schema(physical_tree(schema))
        self._unions = holds_unions(self._layout)

    @property
    def schema(self) -> AvroSchema:
        """The writer's schema."""
        return self._schema

    @property
    def arrow_schema(self) -> pa.Schema:
        """The columns of every batch."""
        return self._arrow_schema

    @property
    def reference(self) -> FastavroCodec:
        """This one."""
        return self

    @property
    def layout(self) -> Column:
        """The same with what Avro demands beyond Arrow."""
        return self._layout

    def encode(self, batch: pa.RecordBatch, prefix: bytes = b"") -> list[bytes]:
        """One datum per row, each after `prefix`; raises EventError for a row that does not fit."""
        require_schema(batch, self._arrow_schema)
        records = as_struct(batch, self._arrow_schema)
        require_fit(records, self._layout)
        rows = to_storage(records, self._layout).to_pylist(maps_as_pydicts="strict")
        if self._unions:
            rows = [tagged(row, self._layout) for row in rows]
        return [self.datum(row, prefix) for row in rows]

    def decode(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        """One row per datum, in order; raises EventError for the first that does not decode."""
        return self.columns([self.stored(datum) for datum in datums])

    def decode_with_poison(self, datums: Sequence[bytes]) -> Decoded:
        """As `decode`, but what does not decode is set aside and the others go on."""
        return split(datums, self._attempt)

    def datum(self, stored: Any, prefix: bytes = b"") -> bytes:
        """The datum of storage values after `prefix`; raises UnicodeEncodeError for half a surrogate pair."""
        stream = BytesIO()
        stream.write(prefix)
        fastavro.schemaless_writer(stream, self._parsed, stored)
        return stream.getvalue()

    def stored(self, datum: bytes) -> Any:
        """The storage values of one datum; raises EventError."""
        if self._unions:
            return read_datum(self._schema, datum)
        # fastavro raises whatever Python raises on malformed bytes; the strict reader says why.
        with suppress(Exception):
            row = fastavro.schemaless_reader(BytesIO(datum), self._parsed, None)
            if self.datum(row) == datum:
                return row
        return read_datum(self._schema, datum)

    def columns(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """Storage values as a batch; raises EventError for one outside its type."""
        try:
            records = to_arrow(pa.array(rows, self._layout.storage), self._layout)
        except pa.ArrowInvalid as error:
            raise EventError(
                "a value is outside the range of its type",
                code="MESH-E032",
                why=str(error),
                fix="check that the event was written with the schema its id names",
            ) from error
        return as_batch(records, self._arrow_schema)

    def _attempt(self, datums: Sequence[bytes]) -> Decoded:
        rows, indices, poison = [], [], []
        for index, datum in enumerate(datums):
            try:
                rows.append(self.stored(datum))
            except EventError as error:
                poison.append(Poison(index, error))
            else:
                indices.append(index)
        return Decoded(self.columns(rows), indices, tuple(poison))
