"""punctuality.delay-causes: late departures with the weather and the aircraft they met.

A departure is late from LATE_MINUTES on. `likely_cause` is the first of these that holds:

1. `weather`       the origin reported, in the scheduled hour, visibility under 3 miles, precipitation of
                   0.1 inch or more, or wind or gusts from 30 mph up to 200 mph (more is a broken instrument)
2. `aircraft-age`  the aircraft was built 25 or more years before
3. `undetermined`  weather or year built is unknown, so neither can be excluded
4. `operations`    both are known and neither explains it: crew, ground, traffic, a late inbound aircraft

A rule of thumb for triage, made of thresholds that anybody can check; not an investigation.
"""

from __future__ import annotations

import pyarrow as pa

from domains._columns import INSTANT, Column, compute, optional, required
from mesh.pipelines import pipeline

LATE_MINUTES = 15
LOW_VISIBILITY_MILES = 3.0
HEAVY_PRECIPITATION_INCHES = 0.1
STRONG_WIND_MPH = 30.0
IMPOSSIBLE_WIND_MPH = 200.0
OLD_AIRCRAFT_YEARS = 25

_FROM_DEPARTURE = (
    "flight_id",
    "carrier",
    "flight_number",
    "tail_number",
    "origin",
    "destination",
    "scheduled_at",
    "departed_at",
    "dep_delay_minutes",
)
_FROM_WEATHER = (
    "temperature_fahrenheit",
    "wind_speed_mph",
    "wind_gust_mph",
    "precipitation_inches",
    "visibility_miles",
)
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
        *(optional(name, pa.float64()) for name in _FROM_WEATHER),
        optional("manufacturer", pa.string()),
        optional("aircraft_age_years", pa.int32()),
        required("likely_cause", pa.string()),
    ]
)


@pipeline(
    "punctuality.delay-causes",
    reads="operations.departures",
    tables=("weather.observations", "fleet.aircraft"),
)
def delay_causes(departures: pa.RecordBatch, weather: pa.Table, aircraft: pa.Table) -> pa.Table:
    """The late ones among `departures`, in their order, each with weather, aircraft and likely cause.

    `weather` and `aircraft` hold the events of weather.observations and fleet.aircraft, one per key.
    """
    late = departures.filter(compute.greater_equal(departures["dep_delay_minutes"], LATE_MINUTES))
    scheduled_hour = compute.floor_temporal(late["scheduled_at"], unit="hour")
    # Both look-ups keep the order of the departures, which a hash join would not.
    observed = _hour_key(weather["origin"], weather["observed_at"])
    observation = compute.index_in(_hour_key(late["origin"], scheduled_hour), observed)
    met = weather.select(_FROM_WEATHER).take(observation)
    flown = aircraft.select(("manufacturer", "year_built")).take(
        compute.index_in(late["tail_number"], aircraft["tail_number"])
    )
    age = _age(late["scheduled_at"], flown["year_built"])
    columns = [
        *(late[name] for name in _FROM_DEPARTURE),
        *(met[name] for name in _FROM_WEATHER),
        flown["manufacturer"],
        age,
        likely_cause(met, age),
    ]
    return pa.Table.from_arrays(columns, schema=EVENTS)


def likely_cause(weather: pa.Table, age_years: Column) -> Column:
    """The cause per row by the rule above; a null measurement speaks neither for nor against."""
    adverse = _any(
        compute.less(weather["visibility_miles"], LOW_VISIBILITY_MILES),
        compute.greater_equal(weather["precipitation_inches"], HEAVY_PRECIPITATION_INCHES),
        _strong(weather["wind_speed_mph"]),
        _strong(weather["wind_gust_mph"]),
    )
    old = _any(compute.greater_equal(age_years, OLD_AIRCRAFT_YEARS))
    # The contract of weather.observations requires visibility, so its absence means: no observation.
    unknown = _any(compute.is_null(weather["visibility_miles"]), compute.is_null(age_years))
    rest = compute.if_else(unknown, "undetermined", "operations")
    return compute.if_else(adverse, "weather", compute.if_else(old, "aircraft-age", rest))


def _strong(wind_mph: Column) -> Column:
    possible = compute.less_equal(wind_mph, IMPOSSIBLE_WIND_MPH)
    return compute.and_(compute.greater_equal(wind_mph, STRONG_WIND_MPH), possible)


def _any(*conditions: Column) -> Column:
    holds = compute.fill_null(conditions[0], False)
    for condition in conditions[1:]:
        holds = compute.or_(holds, compute.fill_null(condition, False))
    return holds


def _hour_key(origin: Column, hour: Column) -> Column:
    microseconds = hour.cast(pa.int64()).cast(pa.string())
    return compute.binary_join_element_wise(origin, microseconds, " ")


def _age(at: Column, year_built: Column) -> Column:
    return compute.subtract(compute.year(at).cast(pa.int32()), year_built)
