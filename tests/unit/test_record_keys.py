"""The bytes of record keys: one part as its text, several so that no two keys share them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.keys import composite_key, record_keys, row_key

TEXT = st.text(max_size=8) | st.text('|,"\\[]\x00\n\x1f\x7f é\U0001f600', max_size=8)
ROWS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8)


def keys(*columns: list[object]) -> list[bytes | None]:
    return record_keys([pa.array(column) for column in columns])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a|b", b"a|b"),
        (7, b"7"),
        (date(2026, 1, 2), b"2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), b"2026-01-02T03:04:05.000006Z"),
        ('"', b'"'),
    ],
)
def test_a_single_key_is_its_text(value: object, text: bytes) -> None:
    assert keys([value]) == [text]


def test_a_composite_key_is_a_json_array_of_texts() -> None:
    assert keys(["EWR"], [7], [date(2013, 1, 1)]) == [b'["EWR","7","2013-01-01"]']


def test_parts_that_hold_what_once_joined_them_make_different_keys() -> None:
    first, second = keys(["a|b", "a"], ["c", "b|c"])
    assert first != second


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_different_parts_never_share_a_key(rows: list[tuple[str, str]]) -> None:
    first, second = zip(*rows, strict=True)
    made = keys(list(first), list(second))
    assert len(set(made)) == len(set(rows))
    assert [tuple(json.loads(key or b"")) for key in made] == rows


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_key_made_by_columns_is_the_one_made_by_hand(rows: list[tuple[str, str]]) -> None:
    first, second = zip(*rows, strict=True)
    assert keys(list(first), list(second)) == [composite_key(row) for row in rows]


def test_what_a_key_escapes_is_what_rfc_8785_escapes() -> None:
    assert composite_key(["\x00\b\t\n\f\r\x1f\x7f", '"\\/é\u2028']) == (
        '["\\u0000\\b\\t\\n\\f\\r\\u001f\x7f","\\"\\\\/é\u2028"]'.encode()
    )


PARTS = pa.schema(
    [
        ("text", pa.string()),
        ("small", pa.int32()),
        ("whole", pa.int64()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
    ]
)
EVENTS = st.fixed_dictionaries(
    {
        "text": st.none() | TEXT,
        "small": st.none() | st.integers(-(2**31), 2**31 - 1),
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "day": st.none() | st.dates(),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)) | st.datetimes(),
    }
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PARTS.names), min_size=1, max_size=3, unique=True), EVENTS)
def test_a_key_of_one_event_in_hand_is_the_one_that_columns_make(
    names: list[str], event: dict[str, object]
) -> None:
    key = row_key(names, PARTS)
    assert key is not None
    batch = pa.RecordBatch.from_pylist([event], schema=PARTS)
    assert [key(event)] == record_keys([batch.column(name) for name in names])


def test_without_a_key_no_event_in_hand_has_one() -> None:
    key = row_key([], PARTS)
    assert key is not None
    assert key({"text": "a"}) is None


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.bool_(), pa.timestamp("ms", "UTC"), pa.timestamp("us")], ids=str
)
def test_a_part_that_only_columns_write_has_no_key_in_hand(kind: pa.DataType) -> None:
    assert row_key(["a"], pa.schema([("a", kind)])) is None
