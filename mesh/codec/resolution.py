"""From the writer's schema to the reader's, decided once per pair and applied to whole columns.

A field is renamed by alias, promoted, filled with its default or dropped. What columns cannot
express (a change inside a nested type, an enum that shrank) goes through fastavro's resolution, row by
row. Source: Avro 1.12, «Schema Resolution».
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pyarrow as pa

from mesh.codec.interface import Codec
from mesh.codec.layout import Column, layout_of
from mesh.codec.physical import physical_schema, reader_tree
from mesh.codec.records import array_of
from mesh.codec.storage import to_arrow
from mesh.codec.structs import as_batch
from mesh.compatibility import problems
from mesh.errors import IncompatibleSchema
from mesh.schema.nodes import MISSING, Field, Record

Apply = Callable[[pa.RecordBatch], pa.RecordBatch]

_PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """How batches of one writer become batches of one reader; `by` says how: same, columns or rows."""

    by: str
    apply: Apply


def resolution(writer: Codec, reader: Codec) -> Resolution:
    """The way from writer to reader; raises IncompatibleSchema (MESH-A409) when there is none."""
    if writer.schema.text == reader.schema.text:
        return Resolution("same", lambda batch: batch)
    found = problems(reader.schema, writer.schema)
    if found:
        raise IncompatibleSchema(
            f"{reader.schema.fullname} cannot read what was written as {writer.schema.fullname}",
            code="MESH-A409",
            where=found[0].path,
            why=found[0].message,
            fix="subscribe with the contract in force: a newer mesh, or a newer copy of your own schema",
        )
    columns = _columns(writer, reader)
    if columns is None:
        return Resolution("rows", _by_rows(writer, reader))
    schema = reader.arrow_schema

    def apply(batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays([column(batch) for column in columns], schema=schema)

    return Resolution("columns", apply)


def _columns(writer: Codec, reader: Codec) -> list[Callable[[pa.RecordBatch], pa.Array]] | None:
    """One way to make each of the reader's columns; None when one of them has none."""
    root = reader.schema.root
    if not isinstance(root, Record):
        return None
    written = dict(writer.layout.parts)
    made = []
    for field, (_, column) in zip(root.fields, reader.layout.parts, strict=True):
        name = next((name for name in (field.name, *field.aliases) if name in written), None)
        way = _filled(field, column) if name is None else _taken(name, written[name], column)
        if way is None:
            return None
        made.append(way)
    return made


def _taken(name: str, written: Column, wanted: Column) -> Callable[[pa.RecordBatch], pa.Array] | None:
    if written.nullable and not wanted.nullable:
        return None
    if written.arrow == wanted.arrow:
        if set(_symbols(written)) <= set(_symbols(wanted)) or not _symbols(wanted):
            return lambda batch: batch.column(name)
        return None
    plain = not written.parts and not wanted.parts and not written.symbols and not wanted.symbols
    if plain and wanted.kind in _PROMOTIONS.get(written.kind, frozenset()):
        target = wanted.arrow
        # A long that a double cannot hold exactly is rounded, as Avro's promotion does.
        return lambda batch: batch.column(name).cast(target, safe=False)
    return None


def _symbols(column: Column) -> list[str]:
    """The symbols of every enum in a column, each with its place."""
    return [f"{place}:{symbol}" for place, inner in enumerate(column.walk()) for symbol in inner.symbols]


def _filled(field: Field, column: Column) -> Callable[[pa.RecordBatch], pa.Array] | None:
    default, arrow = field.default, column.arrow
    if default is MISSING or (default is None and not column.nullable):
        return None
    if default is None:
        return lambda batch: pa.nulls(batch.num_rows, arrow)
    if column.parts or arrow != column.storage or not isinstance(default, bool | int | float | str):
        return None
    if pa.types.is_binary(arrow) or pa.types.is_fixed_size_binary(arrow):
        return None
    scalar = pa.scalar(default, arrow)
    return lambda batch: pa.repeat(scalar, batch.num_rows)


def _by_rows(writer: Codec, reader: Codec) -> Apply:
    import fastavro

    physical = physical_schema(reader.schema)
    written = fastavro.parse_schema(physical_schema(writer.schema).codec_tree)
    wanted = reader_tree(physical)
    stored = layout_of(physical)

    def apply(batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = [fastavro.schemaless_reader(BytesIO(datum), written, wanted) for datum in writer.encode(batch)]
        return as_batch(to_arrow(array_of(rows, stored), reader.layout), reader.arrow_schema)

    return apply
