"""Times that everybody has words for: of the years 1 to 9999.

Avro's longs reach much farther. Python, JSON and RFC 3339 do not, so a reader who asks for rows could not be
given such an event; nobody publishes one, and one that comes from elsewhere is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mesh.errors import EventError

#: where Avro and Arrow count from: an instant, a local time, and a day by Python's own count
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH: Final = datetime(1970, 1, 1)
EPOCH_DAY: Final = EPOCH.toordinal()
_FIRST_DAY, _LAST_DAY = date.min.toordinal() - EPOCH_DAY, date.max.toordinal() - EPOCH_DAY
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}


def rows_beyond(events: pa.RecordBatch) -> list[int]:
    """The rows, from 0, that hold a date or time outside these years."""
    return sorted({row for column in events.columns for row in _beyond(column, 0)})


def beyond(row: int) -> EventError:
    """Why such a row is no event of the mesh."""
    return EventError(
        "a time lies outside the years 1 to 9999",
        code="MESH-E046",
        where=f"row {row}",
        why="Python, JSON and RFC 3339 have no words for it",
        fix="leave the field empty where no time is known, instead of a largest or smallest number",
    )


def _beyond(column: pa.Array, start: int) -> Iterator[int]:
    """The rows of such values, counted from `start`; those that lie deeper are found by halving."""
    if all(_within(leaf) for leaf in _leaves(column)):
        return
    if not pa.types.is_nested(column.type):
        low, high = bounds(column.type)
        numbers = _numbers(column)
        outside = pc.or_(pc.less(numbers, low), pc.greater_equal(numbers, high))
        yield from pc.indices_nonzero(outside).to_pylist()  # a flat column is never halved
    elif len(column) == 1:
        yield start
    else:
        middle = len(column) // 2
        yield from _beyond(column.slice(0, middle), start)
        yield from _beyond(column.slice(middle), start + middle)


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    kind = array.type
    if pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _leaves(part)
    elif pa.types.is_map(kind):
        first, end = array.offsets[0].as_py(), array.offsets[-1].as_py()
        yield from _leaves(array.items.slice(first, end - first))
    elif pa.types.is_list(kind):
        yield from _leaves(array.flatten())
    elif pa.types.is_date32(kind) or (pa.types.is_timestamp(kind) and kind.unit != "ns"):
        yield array


def _within(times: pa.Array) -> bool:
    first, end = bounds(times.type)
    found = pc.min_max(_numbers(times))
    low, high = found["min"].as_py(), found["max"].as_py()
    return low is None or (low >= first and high < end)


def _numbers(times: pa.Array) -> pa.Array:
    return times.view(pa.int32() if pa.types.is_date32(times.type) else pa.int64())


def bounds(kind: pa.DataType) -> tuple[int, int]:
    """The first number of these years, and the first behind them."""
    unit = 1 if pa.types.is_date32(kind) else _A_DAY[kind.unit]
    return _FIRST_DAY * unit, (_LAST_DAY + 1) * unit
