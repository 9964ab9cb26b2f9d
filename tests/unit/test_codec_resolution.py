"""Old events in a new reader's columns: the same values fastavro's resolution gives, batch by batch."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesh.codec import codec_for, layout_of, to_batch
from mesh.codec.physical import reader_tree
from mesh.codec.reference import FastavroCodec
from mesh.codec.resolution import resolution
from mesh.codec.unions import holds_unions
from mesh.compatibility import problems
from mesh.errors import IncompatibleSchema, SchemaError
from mesh.schema import parse_schema
from tests.unit.avro_schemas import data, pairs


def codec(*fields: dict[str, Any]) -> Any:
    return codec_for(parse_schema(json.dumps({"type": "record", "name": "T", "fields": list(fields)})))


def resolved(writer: Any, reader: Any, rows: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    plan = resolution(writer, reader)
    batch = plan.apply(writer.decode(writer.encode(to_batch(rows, writer))))
    assert batch.schema.equals(reader.arrow_schema)
    return plan.by, batch.to_pylist()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(pairs(), st.data())
def test_columns_hold_what_fastavro_resolves(pair: tuple[Any, Any], drawn: st.DataObject) -> None:
    try:
        written, wanted = (parse_schema(json.dumps(tree)) for tree in pair)
    except SchemaError:
        assume(False)
    assume(not problems(wanted, written))
    assume(not holds_unions(layout_of(wanted)))  # fastavro's values do not say which branch they were
    values = drawn.draw(st.lists(data(pair[0]), max_size=3))
    writer, reader = FastavroCodec(written), FastavroCodec(wanted)
    datums, expected = [], []
    for value in values:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, written.codec_tree, value)
        datums.append(stream.getvalue())
        stream.seek(0)
        expected.append(fastavro.schemaless_reader(stream, written.codec_tree, reader_tree(wanted)))
    batch = resolution(writer, reader).apply(writer.decode(datums))
    assert batch.equals(to_batch(expected, reader))


def test_a_field_is_found_by_its_alias() -> None:
    writer, reader = (
        codec({"name": "old", "type": "long"}),
        codec({"name": "new", "type": "long", "aliases": ["old"]}),
    )
    assert resolved(writer, reader, [{"old": 5}]) == ("columns", [{"new": 5}])


def test_a_number_is_promoted() -> None:
    writer, reader = codec({"name": "a", "type": "int"}), codec({"name": "a", "type": "double"})
    assert resolved(writer, reader, [{"a": 5}]) == ("columns", [{"a": 5.0}])


def test_a_new_field_has_its_default_and_a_removed_one_is_gone() -> None:
    writer = codec({"name": "a", "type": "long"}, {"name": "b", "type": "long"})
    reader = codec({"name": "a", "type": "long"}, {"name": "c", "type": "string", "default": "none"})
    assert resolved(writer, reader, [{"a": 1, "b": 2}]) == ("columns", [{"a": 1, "c": "none"}])


def test_a_required_field_may_become_optional() -> None:
    writer = codec({"name": "a", "type": "string"})
    reader = codec({"name": "a", "type": ["null", "string"], "default": None})
    assert resolved(writer, reader, [{"a": "x"}]) == ("columns", [{"a": "x"}])


def test_a_change_inside_a_nested_record_goes_row_by_row() -> None:
    def line(*fields: dict[str, Any]) -> dict[str, Any]:
        return {"name": "l", "type": {"type": "record", "name": "L", "fields": list(fields)}}

    writer = codec(line({"name": "x", "type": "int"}))
    reader = codec(line({"name": "x", "type": "long"}, {"name": "y", "type": "string", "default": "?"}))
    assert resolved(writer, reader, [{"l": {"x": 1}}]) == ("rows", [{"l": {"x": 1, "y": "?"}}])


def test_logical_types_survive_going_row_by_row() -> None:
    moment = {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}
    key = {"name": "id", "type": {"type": "string", "logicalType": "uuid"}}
    price = {"name": "p", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}}
    writer = codec(moment, key, {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}})
    shrunk = {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}
    reader = codec(moment, key, {"name": "e", "type": shrunk}, price | {"default": "\u0001"})
    row = {"at": datetime(2026, 1, 1, tzinfo=UTC), "id": "9b5c5f7e-8a1e-4a5f-9d51-2a3a7ee1b111", "e": "B"}
    by, (found,) = resolved(writer, reader, [row])
    assert by == "rows"
    assert found.pop("p") == Decimal("0.01")
    assert found == row | {"e": "A"}


def test_the_same_schema_needs_nothing() -> None:
    one = codec({"name": "a", "type": "long"})
    assert resolved(one, one, [{"a": 1}]) == ("same", [{"a": 1}])


def test_a_reader_that_cannot_read_is_told_before_any_event() -> None:
    with pytest.raises(IncompatibleSchema):
        resolution(codec({"name": "a", "type": "string"}), codec({"name": "a", "type": "long"}))
