"""fleet.aircraft: the current record of every aircraft, by tail number."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import optional, required
from mesh.pipelines import source

EVENTS = pa.schema(
    [
        required("tail_number", pa.string()),
        optional("year_built", pa.int32()),
        required("aircraft_type", pa.string()),
        required("manufacturer", pa.string()),
        required("model", pa.string()),
        required("engines", pa.int32()),
        required("seats", pa.int32()),
        optional("cruise_speed_mph", pa.int32()),
        required("engine_type", pa.string()),
    ]
)
_COLUMNS = ("tailnum", "year", "type", "manufacturer", "model", "engines", "seats", "speed", "engine")


@source("fleet.aircraft")
def aircraft() -> Iterator[pa.Table]:
    """Every aircraft of the source by tail number, in chunks that match the contract."""
    planes = _source.read("planes.csv", dict(zip(_COLUMNS, EVENTS.types, strict=True)))
    events = pa.Table.from_arrays(planes.columns, schema=EVENTS)
    yield from _source.in_chunks(events.sort_by("tail_number"))
