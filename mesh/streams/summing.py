"""The totals of a batch by the stream's own function; events that it refuses are set aside, one by one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from mesh.errors import EventError
from mesh.streams.model import Stateful

Id = TypeVar("Id", bound=Hashable)
Totals = TypeVar("Totals")

#: (row of the batch, why it is set aside)
Unfit = tuple[int, EventError]


def summarised(
    stream: Stateful[Id, Totals], events: pa.RecordBatch, tables: Sequence[pa.Table]
) -> tuple[Mapping[Id, Totals], list[Unfit]]:
    """The totals of all rows that `summarise` takes, and the others with its EventError.

    Halves what it refuses until single rows are left, so a few bad ones among thousands cost little.
    """
    unfit: list[Unfit] = []
    return _summarised(stream, events, 0, tables, unfit), unfit


def _summarised(
    stream: Stateful[Id, Totals],
    events: pa.RecordBatch,
    first: int,
    tables: Sequence[Any],
    unfit: list[Unfit],
) -> Mapping[Id, Totals]:
    if not events.num_rows:
        return {}
    try:
        return stream.summarise(events, *tables)
    except EventError as error:
        if events.num_rows == 1:
            unfit.append((first, error))
            return {}
    half = events.num_rows // 2
    totals = dict(_summarised(stream, events.slice(0, half), first, tables, unfit))
    for what, more in _summarised(stream, events.slice(half), first + half, tables, unfit).items():
        totals[what] = stream.merge(totals[what], more) if what in totals else more
    return totals
