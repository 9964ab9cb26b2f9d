"""Times that everybody has words for: of the years 1 to 9999.

Avro's longs reach much farther. Python, JSON and RFC 3339 do not, so a reader who asks for rows could not be
given such an event; nobody publishes one, and one that comes from elsewhere is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from mesh.errors import EventError

_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = (date.min - _EPOCH).days, (date.max - _EPOCH).days
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}


def rows_beyond(events: pa.RecordBatch) -> list[int]:
    """The rows, from 0, that hold a date or time outside these years."""
    if all(_holds(column) for column in events.columns):
        return []
    return [row for row in range(events.num_rows) if not _speakable(events.slice(row, 1))]


def beyond(row: int) -> EventError:
    """Why such a row is no event of the mesh."""
    return EventError(
        "a time lies outside the years 1 to 9999",
        code="MESH-E046",
        where=f"row {row}",
        why="Python, JSON and RFC 3339 have no words for it",
        fix="leave the field empty where no time is known, instead of a largest or smallest number",
    )


def _holds(array: pa.Array) -> bool:
    return all(_within(leaf) for leaf in _leaves(array))


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
    if pa.types.is_date32(times.type):
        numbers, first, end = times.view(pa.int32()), _FIRST_DAY, _LAST_DAY + 1
    else:
        a_day = _A_DAY[times.type.unit]
        numbers, first, end = times.view(pa.int64()), _FIRST_DAY * a_day, (_LAST_DAY + 1) * a_day
    bounds = pc.min_max(numbers)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    return low is None or (low >= first and high < end)


def _speakable(row: pa.RecordBatch) -> bool:
    return all(_holds(column) for column in row.columns)
