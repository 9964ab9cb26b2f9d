"""network.airports: the current record of every airport, by FAA code."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import optional, required
from mesh.pipelines import source

EVENTS = pa.schema(
    [
        required("faa", pa.string()),
        required("name", pa.string()),
        required("latitude", pa.float64()),
        required("longitude", pa.float64()),
        required("altitude_feet", pa.int32()),
        required("utc_offset_hours", pa.int32()),
        required("daylight_saving", pa.string()),
        optional("time_zone", pa.string()),
    ]
)
_COLUMNS = ("faa", "name", "lat", "lon", "alt", "tz", "dst", "tzone")


@source("network.airports")
def airports() -> Iterator[pa.Table]:
    """Every airport of the source by FAA code, in chunks that match the contract."""
    table = _source.read("airports.csv", dict(zip(_COLUMNS, EVENTS.types, strict=True)))
    events = pa.Table.from_arrays(table.columns, schema=EVENTS)
    yield from _source.in_chunks(events.sort_by("faa"))
