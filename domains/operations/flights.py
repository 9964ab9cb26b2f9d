"""Flights as the source records them: one row per scheduled flight, identified and placed in time."""

from __future__ import annotations

import pyarrow as pa

from domains import _source
from domains._columns import INSTANT, Column, compute

MINUTE = 60_000_000  #: in microseconds
_COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(("year", "month", "day", "minute", "flight"), pa.int32()),
    **dict.fromkeys(("dep_time", "dep_delay", "arr_delay", "air_time", "distance"), pa.int32()),
    **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), pa.string()),
    "time_hour": INSTANT,
}


def departed_flights() -> pa.Table:
    """Flights that left the gate."""
    flights = _source.read("flights.csv.zip", _COLUMNS)
    return flights.filter(compute.is_valid(flights["dep_time"]))


def cancelled_flights() -> pa.Table:
    """Flights that never left: the source gives them no departure time."""
    flights = _source.read("flights.csv.zip", _COLUMNS)
    return flights.filter(compute.is_null(flights["dep_time"]))


def flight_id(flights: pa.Table) -> Column:
    """`2013-01-01/UA/1545/EWR`: local date, carrier, flight number, origin; unique in the source."""
    number = {name: compute.cast(flights[name], pa.string()) for name in ("year", "month", "day", "flight")}
    month, day = (compute.utf8_lpad(number[name], 2, "0") for name in ("month", "day"))
    date = compute.binary_join_element_wise(number["year"], month, day, "-")
    return compute.binary_join_element_wise(
        date, flights["carrier"], number["flight"], flights["origin"], "/"
    )


def scheduled_at(flights: pa.Table) -> Column:
    """When the flight was to leave, in UTC."""
    return later(flights["time_hour"], flights["minute"])


def later(instant: Column, minutes: Column) -> Column:
    """`instant` moved by `minutes`, which may be negative.

    Adding a delay to an instant avoids the source's local clock readings, of which 29 say 24:00 and 1,236
    belong to the day after the one that they stand beside.
    """
    microseconds = compute.multiply(minutes.cast(pa.int64()), MINUTE)
    return compute.add(instant, microseconds.cast(pa.duration("us")))


def _text(numbers: Column) -> Column:
    return numbers.cast(pa.string())
