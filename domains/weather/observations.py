"""weather.observations: what the station of an airport measured in one hour."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from domains import _source
from domains._columns import INSTANT, Column, compute, optional, required
from mesh.pipelines import source

EVENTS = pa.schema(
    [
        required("origin", pa.string()),
        required("observed_at", INSTANT),
        required("local_hour", pa.string()),
        optional("temperature_fahrenheit", pa.float64()),
        optional("dew_point_fahrenheit", pa.float64()),
        optional("relative_humidity_percent", pa.float64()),
        optional("wind_direction_degrees", pa.int32()),
        optional("wind_speed_mph", pa.float64()),
        optional("wind_gust_mph", pa.float64()),
        required("precipitation_inches", pa.float64()),
        optional("pressure_millibars", pa.float64()),
        required("visibility_miles", pa.float64()),
    ]
)
_MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_CLOCK = ("year", "month", "day", "hour")
_COLUMNS: dict[str, pa.DataType] = {
    "origin": pa.string(),
    "time_hour": INSTANT,
    **dict.fromkeys(_CLOCK, pa.int32()),
    **dict(zip(_MEASURES, EVENTS.types[3:], strict=True)),
}


@source("weather.observations")
def observations() -> Iterator[pa.Table]:
    """All observations in the order in which they were made, in chunks that match the contract."""
    weather = _source.read("weather.csv", _COLUMNS)
    measures = [weather[name] for name in _MEASURES]
    events = pa.Table.from_arrays(
        [weather["origin"], weather["time_hour"], _local_hour(weather), *measures], schema=EVENTS
    )
    yield from _source.in_chunks(events.sort_by([("observed_at", "ascending"), ("origin", "ascending")]))


def _local_hour(weather: pa.Table) -> Column:
    """`2013-11-03T01:00`: the reading of the airport's clock, so that its repeated hour stays visible."""
    year, month, day, hour = (compute.utf8_lpad(weather[name].cast(pa.string()), 2, "0") for name in _CLOCK)
    date = compute.binary_join_element_wise(year, month, day, "-")
    return compute.binary_join_element_wise(date, compute.binary_join_element_wise(hour, "00", ":"), "T")
