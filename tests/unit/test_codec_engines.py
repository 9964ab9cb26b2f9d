"""Two engines, one codec: whatever pyruhvro takes it treats as fastavro does, byte for byte."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.codec import Codec, codec_for
from mesh.codec.fast import PyruhvroCodec, declines
from mesh.codec.physical import physical_tree
from mesh.codec.reference import FastavroCodec
from mesh.codec.sized import FEW
from mesh.codec.storage import to_arrow
from mesh.codec.structs import as_batch
from mesh.errors import EventError, SchemaError
from mesh.event import frame_prefix, unframe_batch
from mesh.schema import AvroSchema, parse_schema
from tests.unit.codec_cases import BEYOND, LOGICAL, PROVEN, events, mutated, record

ORDER = record("string", "long", ["null", "string"], {"type": "long", "logicalType": "timestamp-micros"})
CHOICE = ["string", {"type": "array", "items": "long"}]


def batch_of(codec: Codec, stored: list[dict[str, Any]]) -> pa.RecordBatch:
    records = to_arrow(pa.array(stored, codec.layout.storage), codec.layout)
    return as_batch(records, codec.arrow_schema)


def orders(number: int) -> list[dict[str, Any]]:
    return [
        {"f0": f"o-{n}", "f1": n, "f2": None if n % 2 else "x", "f3": n * 1_000_000} for n in range(number)
    ]


@settings(max_examples=200, deadline=None)
@given(events(PROVEN + LOGICAL))
def test_the_fast_engine_writes_and_reads_what_the_reference_does(
    drawn: tuple[AvroSchema, list[dict[str, Any]]],
) -> None:
    schema, stored = drawn
    assert declines(schema) is None
    fast, reference = PyruhvroCodec(schema), FastavroCodec(schema)
    batch = batch_of(fast, stored)
    datums = fast.encode(batch)
    assert datums == reference.encode(batch)
    assert fast.decode(datums).equals(batch)
    assert reference.decode(datums).equals(batch)


@settings(max_examples=200, deadline=None)
@given(events(PROVEN + LOGICAL + BEYOND), st.integers(0, 3))
def test_what_a_codec_wrote_it_reads_back_even_from_a_slice(
    drawn: tuple[AvroSchema, list[dict[str, Any]]], cut: int
) -> None:
    schema, stored = drawn
    codec = codec_for(schema)
    batch = batch_of(codec, stored).slice(cut)
    assert codec.decode(codec.encode(batch)).equals(batch)


@settings(max_examples=100, deadline=None)
@given(events(PROVEN + LOGICAL), st.integers(FEW - 1, FEW + 2), st.data())
def test_few_events_and_many_are_written_and_read_alike(
    drawn: tuple[AvroSchema, list[dict[str, Any]]], count: int, data: st.DataObject
) -> None:
    schema, stored = drawn
    stored = [stored[number % len(stored)] for number in range(count)] if stored else []
    codec, reference = codec_for(schema), FastavroCodec(schema)
    batch = batch_of(codec, stored)
    datums = codec.encode(batch)
    assert (datums, codec.decode(datums)) == (reference.encode(batch), batch)
    if datums:
        datums[-1] = data.draw(mutated(datums[-1]))
    found, wanted = codec.decode_with_poison(datums), reference.decode_with_poison(datums)
    assert list(found.indices) == list(wanted.indices)


@settings(max_examples=200, deadline=None)
@given(events(PROVEN))
def test_the_reference_writes_what_fastavro_writes(drawn: tuple[AvroSchema, list[dict[str, Any]]]) -> None:
    schema, stored = drawn
    codec = FastavroCodec(schema)
    parsed = fastavro.parse_schema(physical_tree(schema))
    written = []
    for row in stored:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed, row)
        written.append(stream.getvalue())
    assert codec.encode(batch_of(codec, stored)) == written


@settings(max_examples=200, deadline=None)
@given(events(PROVEN + LOGICAL), st.data())
def test_both_engines_set_the_same_malformed_events_aside(
    drawn: tuple[AvroSchema, list[dict[str, Any]]], data: st.DataObject
) -> None:
    schema, stored = drawn
    fast, reference = PyruhvroCodec(schema), FastavroCodec(schema)
    datums = fast.encode(batch_of(fast, stored))
    for index in range(len(datums)):
        datums[index] = data.draw(mutated(datums[index]))
    quick, slow = fast.decode_with_poison(datums), reference.decode_with_poison(datums)
    assert [poison.index for poison in quick.poison] == [poison.index for poison in slow.poison]
    assert list(quick.indices) == list(slow.indices)
    assert str(quick.batch.to_pylist(maps_as_pydicts=None) if readable(schema) else "") == str(
        slow.batch.to_pylist(maps_as_pydicts=None) if readable(schema) else ""
    )


def readable(schema: AvroSchema) -> bool:
    """Python's datetime ends in the year 9999, Arrow's does not."""
    return "logicalType" not in schema.text


@pytest.mark.parametrize("beyond", [json.dumps(one) for one in BEYOND])
def test_a_schema_outside_the_proven_subset_is_left_to_the_reference(beyond: str) -> None:
    assert codec_for(record(json.loads(beyond))).engine == "fastavro"


def test_the_fast_engine_can_be_left_out() -> None:
    assert codec_for(ORDER).engine == "pyruhvro"
    assert codec_for(ORDER, "fastavro").engine == "fastavro"


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
def test_every_datum_follows_its_prefix(engine: Any) -> None:
    codec = codec_for(ORDER, engine)
    batch = batch_of(codec, orders(3))
    values = codec.encode(batch, frame_prefix(7))
    (group,) = unframe_batch(values).groups
    assert group.schema_id == 7
    assert codec.decode(group.datums).equals(batch)


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
def test_bytes_after_a_datum_are_poison(engine: Any) -> None:
    codec = codec_for(ORDER, engine)
    datums = codec.encode(batch_of(codec, orders(100)))
    datums[42] += b"\x00"
    decoded = codec.decode_with_poison(datums)
    assert [(one.index, one.error.error_code) for one in decoded.poison] == [(42, "MESH-E031")]
    assert decoded.batch.num_rows == 99


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
def test_the_good_events_around_poison_keep_their_order_and_places(engine: Any) -> None:
    codec = codec_for(ORDER, engine)
    datums = codec.encode(batch_of(codec, orders(1_000)))
    bad = {0, 13, 14, 500, 999}
    for index in bad:
        datums[index] = datums[index][:-3]
    decoded = codec.decode_with_poison(datums)
    assert {one.index for one in decoded.poison} == bad
    assert [row["f1"] for row in decoded.batch.to_pylist()] == list(decoded.indices)


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
@pytest.mark.parametrize(
    ("kind", "datum", "why"),
    [
        ("int", b"\xfe\xff\xff\xff\xff\x01", "range"),
        ("boolean", b"\x02", "0 or 1"),
        ("string", b"\x04\xff\xfe", "UTF-8"),
        ("string", b"\x03ab", "-2 bytes"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x01", "choice number -1"),
        (["null", "long"], b"\x01\x02", "choice number -1"),
        (
            {"type": "array", "items": "long"},
            b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "items are announced",
        ),
        ("long", b"\x80" * 12 + b"\x00", "10 bytes"),
    ],
)
def test_bytes_that_mean_nothing_are_refused_with_the_reason(
    engine: Any, kind: Any, datum: bytes, why: str
) -> None:
    (poison,) = codec_for(record(kind), engine).decode_with_poison([datum]).poison
    assert why in f"{poison.error.what}: {poison.error.why}"


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
def test_an_array_written_in_several_blocks_is_read(engine: Any) -> None:
    codec = codec_for(record({"type": "array", "items": "long"}), engine)
    sized_block, plain_block = b"\x01\x02\x02", b"\x02\x04"
    assert codec.decode([sized_block + plain_block + b"\x00"]).to_pylist() == [{"f0": [1, 2]}]


@pytest.mark.parametrize("engine", ["auto", "fastavro"])
def test_a_null_in_a_required_field_is_never_written(engine: Any) -> None:
    codec = codec_for(ORDER, engine)
    batch = batch_of(codec, orders(3))
    columns = [pa.array(["a", None, "c"]), *batch.columns[1:]]
    with pytest.raises(EventError, match="row 1: field 'f0'") as caught:
        codec.encode(pa.RecordBatch.from_arrays(columns, schema=codec.arrow_schema))
    assert caught.value.error_code == "MESH-E024"


def test_columns_of_another_schema_are_refused() -> None:
    codec = codec_for(ORDER)
    with pytest.raises(EventError, match="another schema"):
        codec.encode(pa.RecordBatch.from_pylist([{"f0": "a"}]))


def test_a_branch_of_a_union_keeps_its_type() -> None:
    codec = codec_for(record(["int", "long", "null"]))
    batch = batch_of(codec, [{"f0": {"long": 5}}, {"f0": {"int": 5}}, {"f0": None}])
    datums = codec.encode(batch)
    assert datums == [b"\x02\x0a", b"\x00\x0a", b"\x04"]
    assert codec.decode(datums).equals(batch)


@pytest.mark.parametrize(
    ("around", "value"),
    [
        ({"type": "record", "name": "Choice", "fields": [{"name": "of", "type": CHOICE}]}, "of"),
        ({"type": "array", "items": CHOICE}, "array"),
        ({"type": "map", "values": CHOICE}, "map"),
    ],
    ids=["record", "array", "map"],
)
@pytest.mark.parametrize("null", [["null"], []], ids=["optional", "alone"])
def test_a_union_of_several_types_lies_within_an_optional_value(
    around: Any, value: str, null: list[str]
) -> None:
    """fastavro takes a value for none of its branches when it holds an array chosen of several types."""
    chosen = {"string": None, "array": [7]}
    held: Any = {"of": {"of": chosen}, "array": [chosen], "map": [("k", chosen)]}[value]
    codec = FastavroCodec(record([*null, around], "string"))
    stored = [{"f0": held, "f1": "x"}, {"f0": None if null else held, "f1": "y"}]
    batch = batch_of(codec, stored)
    assert codec.decode(codec.encode(batch)).equals(batch)


def test_a_timestamp_beyond_python_s_calendar_is_read() -> None:
    codec = codec_for(record({"type": "long", "logicalType": "timestamp-micros"}), "fastavro")
    batch = batch_of(codec, [{"f0": 2**62}])
    assert codec.decode(codec.encode(batch)).equals(batch)


def test_a_decimal_of_more_digits_than_declared_is_poison() -> None:
    codec = codec_for(record({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}))
    decoded = codec.decode_with_poison([b"\x02\x01", b"\x08\x7f\xff\xff\xff"])
    assert [one.error.error_code for one in decoded.poison] == ["MESH-E032"]
    assert [str(row["f0"]) for row in decoded.batch.to_pylist()] == ["0.01"]


def test_only_a_record_has_columns() -> None:
    with pytest.raises(SchemaError, match="record"):
        codec_for(parse_schema('"string"'))


def test_large_datums_are_judged_as_small_ones_are() -> None:
    fast, reference = PyruhvroCodec(ORDER), FastavroCodec(ORDER)
    small = fast.encode(batch_of(fast, orders(20)))
    (large,) = fast.encode(batch_of(fast, [{"f0": "x" * 100_000, "f1": 1, "f2": None, "f3": 0}]))
    datums = [*small[:5], large, large[:-1], small[5], large + b"\0", small[6][:-1], *small[7:]]
    ours, theirs = fast.decode_with_poison(datums), reference.decode_with_poison(datums)
    assert ours.batch.equals(theirs.batch)
    assert [(one.index, one.error.error_code) for one in ours.poison] == [
        (one.index, one.error.error_code) for one in theirs.poison
    ]
    assert [one.index for one in ours.poison] == [6, 8, 9]


@pytest.mark.parametrize("codec", [PyruhvroCodec, FastavroCodec], ids=["pyruhvro", "fastavro"])
def test_a_time_of_day_after_midnight_is_set_aside_and_the_others_go_on(codec: Any) -> None:
    made = codec(record({"type": "int", "logicalType": "time-millis"}))
    parsed = fastavro.parse_schema(physical_tree(made.schema))
    datums = []
    for milliseconds in (0, 86_400_000, 86_399_999):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, {"f0": milliseconds})
        datums.append(out.getvalue())
    found = made.decode_with_poison(datums)
    assert (list(found.indices), [one.index for one in found.poison]) == ([0, 2], [1])
