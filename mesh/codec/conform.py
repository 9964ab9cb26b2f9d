"""What Arrow's types do not forbid and Avro does: a null where none may be, a symbol that is none.

MESH-E024  null in a required field        MESH-E025  not a symbol of the enum
MESH-E026  a map key twice                 MESH-E027  not exactly one branch of a union
MESH-E028  columns of another schema
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mesh.codec.layout import Column
from mesh.codec.storage import entries_of
from mesh.errors import EventError


@dataclass(frozen=True, slots=True)
class Rows:
    """Which row of the batch each element belongs to, worked out only when somebody asks."""

    parent: Rows | None
    within: pa.Array | None

    def row(self, element: int) -> int:
        """The row of an element; rows count from 0."""
        inner = element if self.within is None else int(self.within[element].as_py())
        return inner if self.parent is None else self.parent.row(inner)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that does not fit: row (from 0), path of the field, code and reason."""

    row: int
    path: str
    code: str
    why: str

    def error(self) -> EventError:
        """As the error a caller sees."""
        return EventError(
            f"row {self.row}: field {self.path!r} does not fit the schema",
            code=self.code,
            where=f"row {self.row}, {self.path}",
            why=self.why,
            fix="correct the row, or the contract if the row is right",
        )


def require_schema(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    """Raise EventError when the batch has other columns or types than `schema`; nullability aside."""
    if len(batch.schema) == len(schema) and all(
        have.name == want.name and have.type == want.type
        for have, want in zip(batch.schema, schema, strict=True)
    ):
        return
    raise EventError(
        "the batch has columns of another schema",
        code="MESH-E028",
        why=_difference(batch.schema, schema),
        fix="bring it into shape with to_batch(rows, schema)",
    )


def require_fit(array: pa.Array, layout: Column) -> None:
    """Raise EventError for the first value that Avro could not write as `layout`."""
    for misfit in misfits(array, layout, "", Rows(None, None)):
        raise misfit.error()


def misfits(array: pa.Array, column: Column, path: str, rows: Rows) -> Iterator[Misfit]:
    """The first misfit of each kind and field, in the order of the fields."""
    if array.null_count:
        if not column.nullable:
            yield Misfit(
                rows.row(_first(array.is_null())), path, "MESH-E024", "the field is required; it is null"
            )
        if column.kind == "null":
            return
        valid = array.is_valid()
        rows = Rows(rows, pc.indices_nonzero(valid))
        array = array.filter(valid)
    match column.kind:
        case "enum":
            known = pc.is_in(array, value_set=pa.array(column.symbols, pa.string()))
            if known.false_count:
                at = _first(pc.invert(known))
                why = f"{array[at].as_py()!r} is none of {', '.join(column.symbols[:20])}"
                yield Misfit(rows.row(at), path, "MESH-E025", why)
        case "record":
            for index, (name, part) in enumerate(column.parts):
                yield from misfits(array.field(index), part, f"{path}.{name}" if path else name, rows)
        case "union":
            yield from _branches(array, column, path, rows)
        case "array" if _worth_entering(column.inner):
            parents = Rows(rows, pc.list_parent_indices(array))
            yield from misfits(array.flatten(), column.inner, f"{path}[]", parents)
        case "map":
            yield from _entries(array, column, path, rows)


def _branches(array: pa.Array, column: Column, path: str, rows: Rows) -> Iterator[Misfit]:
    chosen = pa.array([0] * len(array), pa.int32())
    for index in range(len(column.parts)):
        chosen = pc.add(chosen, array.field(index).is_valid().cast(pa.int32()))
    wrong = pc.not_equal(chosen, 1)
    if pc.any(wrong).as_py():
        at = _first(wrong)
        why = f"{chosen[at].as_py()} branches of the union are set; exactly one must be"
        yield Misfit(rows.row(at), path, "MESH-E027", why)
    for index, (name, part) in enumerate(column.parts):
        yield from misfits(array.field(index), part, f"{path}<{name}>", rows)


def _entries(array: pa.Array, column: Column, path: str, rows: Rows) -> Iterator[Misfit]:
    listed = entries_of(array)
    keys, values = listed.flatten().flatten()
    parents = Rows(rows, pc.list_parent_indices(listed))
    twice = first_repeated_key(parents.within, keys)
    if twice is not None:
        why = f"the key {keys[twice].as_py()!r} appears twice in one map"
        yield Misfit(parents.row(twice), path, "MESH-E026", why)
    yield from misfits(values, column.inner, f"{path}{{}}", parents)


def first_repeated_key(parents: pa.Array, keys: pa.Array) -> int | None:
    """The index of the first entry whose key its map already has."""
    table = pa.table({"parent": parents, "key": keys})
    if table.group_by(["parent", "key"]).aggregate([]).num_rows == len(keys):
        return None
    seen: set[tuple[int, str]] = set()
    for index, pair in enumerate(zip(parents.to_pylist(), keys.to_pylist(), strict=True)):
        if pair in seen:
            return index
        seen.add(pair)
    return None


def _worth_entering(column: Column) -> bool:
    return not column.nullable or column.kind not in _ALWAYS_FIT


_ALWAYS_FIT = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed"})


def _first(mask: pa.Array) -> int:
    return int(pc.index(mask, True).as_py())


def _difference(have: pa.Schema, want: pa.Schema) -> str:
    extra = [name for name in have.names if name not in want.names]
    missing = [name for name in want.names if name not in have.names]
    if extra or missing:
        return "; ".join(
            [f"unknown: {', '.join(extra)}"] * bool(extra)
            + [f"missing: {', '.join(missing)}"] * bool(missing)
        )
    for field in want:
        if have.field(field.name).type != field.type:
            return f"{field.name!r} is {have.field(field.name).type}, the schema says {field.type}"
    return f"the order is {', '.join(have.names)}; the schema says {', '.join(want.names)}"
