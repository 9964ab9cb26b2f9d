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
