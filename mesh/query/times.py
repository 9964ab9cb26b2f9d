"""Which times of publishing a condition leaves possible, asked of Arrow's own reasoning about conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

#: In milliseconds since 1970: beyond the year 2200, and few steps of halving away.
_END: Final = 2**43


def published_between(
    condition: pc.Expression, column: pa.Field, schema: pa.Schema
) -> tuple[int | None, int | None]:
    """The first possible time and the one to end before, in milliseconds; None where there is no bound.

    Every event that fulfils the condition lies between. The column counts microseconds.
    """
    place = pc.field(column.name)

    def possible(guarantee: pc.Expression) -> bool:
        files = fs.LocalFileSystem()
        parquet = ds.ParquetFileFormat()
        # Nothing is opened: Arrow leaves a fragment out when what is known of it rules the condition out.
        known = parquet.make_fragment("known", filesystem=files, partition_expression=guarantee)
        told = ds.FileSystemDataset([known], schema=schema, format=parquet, filesystem=files)
        return any(True for _ in told.get_fragments(filter=condition))

    def at(milliseconds: int) -> pa.Scalar:
        return pa.scalar(milliseconds * 1_000, column.type)

    first = _least(lambda time: possible(place < at(time + 1)))
    end = _least(lambda time: not possible(place >= at(time)))
    return first if first else None, end if end < _END else None


def _least(holds: Callable[[int], bool]) -> int:
    """The least time for which it holds; it holds for all later ones."""
    low, high = 0, _END
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
