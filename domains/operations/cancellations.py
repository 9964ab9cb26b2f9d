"""operations.cancellations: one event per flight that was scheduled and never left."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import INSTANT, optional, required
from domains.operations.flights import cancelled_flights, flight_id, scheduled_at
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
        required("distance_miles", pa.int32()),
    ]
)


@source("operations.cancellations")
def cancellations() -> Iterator[pa.Table]:
    """All cancellations by scheduled departure, in chunks that match the contract."""
    flights = cancelled_flights()
    events = pa.Table.from_arrays(
        [
            flight_id(flights),
            flights["carrier"],
            flights["flight"],
            flights["tailnum"],
            flights["origin"],
            flights["dest"],
            scheduled_at(flights),
            flights["distance"],
        ],
        schema=EVENTS,
    )
    yield from _source.in_chunks(events.sort_by([("scheduled_at", "ascending"), ("flight_id", "ascending")]))
