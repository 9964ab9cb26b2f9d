"""Whatever people publish (rows, models, Arrow, Polars, pandas) as one Arrow batch of a schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mesh.codec.conform import require_fit, require_schema
from mesh.codec.interface import Codec
from mesh.codec.layout import Column
from mesh.codec.records import array_of
from mesh.codec.structs import as_batch, as_struct
from mesh.errors import EventError


def to_batch(rows: Any, codec: Codec) -> pa.RecordBatch:
    """A batch with exactly the columns of a codec; raises EventError for the first row that does not fit.

    `rows`: dicts or Pydantic models, a pyarrow Table or RecordBatch, or a frame that exports Arrow
    (Polars, pandas, DuckDB). Columns may come in any order and in any Arrow type that converts
    without loss; optional ones may be absent. A naive datetime counts as UTC.
    """
    layout, schema = codec.layout, codec.arrow_schema
    if isinstance(rows, pa.RecordBatch):
        return _conformed(rows, layout, schema)
    table = _table(rows)
    if table is not None:
        batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        return _conformed(batches[0], layout, schema)
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        raise EventError(
            f"{type(rows).__name__} is not a batch of rows",
            code="MESH-E029",
            why="a batch is a list of dicts or models, a pyarrow Table, or a frame",
            fix="pass list(rows) for a generator",
        )
    return as_batch(array_of(rows, layout), schema)


def _table(rows: Any) -> pa.Table | None:
    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.table(rows)
    return None


def _conformed(batch: pa.RecordBatch, layout: Column, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        fitted = batch
    else:
        fitted = _cast(batch, layout, schema)
    require_fit(as_struct(fitted, schema), layout)
    return fitted


def _cast(batch: pa.RecordBatch, layout: Column, schema: pa.Schema) -> pa.RecordBatch:
    absent = {name: pa.nulls(batch.num_rows, part.arrow) for name, part in layout.parts if part.nullable}
    present = {name: batch.column(name) for name in schema.names if name in batch.schema.names}
    if set(batch.schema.names) - set(schema.names) or set(schema.names) - {*present, *absent}:
        require_schema(batch, schema)
    columns = []
    for field in schema:
        column = {**absent, **present}[field.name]
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise EventError(
                f"column {field.name!r} is {column.type}; it does not convert to {field.type} without loss",
                code="MESH-E021",
                where=field.name,
                why=str(error),
                fix="convert the column, or the contract if the data is right",
            ) from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)
