"""Rows as people have them (dicts, Pydantic models) to Arrow, field by field, with precise errors.

Arrow's own conversion ignores unknown keys, cuts 5.5 to 5, splits a text into letters where a list
is due and takes `True` for 1.0. Here each field of all rows is one list of values whose Python
types are looked at once, so that being strict costs a set of types per field and not a test per value.

    MESH-E021  a value of another type               MESH-E024  a required field is null or missing
    MESH-E022  an unknown field                      MESH-E025  not a symbol of the enum
    MESH-E023  a value out of range                  MESH-E027  no branch of a union takes the value
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import accumulate, chain
from numbers import Integral
from operator import itemgetter
from typing import Any, Final, NoReturn

import pyarrow as pa

from mesh.codec.conform import Misfit
from mesh.codec.layout import Column
from mesh.codec.leaves import Accepted, Fault, accepted_by, leaves, shown, wrong_type
from mesh.codec.models import reader_of

_NONE: Final = type(None)
_ABSENT: Final = object()
Values = Sequence[Any]
RowOf = Callable[[int], int]


def array_of(rows: Values, layout: Column) -> pa.Array:
    """Rows as one array of records; raises EventError naming the row (from 0), the field and why."""
    types = set(map(type, rows))
    return _records(rows if types <= {dict} else _as_dicts(rows, types), layout, "", _itself)


def _as_dicts(rows: Values, types: set[Any]) -> list[dict[str, Any]]:
    readers: dict[type, Any] = {}
    for found in types:
        if issubclass(found, Mapping):
            readers[found] = dict
        elif hasattr(found, "model_dump"):
            readers[found] = reader_of(found)
        else:
            at = next(index for index, row in enumerate(rows) if type(row) is found)
            _misfit(at, "", "MESH-E021", f"a row is a dict or a Pydantic model, not {found.__name__}")
    return [readers[type(row)](row) for row in rows]


def _itself(element: int) -> int:
    return element


def _column(values: Values, column: Column, path: str, row_of: RowOf) -> pa.Array:
    types = set(map(type, values))
    if _NONE in types:
        types.discard(_NONE)
        if not column.nullable:
            at = next(index for index, value in enumerate(values) if value is None)
            _misfit(row_of(at), path, "MESH-E024", "the field is required; it is null")
        if not types:
            return pa.nulls(len(values), column.arrow)
    return _BUILDERS[column.kind](values, types, column, path, row_of)


# --- values with parts ---------------------------------------------------------------------------


def _record(values: Values, types: set[type], column: Column, path: str, row_of: RowOf) -> pa.Array:
    if not types <= {dict}:
        values = [_part_as_dict(value, path, row_of(index)) for index, value in enumerate(values)]
    return _records(values, column, path, row_of)


def _part_as_dict(value: Any, path: str, row: int) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    raise Misfit(row, path, "MESH-E021", f"expected an object with fields, got {shown(value)}").error()


def _records(values: Values, column: Column, path: str, row_of: RowOf) -> pa.Array:
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        places = [index for index, value in enumerate(values) if value is not None]
        dense = _records(present, column, path, lambda element: row_of(places[element]))
        position = iter(range(len(present)))
        return dense.take(
            pa.array([None if value is None else next(position) for value in values], pa.int64())
        )
    names = [name for name, _ in column.parts]
    children = [
        _column(values_of_field, part, f"{path}.{name}" if path else name, row_of)
        for (name, part), values_of_field in zip(
            column.parts, _fields(present, names, column, path, row_of), strict=True
        )
    ]
    if not children:
        return pa.array(present, column.arrow)
    return pa.StructArray.from_arrays(children, fields=list(column.arrow))


def _fields(rows: Values, names: list[str], column: Column, path: str, row_of: RowOf) -> list[Values]:
    """The values of each field; every row must have all required fields and no unknown one."""
    if not rows:
        return [[] for _ in names]
    if set(map(len, rows)) == {len(names)} and names:
        try:
            return [list(map(itemgetter(name), rows)) for name in names]
        except KeyError:
            pass
    _refuse_unknown(rows, names, path, row_of)
    return [_values_of(rows, name, part, path, row_of) for name, part in column.parts]


def _refuse_unknown(rows: Values, names: list[str], path: str, row_of: RowOf) -> None:
    unknown = set().union(*rows) - set(names)
    if not unknown:
        return
    at, field = next((index, key) for index, row in enumerate(rows) for key in row if key in unknown)
    near = _nearest(str(field), names)
    hint = f"; did you mean {near!r}?" if near else f"; it has {', '.join(names[:20])}"
    _misfit(
        row_of(at),
        f"{path}.{field}" if path else str(field),
        "MESH-E022",
        f"the schema has no such field{hint}",
    )


def _values_of(rows: Values, name: str, part: Column, path: str, row_of: RowOf) -> Values:
    if part.nullable:
        return [row.get(name) for row in rows]
    values = [row.get(name, _ABSENT) for row in rows]
    if _ABSENT in values:
        at = next(index for index, value in enumerate(values) if value is _ABSENT)
        _misfit(
            row_of(at),
            f"{path}.{name}" if path else name,
            "MESH-E024",
            "the field is required; it is missing",
        )
    return values


def _array(values: Values, types: set[type], column: Column, path: str, row_of: RowOf) -> pa.Array:
    if not types <= {list, tuple}:
        _require(values, types, accepted_by(column.arrow), path, row_of)
    lengths = [0 if value is None else len(value) for value in values]
    parents = _parents(lengths, row_of)
    flat = list(chain.from_iterable(value for value in values if value is not None))
    items = _column(flat, column.inner, f"{path}[]", parents)
    return pa.ListArray.from_arrays(_offsets(lengths), items, type=column.arrow, mask=_mask(values))


def _map(values: Values, types: set[type], column: Column, path: str, row_of: RowOf) -> pa.Array:
    if not types <= {dict}:
        _require(values, types, _MAPPING, path, row_of)
    lengths = [0 if value is None else len(value) for value in values]
    parents = _parents(lengths, row_of)
    present = [value for value in values if value is not None]
    names = list(chain.from_iterable(present))
    keys = _leaf(names, set(map(type, names)), _KEY, f"{path}{{}}", parents)
    flat = list(chain.from_iterable(value.values() for value in present))
    items = _column(flat, column.inner, f"{path}{{}}", parents)
    offsets, mask = _offsets(lengths), _mask(values)
    entries = pa.StructArray.from_arrays(
        [keys, items], fields=[column.arrow.key_field, column.arrow.item_field]
    )
    listed = pa.list_(pa.field("entries", entries.type, False))
    return pa.ListArray.from_arrays(offsets, entries, type=listed, mask=mask).view(column.arrow)


def _union(values: Values, _: set[type], column: Column, path: str, row_of: RowOf) -> pa.Array:
    names = [name for name, _part in column.parts]
    chosen: list[list[Any]] = [[None] * len(values) for _ in names]
    for index, value in enumerate(values):
        if value is None:
            continue
        branch, inner = _branch(value, column)
        if branch is None:
            why = f"{shown(value)} fits none of {', '.join(names)}"
            _misfit(row_of(index), path, "MESH-E027", why)
        chosen[branch][index] = inner
    children = [
        _column(branch, part, f"{path}<{name}>", row_of)
        for branch, (name, part) in zip(chosen, column.parts, strict=True)
    ]
    return pa.StructArray.from_arrays(children, fields=list(column.arrow), mask=_mask(values))


def _branch(value: Any, column: Column) -> tuple[int | None, Any]:
    """Which branch a value belongs to: the one it names (`{"long": 5}`), or the first that takes its type."""
    if isinstance(value, dict) and len(value) == 1:
        (name, inner) = next(iter(value.items()))
        for index, (branch, _) in enumerate(column.parts):
            if branch == name and inner is not None:
                return index, inner
    for index, (_, part) in enumerate(column.parts):
        if accepted_by(part.arrow).takes_type(type(value)) and _fits(value, part):
            return index, value
    return None, None


def _fits(value: Any, part: Column) -> bool:
    if part.symbols:
        return value in part.symbols
    if part.kind == "record":
        return isinstance(value, dict) and set(value) <= {name for name, _ in part.parts}
    if part.kind == "int" and isinstance(value, Integral):
        return -(2**31) <= int(value) < 2**31
    if part.kind == "float":
        return bool(value != value or pa.scalar(float(value), pa.float32()).as_py() == value)
    return True


# --- single values -------------------------------------------------------------------------------


def _leaf(values: Values, types: set[type], column: Column, path: str, row_of: RowOf) -> pa.Array:
    found = leaves(values, types, column)
    if isinstance(found, Fault):
        _misfit(row_of(found.index), path, found.code, found.why)
    return found


def _require(values: Values, types: set[type], accepted: Accepted, path: str, row_of: RowOf) -> None:
    if not all(map(accepted.takes_type, types)):
        fault = wrong_type(values, accepted)
        _misfit(row_of(fault.index), path, fault.code, fault.why)


def _misfit(row: int, path: str, code: str, why: str) -> NoReturn:
    raise Misfit(row, path, code, why).error()


def _parents(lengths: list[int], row_of: RowOf) -> RowOf:
    """From an item's place among all items to its row, worked out only for an error."""
    return lambda element: row_of(bisect_right(list(accumulate(lengths)), element))


def _offsets(lengths: list[int]) -> pa.Array:
    return pa.array(accumulate(lengths, initial=0), pa.int32())


def _mask(values: Values) -> pa.Array | None:
    return pa.array([value is None for value in values], pa.bool_()) if None in values else None


def _nearest(name: str, names: Iterable[str]) -> str | None:
    found = get_close_matches(name, list(names), 1)
    return found[0] if found else None


_KEY: Final = Column(kind="string", arrow=pa.string(), storage=pa.string())
_MAPPING: Final = Accepted((Mapping,), "a map from text")
_BUILDERS: Final = {"record": _record, "array": _array, "map": _map, "union": _union} | dict.fromkeys(
    ("null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed", "enum"), _leaf
)
