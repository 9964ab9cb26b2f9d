"""Few events through the reference engine, many through the fast one: what a call costs decides.

A call into pyruhvro costs as much as some ten events do in fastavro, and its proof as much again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from mesh.codec.fast import PyruhvroCodec
from mesh.codec.interface import Decoded
from mesh.codec.layout import Column
from mesh.codec.reference import FastavroCodec
from mesh.schema import AvroSchema

#: up to so many events are few
FEW: Final = 4


class SizedCodec:
    """One schema's events, by the engine that is quicker for as many as there are."""

    def __init__(self, schema: AvroSchema) -> None:
        """Raises SchemaError for a schema that has no columns; the fast engine must not decline it."""
        self._many = PyruhvroCodec(schema)
        self._few = self._many.reference
        self.engine = self._many.engine

    @property
    def schema(self) -> AvroSchema:
        """The writer's schema."""
        return self._many.schema

    @property
    def arrow_schema(self) -> pa.Schema:
        """The columns of every batch."""
        return self._many.arrow_schema

    @property
    def reference(self) -> FastavroCodec:
        """The same events one by one."""
        return self._few

    @property
    def layout(self) -> Column:
        """The same with what Avro demands beyond Arrow."""
        return self._many.layout

    def encode(self, batch: pa.RecordBatch, prefix: bytes = b"") -> list[bytes]:
        """One datum per row, each after `prefix`; raises EventError for a row that does not fit."""
        return self._for(batch.num_rows).encode(batch, prefix)

    def decode(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        """One row per datum, in order; raises EventError for the first that does not decode."""
        return self._for(len(datums)).decode(datums)

    def decode_with_poison(self, datums: Sequence[bytes]) -> Decoded:
        """As `decode`, but what does not decode is set aside and the others go on."""
        return self._for(len(datums)).decode_with_poison(datums)

    def _for(self, events: int) -> FastavroCodec | PyruhvroCodec:
        return self._few if events <= FEW else self._many
