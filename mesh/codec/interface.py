"""What both engines promise: events of one schema, from Arrow to datums and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from mesh.codec.layout import Column
from mesh.event import Poison
from mesh.schema import AvroSchema

if TYPE_CHECKING:
    from mesh.codec.reference import FastavroCodec


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch with its poison set aside: row i of `batch` was datum `indices[i]`."""

    batch: pa.RecordBatch
    indices: Sequence[int]
    poison: tuple[Poison, ...] = ()


class Codec(Protocol):
    """One schema's events, columnar. Safe to share between threads."""

    @property
    def schema(self) -> AvroSchema:
        """The writer's schema."""

    @property
    def arrow_schema(self) -> pa.Schema:
        """The columns of every batch."""

    @property
    def layout(self) -> Column:
        """The same with what Avro demands beyond Arrow."""

    @property
    def reference(self) -> FastavroCodec:
        """The same events one by one."""

    @property
    def engine(self) -> str:
        """`fastavro` or `pyruhvro`."""

    def encode(self, batch: pa.RecordBatch, prefix: bytes = b"") -> list[bytes]:
        """One datum per row, each after `prefix` (see `event.frame_prefix`); raises EventError.

        The batch must have exactly the columns of `arrow_schema`; `rows.to_batch` makes it so.
        """

    def decode(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        """One row per datum, in order; raises EventError for the first that does not decode."""

    def decode_with_poison(self, datums: Sequence[bytes]) -> Decoded:
        """As `decode`, but what does not decode is set aside and the others go on."""
