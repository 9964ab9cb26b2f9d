"""The bytes of record keys: one part as its text, several so that no two keys share them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.keys import composite_key, record_keys

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
