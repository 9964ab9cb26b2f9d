"""The example's derived products, against Polars computing the same from the raw source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from domains.fleet.aircraft import aircraft
from domains.operations.departures import departures
from domains.punctuality.delay_causes import EVENTS, delay_causes, likely_cause
from domains.punctuality.route_delays import DelayTotals, Window, merged, summarise, to_event
from domains.weather.observations import observations
from mesh.product import Product, read_product
from tests.unit.test_example_declarations import properties
from tests.unit.test_example_events import chunks, departure_batches, events, raw

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime(2013, 7, 4, tzinfo=UTC)


def _departed() -> pl.DataFrame:
    """The source's departures with their instants."""
    scheduled = pl.col("time_hour") + pl.duration(minutes="minute")
    flights = (
        raw("flights.csv.zip").filter(pl.col("dep_time").is_not_null()).with_columns(scheduled_at=scheduled)
    )
    return flights.with_columns(departed_at=pl.col("scheduled_at") + pl.duration(minutes="dep_delay"))


def _weather(**measures: float | None) -> pa.Table:
    calm: dict[str, float | None] = {
        "wind_speed_mph": 5.0,
        "wind_gust_mph": None,
        "precipitation_inches": 0.0,
        "visibility_miles": 10.0,
    }
    return pa.table({name: pa.array([value], pa.float64()) for name, value in {**calm, **measures}.items()})


def _cause(age: int | None, **measures: float | None) -> str:
    (cause,) = likely_cause(_weather(**measures), pa.chunked_array([pa.array([age], pa.int32())])).to_pylist()
    return str(cause)


def _inputs() -> tuple[pa.Table, pa.Table]:
    return pa.concat_tables(chunks("weather.observations")), pa.concat_tables(chunks("fleet.aircraft"))


