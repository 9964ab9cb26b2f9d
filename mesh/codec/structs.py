"""A batch and the array of its records are the same memory."""

from __future__ import annotations

import pyarrow as pa


def as_struct(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Array:
    """A batch as one array of records."""
    if not batch.num_columns:
        return pa.array([{}] * batch.num_rows, pa.struct([]))
    return pa.StructArray.from_arrays(batch.columns, fields=list(schema))


def as_batch(records: pa.Array, schema: pa.Schema) -> pa.RecordBatch:
    """An array of records as a batch."""
    columns = [records.field(index) for index in range(len(schema))]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def compacted(records: pa.Array) -> pa.Array:
    """The same values from the start of their buffers: a copy only where a slice is involved."""
    return pa.concat_arrays([records, records.slice(0, 0)]) if _sliced(records) else records


def _sliced(array: pa.Array) -> bool:
    if array.offset:
        return True
    if pa.types.is_struct(array.type):
        return any(_sliced(array.field(index)) for index in range(array.type.num_fields))
    return bool(pa.types.is_list(array.type)) and _sliced(array.values)
