"""Where the values of an Avro schema live in Arrow: the one mapping every part of the codec walks.

Each column has two Arrow types of the same bytes. `storage` is what Avro puts on the wire (a
timestamp is a long), `arrow` what people read. The engines know storage types only.

    timestamp-*        timestamp(unit, UTC)      ["null", T]        nullable T
    local-timestamp-*  timestamp(unit)           [T, U, …]          struct, one nullable field per branch
    date, time-*       date32, time32/64         array, map         list, map<string, V>
    decimal(p, s)      decimal128/256            enum, uuid         string

Source: Avro 1.12, «Logical Types»; decimals beyond 76 digits stay bytes, as Arrow ends there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa

from mesh.errors import SchemaError
from mesh.schema import AvroSchema, logical_type
from mesh.schema.nodes import Array, Enum, Fixed, Map, Named, Node, Primitive, Record, Reference, Union

_STORAGE: Final[Mapping[str, pa.DataType]] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
_LOGICAL: Final[Mapping[str, pa.DataType]] = {
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-nanos": pa.timestamp("ns"),
}
_ITEM: Final = "item"
_DIGITS_128: Final = 38
_DIGITS_256: Final = 76


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Column:
    """The layout of one value: its Avro kind, its Arrow types and its parts.

    `parts` are the fields of a record, the branches of a union of several types (by type name), or
    the one item of an array or map. `symbols` belong to an enum. `branch` is what a union calls the one
    type that it holds.
    """

    kind: str
    arrow: pa.DataType
    storage: pa.DataType
    nullable: bool = False
    parts: tuple[tuple[str, Column], ...] = ()
    symbols: tuple[str, ...] = ()
    branch: str = ""
    #: whether storage and Arrow differ in more than the name of the type
    holds_decimals: bool = field(init=False)
    #: whether Arrow allows fewer values than storage: a time of day ends at midnight
    holds_times: bool = field(init=False)

    def __post_init__(self) -> None:
        # Both are asked for each batch, which may be one event.
        parts = [part for _, part in self.parts]
        decimals = pa.types.is_decimal(self.arrow) or any(part.holds_decimals for part in parts)
        times = pa.types.is_time(self.arrow) or any(part.holds_times for part in parts)
        object.__setattr__(self, "holds_decimals", decimals)
        object.__setattr__(self, "holds_times", times)

    @property
    def inner(self) -> Column:
        """The items of an array, the values of a map."""
        return self.parts[0][1]

    def walk(self) -> Iterator[Column]:
        """This column and all inside it."""
        yield self
        for _, part in self.parts:
            yield from part.walk()


def layout_of(schema: AvroSchema) -> Column:
    """The layout of a record schema; raises SchemaError when it has no columns or never ends."""
    root = schema.root
    if not isinstance(root, Record):
        raise SchemaError(
            "the schema of an event is a record",
            code="MESH-A020",
            where="$",
            why=f"it is {root.kind!r}, which has no named columns",
            fix="wrap it in a record with one field",
        )
    if schema.recursive:
        raise SchemaError(
            "a recursive schema has no columns",
            code="MESH-A021",
            where=schema.fullname,
            why="Arrow types are finite",
            fix="refer to the parent by its key instead of nesting it",
        )
    return _column(root, schema.names)


def arrow_schema(schema: AvroSchema) -> pa.Schema:
    """The Arrow schema of a batch of events; raises SchemaError as `layout_of`."""
    return schema_of(layout_of(schema))


def schema_of(layout: Column) -> pa.Schema:
    """The Arrow schema of a record's layout."""
    return pa.schema(list(layout.arrow))


def storage_schema(layout: Column) -> pa.Schema:
    """The Arrow schema the engines speak."""
    return pa.schema(list(layout.storage))


def _column(node: Node, names: Mapping[str, Named]) -> Column:
    match node:
        case Reference(fullname):
            return _column(names[fullname], names)
        case Union(branches):
            return _union(branches, names)
        case Array(items):
            item = _column(items, names)
            return Column(
                kind="array",
                arrow=pa.list_(pa.field(_ITEM, item.arrow, item.nullable)),
                storage=pa.list_(pa.field(_ITEM, item.storage, item.nullable)),
                parts=((_ITEM, item),),
            )
        case Map(values):
            value = _column(values, names)
            return Column(
                kind="map",
                arrow=pa.map_(pa.string(), pa.field("value", value.arrow, value.nullable)),
                storage=pa.map_(pa.string(), pa.field("value", value.storage, value.nullable)),
                parts=(("value", value),),
            )
        case Record(fields=fields):
            return _struct("record", tuple((field.name, _column(field.type, names)) for field in fields))
        case Enum(symbols=symbols):
            return Column(kind="enum", arrow=pa.string(), storage=pa.string(), symbols=symbols)
        case Fixed(size=size):
            return _leaf(node, "fixed", pa.binary(size))
        case Primitive(kind):
            return _leaf(node, kind, _STORAGE[kind])


def _leaf(node: Node, kind: str, storage: pa.DataType) -> Column:
    logical = logical_type(node)
    arrow = storage
    if logical is not None and logical.name == "decimal":
        if logical.precision <= _DIGITS_128:
            arrow = pa.decimal128(logical.precision, logical.scale)
        elif logical.precision <= _DIGITS_256:
            arrow = pa.decimal256(logical.precision, logical.scale)
    elif logical is not None:
        arrow = _LOGICAL.get(logical.name, storage)
    return Column(kind=kind, arrow=arrow, storage=storage, nullable=kind == "null")


def _union(branches: tuple[Node, ...], names: Mapping[str, Named]) -> Column:
    values = [branch for branch in branches if branch.kind != "null"]
    nullable = len(values) < len(branches)
    if len(values) == 1:
        column = replace(_column(values[0], names), branch=branch_name(values[0]))
    elif not values:
        column = _leaf(branches[0], "null", pa.null())
    else:
        named = tuple((branch_name(value), _optional(_column(value, names))) for value in values)
        column = _struct("union", named)
    return _optional(column) if nullable else column


def branch_name(node: Node) -> str:
    """How a branch of a union is called: `long`, `array`, `operations.Departures`."""
    return node.fullname if isinstance(node, Reference | Record | Enum | Fixed) else node.kind


def _optional(column: Column) -> Column:
    return replace(_loosened(column), nullable=True)


def _loosened(column: Column) -> Column:
    """An absent record has null fields in Arrow; `conform` minds those of one that is there."""
    if column.kind not in ("record", "union"):
        return column
    parts = tuple((name, _loosened(part)) for name, part in column.parts)
    return replace(
        column,
        arrow=pa.struct([pa.field(name, part.arrow) for name, part in parts]),
        storage=pa.struct([pa.field(name, part.storage) for name, part in parts]),
        parts=parts,
    )


def _struct(kind: str, parts: tuple[tuple[str, Column], ...]) -> Column:
    return Column(
        kind=kind,
        arrow=pa.struct([pa.field(name, part.arrow, part.nullable) for name, part in parts]),
        storage=pa.struct([pa.field(name, part.storage, part.nullable) for name, part in parts]),
        parts=parts,
    )
