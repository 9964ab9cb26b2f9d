"""The text of an instant, whatever its unit and year."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.event.instants import instants_as_text


@given(
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.lists(st.none() | st.integers(-(2**62), 2**62) | st.integers(-(10**9), 10**15), max_size=4),
)
def test_an_instant_is_written_as_strftime_writes_it(unit: str, counts: list[int | None]) -> None:
    counts = [None if n is None else n // (10**6 if unit in ("s", "ms") else 1) for n in counts]
    column = pa.array(counts, pa.timestamp(unit, "UTC"))
    assert instants_as_text(column).equals(pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ"))


@pytest.mark.parametrize(
    ("unit", "text"), [("us", "1970-01-01T00:00:01.000000Z"), ("s", "1970-01-01T00:00:01Z")]
)
def test_an_instant_has_as_many_decimals_as_its_unit(unit: str, text: str) -> None:
    second = {"us": 1_000_000, "s": 1}[unit]
    assert instants_as_text(pa.array([second], pa.timestamp(unit, "UTC"))).to_pylist() == [text]
