"""network.carriers: the current record of every airline, by carrier code."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import required
from mesh.pipelines import source

EVENTS = pa.schema(
    [
        required("code", pa.string()),
        required("name", pa.string()),
    ]
)
_COLUMNS = ("carrier", "name")


@source("network.carriers")
def carriers() -> Iterator[pa.Table]:
    """Every carrier of the source by code, in chunks that match the contract."""
    airlines = _source.read("airlines.csv", dict(zip(_COLUMNS, EVENTS.types, strict=True)))
    events = pa.Table.from_arrays(airlines.columns, schema=EVENTS)
    yield from _source.in_chunks(events.sort_by("code"))
