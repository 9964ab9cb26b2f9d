"""Plain rows without Arrow: what is written is what the engines write, and what they refuse is not plain."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mesh.codec import codec_for, to_batch
from mesh.codec.plain import NotPlain, PlainRows, plain_rows
from mesh.codec.storage import to_arrow
from mesh.codec.structs import as_batch
from mesh.errors import EventError
from mesh.rows import rows_of_arrow
from mesh.schema import AvroSchema
from mesh.years import rows_beyond
from tests.unit.codec_cases import PROVEN, events, record

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
FIXED_MONEY = {
    "type": "fixed",
    "name": "M",
    "size": 8,
    "logicalType": "decimal",
    "precision": 18,
    "scale": 4,
}
UUID_TEXT = {"type": "string", "logicalType": "uuid"}
SYMBOLS = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
PART = {"type": "record", "name": "P", "fields": [{"name": "x", "type": ["null", "long"]}]}
PLAIN = [*PROVEN, MICROS, LOCAL, DAY, UUID_TEXT, "bytes"]
KINDS = [
    *PLAIN,
    *(MONEY, FIXED_MONEY, {"type": "fixed", "name": "F", "size": 3}, SYMBOLS, PART),
    *({"type": "array", "items": "double"}, {"type": "map", "values": ["null", "long"]}, ["null", "string"]),
]


class Symbol(StrEnum):
    A = "A"


class Model(BaseModel):
    f0: Any


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.sampled_from([2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63, -(2**63)]),
    st.floats(),
    st.sampled_from([3.4028234663852886e38, 3.4028235e38, 3.5e38, 1e-50, float("inf")]),
    st.text(max_size=4),
    st.sampled_from(["A", "B", "C", "\ud800", Symbol.A, UUID(int=5), bytearray(b"abc"), time(1)]),
    st.binary(max_size=4),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.sampled_from([datetime.min, datetime.max, datetime.max.replace(tzinfo=UTC)]),
    st.just(datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.decimals(-10_000_000, 10_000_000, places=2),
    st.sampled_from(
        [Decimal("1e3"), Decimal("1.230"), Decimal("-0.01"), Decimal("9999999.99"), Decimal("0E+9")]
    ),
    st.lists(st.floats() | st.integers(-5, 5) | st.none() | st.just("x"), max_size=3),
    st.tuples(st.floats()),
    st.dictionaries(
        st.sampled_from(["x", "y"]) | st.integers(0, 1), st.none() | st.integers(-5, 5), max_size=2
    ),
)


def plain(schema: AvroSchema) -> PlainRows:
    found = plain_rows(codec_for(schema).reference)
    assert found is not None
    return found


def written(rows: PlainRows, row: Any) -> bytes | None:
    try:
        (event,) = rows.events([row])
        return rows.datum(event, b"\0")
    except NotPlain:
        return None


@settings(max_examples=150, deadline=None)
@given(events(PLAIN))
def test_what_an_engine_reads_is_plain_and_is_written_as_the_engine_does(
    drawn: tuple[AvroSchema, list[dict[str, Any]]],
) -> None:
    schema, stored = drawn
    codec = codec_for(schema)
    batch = as_batch(to_arrow(pa.array(stored, codec.layout.storage), codec.layout), codec.arrow_schema)
    kept = [row for row in range(batch.num_rows) if not rows_beyond(batch.slice(row, 1))]
    batch = batch.take(pa.array(kept, pa.int64()))
    rows = rows_of_arrow(batch)
    assert [written(plain(schema), row) for row in rows] == codec.encode(batch, b"\0")


@settings(max_examples=1_500, deadline=None)
@given(st.sampled_from(KINDS), ANYTHING)
def test_whatever_is_plain_is_taken_by_the_engines_and_written_the_same(kind: Any, value: Any) -> None:
    schema = record(kind)
    found = written(plain(schema), {"f0": value})
    if found is not None:
        codec = codec_for(schema)
        batch = to_batch([{"f0": value}], codec)
        assert (rows_beyond(batch), codec.encode(batch, b"\0")) == ([], [found])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "text"),
        ("double", 5),
        ("double", 2**53),
        ("float", 0.1),
        ("long", -(2**63)),
        ("int", 2**31 - 1),
        ("boolean", True),
        ("bytes", b"raw"),
        (MICROS, datetime(2026, 1, 1)),
        (MICROS, datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Vienna"))),
        (LOCAL, datetime(2026, 1, 1)),
        (DAY, date(2026, 1, 1)),
        (MONEY, Decimal("12.50")),
        (MONEY, Decimal("12.5")),
        (FIXED_MONEY, Decimal("-1E+3")),
        (SYMBOLS, "A"),
        (PART, {"x": 1}),
        (PART, {}),
        (["null", "string"], None),
        ({"type": "array", "items": "double"}, [1.0, 2]),
        ({"type": "map", "values": "long"}, {"a": 1, "b": 2}),
    ],
    ids=str,
)
def test_usual_values_are_plain(kind: Any, value: Any) -> None:
    schema = record(kind)
    codec = codec_for(schema)
    assert [written(plain(schema), {"f0": value})] == codec.encode(to_batch([{"f0": value}], codec), b"\0")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("double", True),
        ("double", 2**53 + 1),
        ("long", 1.0),
        ("long", True),
        ("int", 2**31),
        ("float", 1e39),
        ("string", 5),
        ("string", None),
        ("string", "\ud800"),
        (MICROS, datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))),
        (DAY, datetime(2026, 1, 1)),
        (MONEY, Decimal("0.001")),
        (MONEY, Decimal("10000000.00")),
        (MONEY, 5.0),
        (SYMBOLS, "C"),
        (PART, {"y": 1}),
        (PART, {"x": 1, "y": 2}),
        ({"type": "array", "items": "double"}, "ab"),
        ({"type": "map", "values": "long"}, {1: 1}),
    ],
    ids=str,
)
def test_what_the_engines_refuse_is_not_plain(kind: Any, value: Any) -> None:
    schema = record(kind)
    codec = codec_for(schema)
    assert written(plain(schema), {"f0": value}) is None
    try:
        refused = bool(rows_beyond(to_batch([{"f0": value}], codec)))
    except EventError:
        refused = True
    assert refused


@pytest.mark.parametrize("row", [{}, {"f1": 1}, {"f0": 1, "f1": 1}, [1], None, "row"], ids=str)
def test_a_row_of_another_shape_is_not_plain(row: Any) -> None:
    assert written(plain(record("long")), row) is None


def test_a_model_is_read_as_its_dict() -> None:
    assert written(plain(record("long")), Model(f0=3)) == b"\0\x06"


@pytest.mark.parametrize(
    "kind",
    [
        ["null", "long", "string"],
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "int", "logicalType": "time-millis"},
        {"type": "array", "items": {"type": "long", "logicalType": "time-micros"}},
    ],
    ids=str,
)
def test_a_schema_with_values_that_only_columns_convert_has_no_plain_rows(kind: Any) -> None:
    schema = record("string", kind)
    assert plain_rows(codec_for(schema).reference) is None
