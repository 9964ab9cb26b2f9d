"""Times outside the years 1 to 9999: nobody publishes them, and nobody is given them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from mesh.years import rows_beyond

TIME = pa.timestamp("us", "UTC")
#: the last microsecond that Python knows, as a number from 1970
LAST = 253_402_300_800_000_000 - 1
FIRST = -62_135_596_800_000_000


def batch(array: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([array], ["at"])


@pytest.mark.parametrize("number", [FIRST, 0, LAST])
def test_the_first_and_the_last_moment_are_within(number: int) -> None:
    found = batch(pa.array([number, None], TIME))
    assert rows_beyond(found) == []
    assert found.to_pylist()[0]["at"] is not None


@pytest.mark.parametrize("number", [FIRST - 1, LAST + 1, 2**63 - 1, -(2**63)])
def test_one_step_farther_is_beyond(number: int) -> None:
    assert rows_beyond(batch(pa.array([0, number, 5], TIME))) == [1]


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        (pa.timestamp("ms"), 253_402_300_800_000 - 1),
        (pa.timestamp("s", "UTC"), 253_402_300_800 - 1),
        (pa.date32(), (date.max - date(1970, 1, 1)).days),
    ],
)
def test_every_unit_ends_with_the_same_day(kind: pa.DataType, last: int) -> None:
    assert rows_beyond(batch(pa.array([last, last + 1], kind))) == [1]


def test_a_time_inside_lists_maps_and_records_counts_for_its_row() -> None:
    kind = pa.struct([("spans", pa.list_(pa.struct([("at", TIME)]))), ("by", pa.map_(pa.string(), TIME))])
    rows = [
        {"spans": [{"at": 1}, {"at": LAST}], "by": [("a", 1)]},
        {"spans": [{"at": LAST + 1}], "by": []},
        None,
        {"spans": [], "by": [("a", FIRST - 1)]},
    ]
    assert rows_beyond(batch(pa.array(rows, kind))) == [1, 3]


def test_nanoseconds_end_before_the_years_do() -> None:
    assert rows_beyond(batch(pa.array([2**63 - 1, -(2**63)], pa.timestamp("ns")))) == []


def test_what_is_no_time_is_never_looked_at() -> None:
    assert rows_beyond(batch(pa.array([2**63 - 1]))) == []
    assert rows_beyond(batch(pa.array([datetime.now(UTC)], TIME))) == []