def test_delay_causes_are_what_polars_computes_from_the_source() -> None:
    wind = [pl.col(name).is_between(30, 200) for name in ("wind_speed", "wind_gust")]
    adverse = pl.any_horizontal(pl.col("visib") < 3, pl.col("precip") >= 0.1, *wind).fill_null(value=False)
    age = pl.col("scheduled_at").dt.year() - pl.col("year_built")
    cause = (
        pl.when(adverse)
        .then(pl.lit("weather"))
        .when(age >= 25)
        .then(pl.lit("aircraft-age"))
        .when(pl.col("visib").is_null() | age.is_null())
        .then(pl.lit("undetermined"))
        .otherwise(pl.lit("operations"))
    )
    planes = raw("planes.csv").select("tailnum", "manufacturer", year_built="year")
    weather = raw("weather.csv").drop("year", "month", "day", "hour")
    expected = (
        _departed()
        .filter(pl.col("dep_delay") >= 15)
        .join(weather, on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .select(
            *("carrier", "flight", "tailnum", "origin", "dest", "scheduled_at", "departed_at", "dep_delay"),
            *("temp", "wind_speed", "wind_gust", "precip", "visib", "manufacturer"),
            age=age,
            cause=cause,
        )
    )

    made = events("punctuality.delay-causes.v1").drop("flight_id")
    key = ["scheduled_at", "carrier", "flight_number", "origin"]
    assert made.sort(key).rows() == expected.sort("scheduled_at", "carrier", "flight", "origin").rows()


def test_delay_causes_have_exactly_the_columns_of_their_contract() -> None:
    declared = [(p["name"], not p["required"]) for p in properties("punctuality.delay-causes.v1")]

    assert [(field.name, field.nullable) for field in EVENTS] == declared


def test_late_departures_keep_their_order() -> None:
    batch = next(departure_batches())
    late = [row["flight_id"] for row in batch.to_pylist() if row["dep_delay_minutes"] >= 15]

    assert delay_causes(batch, *_inputs())["flight_id"].to_pylist() == late


def test_a_batch_without_late_departures_makes_no_events() -> None:
    batch = next(departure_batches())
    early = batch.filter(pa.array([row["dep_delay_minutes"] < 15 for row in batch.to_pylist()]))

    assert delay_causes(early, *_inputs()).num_rows == 0


def test_without_any_weather_or_aircraft_every_cause_is_undetermined() -> None:
    weather, aircraft = (table.slice(0, 0) for table in _inputs())

    causes = delay_causes(next(departure_batches()), weather, aircraft)["likely_cause"]
    assert set(causes.to_pylist()) == {"undetermined"}


@pytest.mark.parametrize(
    ("measures", "cause"),
    [
        ({"visibility_miles": 2.9}, "weather"),
        ({"visibility_miles": 3.0}, "operations"),
        ({"precipitation_inches": 0.1}, "weather"),
        ({"precipitation_inches": 0.09}, "operations"),
        ({"wind_speed_mph": 30.0}, "weather"),
        ({"wind_speed_mph": 29.9}, "operations"),
        ({"wind_gust_mph": 200.0}, "weather"),
        ({"wind_speed_mph": 1048.36058}, "operations"),
    ],
)
def test_weather_is_adverse_from_its_thresholds_on(measures: dict[str, float], cause: str) -> None:
    assert _cause(10, **measures) == cause


@pytest.mark.parametrize(("age", "cause"), [(24, "operations"), (25, "aircraft-age"), (None, "undetermined")])
def test_age_speaks_when_the_weather_does_not(age: int | None, cause: str) -> None:
    assert _cause(age) == cause


def test_weather_comes_before_age_and_age_before_not_knowing() -> None:
    nothing = {"wind_speed_mph": None, "precipitation_inches": None, "visibility_miles": None}

    assert _cause(None, visibility_miles=0.5) == "weather"
    assert _cause(30, **nothing) == "aircraft-age"
    assert _cause(10, **nothing) == "undetermined"


def test_route_delays_are_what_polars_computes_from_the_source() -> None:
    delay = pl.col("dep_delay")
    expected = (
        _departed()
        .group_by(pl.format("{}-{}", "origin", "dest"), start=pl.col("departed_at").dt.truncate("1d"))
        .agg(pl.len(), (delay >= 15).sum().alias("late"), (delay.sum() / pl.len()).alias("mean"), delay.max())
        .sort("origin", "start")
    )

    made = events("punctuality.route-delays.v1").sort("route", "window_start").drop("window_end")
    assert made.rows() == expected.rows()


def test_windows_hold_every_departure_once() -> None:
    assert events("punctuality.route-delays.v1")["departures"].sum() == 328_521


def test_totals_do_not_depend_on_how_departures_are_cut_into_batches() -> None:
    batch = next(departure_batches())
    cuts = [0, 1, 7, 20_000, batch.num_rows]
    parts = [summarise(batch.slice(start, end - start)) for start, end in pairwise(cuts)]

    windows: dict[Window, DelayTotals] = {}
    for part in reversed(parts):
        windows = merged(windows, part)
    assert windows == summarise(batch)


def test_a_departure_at_midnight_utc_opens_the_next_window() -> None:
    columns: dict[str, Any] = {
        "origin": ["EWR", "EWR"],
        "destination": ["IAH", "IAH"],
        "departed_at": pa.array([DAY - timedelta(minutes=1), DAY], pa.timestamp("us", "UTC")),
        "dep_delay_minutes": pa.array([20, 14], pa.int32()),
    }

    assert summarise(pa.RecordBatch.from_pydict(columns)) == {
        ("EWR-IAH", DAY - timedelta(days=1)): DelayTotals(departures=1, late=1, sum_delay=20, max_delay=20),
        ("EWR-IAH", DAY): DelayTotals(departures=1, late=0, sum_delay=14, max_delay=14),
    }


def test_merging_totals_adds_counts_and_keeps_the_longest_delay() -> None:
    early = DelayTotals(departures=2, late=0, sum_delay=-9, max_delay=-2)
    late = DelayTotals(departures=1, late=1, sum_delay=40, max_delay=40)

    both = DelayTotals(departures=3, late=1, sum_delay=31, max_delay=40)
    assert early.merge(late) == late.merge(early) == both


def test_the_event_of_a_window_has_the_fields_of_the_contract() -> None:
    event = to_event("EWR-IAH", DAY, DelayTotals(departures=4, late=1, sum_delay=33, max_delay=30))

    assert list(event) == [p["name"] for p in properties("punctuality.route-delays.v1")]
    assert (event["window_end"], event["mean_delay_minutes"]) == (DAY + timedelta(days=1), 8.25)


def test_delay_causes_reads_only_the_properties_that_its_input_ports_name() -> None:
    ports = {p.contract_id: list(p.fields) for p in product_file("delay-causes").input_ports}
    batch = next(iter(departures())).combine_chunks().to_batches()[0]
    weather, fleet = pa.concat_tables(observations()), pa.concat_tables(aircraft())

    whole = delay_causes(batch, weather, fleet)
    named = delay_causes(
        batch.select(ports["operations.departures.v1"]),
        weather.select(ports["weather.observations.v1"]),
        fleet.select(ports["fleet.aircraft.v1"]),
    )

    assert named.equals(whole)


def test_route_delays_reads_only_the_properties_that_its_input_port_names() -> None:
    (port,) = product_file("route-delays").input_ports
    batch = next(iter(departures())).combine_chunks().to_batches()[0]

    assert summarise(batch.select(list(port.fields))) == summarise(batch)


def product_file(name: str) -> Product:
    file = ROOT / "domains" / "punctuality" / f"{name}.odps.yaml"
    return read_product(file.read_bytes(), file.name)
