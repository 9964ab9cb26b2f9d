"""One look at a whole batch says of every datum where it fails, as reading it byte by byte does."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.codec.fast import PyruhvroCodec
from mesh.codec.storage import to_arrow
from mesh.codec.structs import as_batch
from mesh.codec.survey import doubts
from mesh.codec.wire import fault, read_datum
from mesh.errors import EventError
from mesh.schema import AvroSchema
from tests.unit.codec_cases import LOGICAL, PROVEN, events, mutated, record


def reason(schema: AvroSchema, datum: bytes) -> str | None:
    try:
        read_datum(schema, datum)
    except EventError as error:
        return str(error)
    return None


@settings(max_examples=60, deadline=None)
@given(events(PROVEN + LOGICAL), st.data())
def test_every_datum_that_fails_is_found_with_its_reason(
    drawn: tuple[AvroSchema, list[dict[str, Any]]], data: st.DataObject
) -> None:
    schema, stored = drawn
    codec = PyruhvroCodec(schema)
    records = to_arrow(pa.array(stored, codec.layout.storage), codec.layout)
    datums = [data.draw(mutated(datum)) for datum in codec.encode(as_batch(records, codec.arrow_schema))]
    found = {
        doubt.row: str(fault(schema, datums[doubt.row], doubt.at, doubt.node))
        for doubt in doubts(schema, datums) or ()
    }
    assert found == {row: why for row, datum in enumerate(datums) if (why := reason(schema, datum))}


def test_a_number_of_more_than_64_bits_is_found() -> None:
    schema = record("long")
    widest, wider = b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x03"
    assert [(doubt.row, doubt.at) for doubt in doubts(schema, [widest, wider, b"\x02"]) or ()] == [(1, 0)]


def test_long_lists_are_left_to_a_look_at_each() -> None:
    schema = record({"type": "array", "items": "boolean"})
    assert doubts(schema, [b"\x02\x01\x00", b"\xd0\x0f" + bytes(1_000) + b"\x00"]) is None


def test_no_datums_are_no_doubts() -> None:
    assert doubts(record("string"), []) == []
