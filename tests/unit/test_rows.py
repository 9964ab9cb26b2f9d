"""Batches as rows: the same as pyarrow makes, whatever the columns hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.rows import rows_of_arrow

TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
    lambda time: time.replace(microsecond=0, tzinfo=UTC)
)
TIME = pa.timestamp("us", "UTC")
LINE = pa.struct([("sku", pa.string()), ("at", TIME), ("count", pa.int64())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("at", TIME),
        ("local", pa.timestamp("ms")),
        ("line", LINE),
        ("lines", pa.list_(LINE)),
        ("days", pa.list_(pa.timestamp("ms", "UTC"))),
        ("amount", pa.float64()),
        ("good", pa.bool_()),
        ("tags", pa.map_(pa.string(), pa.int32())),
    ]
)
LINES = st.none() | st.fixed_dictionaries(
    {"sku": st.none() | st.text("aé", max_size=3), "at": st.none() | TIMES, "count": st.integers(0, 9)}
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | st.text("aé", max_size=3),
            "at": st.none() | TIMES,
            "local": st.none() | TIMES.map(lambda time: time.replace(tzinfo=None)),
            "line": LINES,
            "lines": st.none() | st.lists(LINES, max_size=3),
            "days": st.none() | st.lists(st.none() | TIMES, max_size=3),
            "amount": st.none() | st.floats(allow_nan=False),
            "good": st.none() | st.booleans(),
            "tags": st.none() | st.dictionaries(st.text("aé", max_size=2), st.integers(0, 9), max_size=2),
        }
    ),
    max_size=8,
)


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.integers(0, 4))
def test_rows_are_what_pyarrow_makes_of_any_slice(rows: list[dict[str, Any]], start: int) -> None:
    part = batch_of(rows).slice(start)
    assert rows_of_arrow(part) == part.to_pylist()


def test_times_keep_their_microseconds_and_have_a_zone_where_the_column_has_one() -> None:
    at = datetime(2026, 1, 1, 12, 0, 0, 123_457, tzinfo=UTC)
    (row,) = rows_of_arrow(batch_of([{"at": at, "local": datetime(2026, 1, 1)}]))
    assert (row["at"], row["at"].utcoffset()) == (at, timedelta(0))
    assert row["local"].tzinfo is None


def test_a_batch_without_times_is_rows_too() -> None:
    batch = pa.RecordBatch.from_pylist([{"n": 1, "t": None}], schema=pa.schema({"n": "int8", "t": "string"}))
    assert rows_of_arrow(batch) == [{"n": 1, "t": None}]


def test_a_time_that_python_cannot_hold_is_refused_as_pyarrow_does() -> None:
    far = pa.RecordBatch.from_arrays([pa.array([2**62]).cast(pa.timestamp("us", "UTC"))], ["at"])
    with pytest.raises((OverflowError, ValueError)):
        rows_of_arrow(far)
