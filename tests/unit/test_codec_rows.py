"""Rows to Arrow: what fits goes in unchanged, what does not is named by row, field and reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mesh.codec import codec_for, to_batch
from mesh.errors import EventError
from mesh.schema import parse_schema

SCHEMA = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "count", "type": "int"},
        {"name": "total", "type": "double"},
        {"name": "coupon", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID"]}},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Line",
                    "fields": [{"name": "sku", "type": "string"}, {"name": "qty", "type": "int"}],
                },
            },
        },
    ],
}
CODEC = codec_for(parse_schema(json.dumps(SCHEMA)))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def order(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "o-1",
        "count": 2,
        "total": 9.5,
        "coupon": None,
        "at": AT,
        "status": "NEW",
        "lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}],
    }
    return row | changes


def without(name: str) -> dict[str, Any]:
    row = order()
    del row[name]
    return row


def codec_of(*types: Any) -> Any:
    fields = [{"name": f"f{index}", "type": one} for index, one in enumerate(types)]
    return codec_for(parse_schema(json.dumps({"type": "record", "name": "T", "fields": fields})))


def test_rows_that_fit_are_what_arrow_would_make_of_them() -> None:
    rows = [order(), order(coupon="X"), order(lines=[])]
    assert to_batch(rows, CODEC).equals(pa.RecordBatch.from_pylist(rows, schema=CODEC.arrow_schema))


def test_an_optional_field_may_be_left_out() -> None:
    assert to_batch([without("coupon"), order(coupon="X")], CODEC)["coupon"].to_pylist() == [None, "X"]


@pytest.mark.parametrize(
    ("row", "path", "code", "why"),
    [
        (without("total"), "total", "MESH-E024", "missing"),
        (order(total=None), "total", "MESH-E024", "null"),
        (order(totl=1.0), "totl", "MESH-E022", "did you mean 'total'"),
        (without("coupon") | {"cupon": "X"}, "cupon", "MESH-E022", "did you mean 'coupon'"),
        (order(id=7), "id", "MESH-E021", "expected a text, got 7 (int)"),
        (order(count="2"), "count", "MESH-E021", "expected a whole number"),
        (order(count=2.5), "count", "MESH-E021", "expected a whole number"),
        (order(count=True), "count", "MESH-E021", "expected a whole number"),
        (order(total=True), "total", "MESH-E021", "expected a number"),
        (order(count=2**31), "count", "MESH-E023", "does not fit int32"),
        (order(at="2026-01-01"), "at", "MESH-E021", "expected a datetime"),
        (order(at=date(2026, 1, 1)), "at", "MESH-E021", "expected a datetime"),
        (order(status="LOST"), "status", "MESH-E025", "none of NEW, PAID"),
        (order(lines="ab"), "lines", "MESH-E021", "expected a list"),
        (order(lines=[{"sku": "a", "qty": None}]), "lines[].qty", "MESH-E024", "null"),
        (order(lines=[{"sku": "a", "qty": 1, "x": 1}]), "lines[].x", "MESH-E022", "no such field"),
        (order(lines=[{"sku": "a", "qty": 1}, 5]), "lines[]", "MESH-E021", "an object with fields"),
        (order(id="\ud800"), "id", "MESH-E023", "does not fit string"),
        (7, "", "MESH-E021", "a row is a dict"),
    ],
)
def test_a_row_that_does_not_fit_is_named(row: Any, path: str, code: str, why: str) -> None:
    with pytest.raises(EventError) as caught:
        to_batch([order(), order(lines=[]), row, order()], CODEC)
    assert caught.value.error_code == code
    assert caught.value.where == f"row 2, {path}"
    assert why in caught.value.why


def test_models_are_rows() -> None:
    class Line(BaseModel):
        sku: str
        qty: int

    class Order(BaseModel):
        id: str
        count: int
        total: float
        coupon: str | None = None
        at: datetime
        status: str
        lines: list[Line]

    model = Order.model_validate(order())
    assert to_batch([model, order()], CODEC).to_pylist() == [order(), order()]


class Colour(Enum):
    RED = "RED"


class Size(IntEnum):
    LARGE = 3


def test_members_of_enums_are_rows_by_their_values() -> None:
    codec = codec_of({"type": "enum", "name": "Colour", "symbols": ["RED"]}, "string", "int")
    row = {"f0": Colour.RED, "f1": Colour.RED, "f2": Size.LARGE}
    assert to_batch([row], codec).to_pylist() == [{"f0": "RED", "f1": "RED", "f2": 3}]


@pytest.mark.parametrize("frame_of", [pa.Table.to_pandas, polars.from_arrow, lambda table: table])
def test_frames_are_batches(frame_of: Any) -> None:
    batch = to_batch([order(), order(coupon="X")], CODEC)
    assert to_batch(frame_of(pa.Table.from_batches([batch])), CODEC).equals(batch)


def test_columns_come_in_any_order_and_in_types_that_convert() -> None:
    frame = pandas.DataFrame([order()])[["at", "status", "lines", "total", "count", "id"]]
    assert to_batch(frame, CODEC).to_pylist() == [order()]


def test_a_column_that_does_not_convert_without_loss_is_named() -> None:
    table = pa.Table.from_pylist([{"f0": 2**40}])
    with pytest.raises(EventError, match="'f0'"):
        to_batch(table, codec_of("int"))


def test_an_unknown_column_is_named() -> None:
    table = pa.Table.from_pylist([{"f0": 1, "g": 2}])
    with pytest.raises(EventError) as caught:
        to_batch(table, codec_of("int"))
    assert "unknown: g" in caught.value.why


def test_a_null_in_a_required_column_is_named() -> None:
    with pytest.raises(EventError, match="row 1: field 'f0'"):
        to_batch(pa.Table.from_pylist([{"f0": 1}, {"f0": None}]), codec_of("long"))


def test_a_null_inside_a_nested_list_is_named_by_its_row() -> None:
    codec = codec_of({"type": "array", "items": "long"})
    table = pa.table({"f0": pa.array([[1], [], [2, 3], [4, None]])})
    with pytest.raises(EventError, match=r"row 3: field 'f0\[\]'"):
        to_batch(table, codec)


def test_an_absent_object_needs_no_required_fields() -> None:
    inner = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}
    codec = codec_of(["null", inner])
    batch = to_batch([{"f0": None}, {"f0": {"x": 1}}], codec)
    assert codec.decode(codec.encode(batch)).to_pylist() == [{"f0": None}, {"f0": {"x": 1}}]


def test_a_present_object_needs_its_required_fields() -> None:
    inner = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}
    with pytest.raises(EventError) as caught:
        to_batch([{"f0": None}, {"f0": {}}], codec_of(["null", inner]))
    assert caught.value.where == "row 1, f0.x"


def test_decimals_and_maps_go_in_as_python_has_them() -> None:
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}
    codec = codec_of(decimal, {"type": "map", "values": "long"})
    batch = to_batch([{"f0": Decimal("-1.50"), "f1": {"a": 1}}], codec)
    assert codec.decode(codec.encode(batch)).to_pylist(maps_as_pydicts="strict") == [
        {"f0": Decimal("-1.50"), "f1": {"a": 1}}
    ]


def test_a_union_takes_the_first_branch_of_the_value_s_type_or_the_one_it_names() -> None:
    codec = codec_of(["null", "int", "long", "string"])
    batch = to_batch([{"f0": 5}, {"f0": 2**40}, {"f0": "x"}, {"f0": None}, {"f0": {"long": 5}}], codec)
    chosen = [row["f0"] and [k for k, v in row["f0"].items() if v is not None] for row in batch.to_pylist()]
    assert chosen == [["int"], ["long"], ["string"], None, ["long"]]


def test_a_number_goes_to_the_branch_that_keeps_it_exactly() -> None:
    batch = to_batch([{"f0": 0.5}, {"f0": 0.1}], codec_of(["float", "double"]))
    assert batch.to_pylist() == [
        {"f0": {"float": 0.5, "double": None}},
        {"f0": {"float": None, "double": 0.1}},
    ]


def test_a_value_of_no_branch_is_named() -> None:
    with pytest.raises(EventError) as caught:
        to_batch([{"f0": 1.5}], codec_of(["null", "int", "string"]))
    assert caught.value.error_code == "MESH-E027"


def test_a_number_beyond_a_32_bit_float_is_refused_and_infinity_is_not() -> None:
    codec = codec_of("float")
    assert to_batch([{"f0": float("inf")}], codec).num_rows == 1
    with pytest.raises(EventError, match="row 1"):
        to_batch([{"f0": float("inf")}, {"f0": 1e300}], codec)


def test_a_naive_datetime_counts_as_utc() -> None:
    assert to_batch([order(at=datetime(2026, 1, 1))], CODEC)["at"].to_pylist() == [AT]


def test_no_rows_are_an_empty_batch() -> None:
    assert to_batch([], CODEC).schema.equals(CODEC.arrow_schema)


def test_a_generator_is_refused_with_the_way_out() -> None:
    with pytest.raises(EventError) as caught:
        to_batch((row for row in [order()]), CODEC)
    assert "list(rows)" in caught.value.fix


DAYS = st.datetimes(
    timezones=st.none() | st.timezones() | st.just(UTC) | st.just(timezone(timedelta(hours=-3)))
)


@given(st.lists(st.none() | DAYS, max_size=6))
def test_datetimes_become_what_arrow_makes_of_them(times: list[datetime | None]) -> None:
    codec = codec_of(["null", {"type": "long", "logicalType": "timestamp-micros"}])
    try:
        wanted = pa.array(times, codec.arrow_schema.field(0).type)
    except OverflowError:  # beyond the calendar's ends once the zone is taken off
        with pytest.raises(EventError):
            to_batch([{"f0": time} for time in times], codec)
        return
    assert to_batch([{"f0": time} for time in times], codec).column(0).equals(wanted)
