"""operations.departures: one event per flight that left a New York airport."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import INSTANT, optional, required
from domains.operations.flights import departed_flights, flight_id, later, scheduled_at
from mesh.pipelines import source

EVENTS = pa.schema(
    [
        required("flight_id", pa.string()),
        required("carrier", pa.string()),
        required("flight_number", pa.int32()),
        optional("tail_number", pa.string()),
        required("origin", pa.string()),
        required("destination", pa.string()),
        required("scheduled_at", INSTANT),
        required("departed_at", INSTANT),
        required("dep_delay_minutes", pa.int32()),
        optional("arr_delay_minutes", pa.int32()),
        optional("air_time_minutes", pa.int32()),
        required("distance_miles", pa.int32()),
    ]
)


@source("operations.departures")
def departures() -> Iterator[pa.Table]:
    """All departures in the order in which they happened, in chunks that match the contract."""
    flights = departed_flights()
    scheduled = scheduled_at(flights)
    events = pa.Table.from_arrays(
        [
            flight_id(flights),
            flights["carrier"],
            flights["flight"],
            flights["tailnum"],
            flights["origin"],
            flights["dest"],
            scheduled,
            later(scheduled, flights["dep_delay"]),
            flights["dep_delay"],
            flights["arr_delay"],
            flights["air_time"],
            flights["distance"],
        ],
        schema=EVENTS,
    )
    yield from _source.in_chunks(events.sort_by([("departed_at", "ascending"), ("flight_id", "ascending")]))
