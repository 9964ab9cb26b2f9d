"""Schemas and events for the codec's tests: every kind of Avro type, with values at their edges."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from mesh.codec import Column, layout_of
from mesh.schema import AvroSchema, parse_schema

PROVEN = ["boolean", "int", "long", "float", "double", "string"]
LOGICAL: list[dict[str, Any]] = [
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "timestamp-nanos"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "string", "logicalType": "uuid"},
]
BEYOND: list[Any] = [
    "bytes",
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 5},
    {"type": "map", "values": "long"},
    {"type": "map", "values": ["null", "string"]},
    ["null", "long", "string"],
    ["string", {"type": "array", "items": "int"}, "null"],
]


def record(*types: Any, name: str = "test.Event") -> AvroSchema:
    """A record with fields f0, f1, … of the given types."""
    fields = [{"name": f"f{index}", "type": one} for index, one in enumerate(types)]
    return parse_schema(json.dumps({"type": "record", "name": name, "fields": fields}))


@st.composite
def schemas(draw: st.DrawFn, leaves: list[Any]) -> AvroSchema:
    """Records up to three levels deep, both orders of nullable unions, enums, references to earlier types."""
    counter = iter(range(1_000))
    defined: list[str] = []

    def a_type(depth: int) -> Any:
        kinds = ["leaf", "leaf", "enum", "nullable", "nullable"]
        kinds += ["record", "array"] if depth < 3 else []
        kinds += ["reference"] if defined else []
        kind = draw(st.sampled_from(kinds))
        if kind == "leaf":
            return draw(st.sampled_from(leaves))
        if kind == "reference":
            return draw(st.sampled_from(defined))
        if kind == "array":
            return {"type": "array", "items": a_type(depth + 1)}
        if kind == "nullable":
            inner = a_type(depth + 1)
            while isinstance(inner, list):
                inner = draw(st.sampled_from([one for one in inner if one != "null"]))
            return draw(st.sampled_from([["null", inner], [inner, "null"]]))
        name = f"N{next(counter)}"
        if kind == "enum":
            tree: Any = {"type": "enum", "name": name, "symbols": ["A", "B", "C"]}
        else:
            count = draw(st.integers(1, 3))
            fields = [{"name": f"x{index}", "type": a_type(depth + 1)} for index in range(count)]
            tree = {"type": "record", "name": name, "fields": fields}
        defined.append(name)
        return tree

    return record(*[a_type(1) for _ in range(draw(st.integers(1, 5)))])


def stored_values(column: Column) -> st.SearchStrategy[Any]:
    """Storage values of a column, edges included; a union of several types has one branch set."""
    found = _present(column)
    return st.none() | found if column.nullable else found


def _present(column: Column) -> st.SearchStrategy[Any]:
    if column.symbols:
        return st.sampled_from(column.symbols)
    match column.kind:
        case "record":
            return st.fixed_dictionaries({name: stored_values(part) for name, part in column.parts})
        case "array":
            return st.lists(stored_values(column.inner), max_size=4)
        case "map":
            return st.dictionaries(st.text(max_size=3), stored_values(column.inner), max_size=3).map(
                lambda found: list(found.items())
            )
        case "union":
            return st.one_of(
                *[
                    _present(part).map(lambda value, name=name: {name: value})  # type: ignore[misc]
                    for name, part in column.parts
                ]
            )
        case "int" if pa.types.is_time(column.arrow):
            return st.integers(0, 86_399_999)
        case "long" if pa.types.is_time(column.arrow):
            return st.integers(0, 86_399_999_999)
        case "int":
            return st.sampled_from([0, -1, 63, 64, -(2**31), 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.sampled_from([0, -1, 2**53 + 1, -(2**63), 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)
        case "bytes" if pa.types.is_decimal(column.arrow):
            bound = 10**column.arrow.precision - 1
            return st.integers(-bound, bound).map(
                lambda n: n.to_bytes((n if n >= 0 else ~n).bit_length() // 8 + 1, "big", signed=True)
            )
        case "bytes":
            return st.binary(max_size=5)
    return {
        "boolean": st.booleans(),
        "float": st.floats(width=32, allow_nan=False),
        "double": st.floats(allow_nan=False),
        "string": st.sampled_from(["", "é", "𝄞", "\x00"]) | st.text(max_size=6),
        "null": st.none(),
    }[column.kind]


@st.composite
def events(draw: st.DrawFn, leaves: list[Any], most: int = 6) -> tuple[AvroSchema, list[dict[str, Any]]]:
    """A schema and storage rows of it."""
    schema = draw(schemas(leaves))
    layout = layout_of(schema)
    return schema, draw(st.lists(_present(layout), max_size=most))


def mutated(datum: bytes) -> st.SearchStrategy[bytes]:
    """A datum as it is, cut, lengthened, with bits flipped, or something else altogether."""
    flips = st.tuples(st.integers(0, max(len(datum) - 1, 0)), st.integers(1, 255)).map(
        lambda at: datum[: at[0]] + bytes([datum[at[0]] ^ at[1]]) + datum[at[0] + 1 :] if datum else b"\x00"
    )
    return st.one_of(
        st.just(datum),
        st.integers(0, len(datum)).map(lambda size: datum[:size]),
        st.binary(min_size=1, max_size=3).map(lambda tail: datum + tail),
        flips,
        st.binary(max_size=12),
    )
