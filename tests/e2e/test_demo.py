"""`mesh demo` on the whole year: what it published and derived, against the source itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domains import _source
from mesh.config import Settings
from mesh.connection import Mesh
from mesh_platform.brokers import start_embedded
from mesh_platform.processes import ManagedProcess, Program, json_line

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("demo")]

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = {
    "fleet.aircraft": 3_322,
    "network.airports": 1_458,
    "network.carriers": 16,
    "operations.cancellations": 8_255,
    "operations.departures": 328_521,
    "weather.observations": 26_115,
}
LATE_MINUTES = 15


#: A folder where somebody has just told the demo: the tests look at that one instead of telling it again.
TOLD = "TESTS_DEMO"


@dataclass(frozen=True)
class Told:
    """A demo that has ended well or not: its figures, and its state folder."""

    state: Path
    report: dict[str, Any]


def command(state: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "mesh.cli", "demo", "--state", str(state), *more]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose PATH holds nothing: no java, no docker."""
    env = {**os.environ, "PATH": str(tmp_path_factory.mktemp("path"))}
    for name in ("JAVA_HOME", "MESH_KAFKA_BOOTSTRAP", "MESH_STATE", "MESH_PLATFORM_URL", "MESH_TOKEN"):
        env.pop(name, None)
    return env


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, bare: dict[str, str]) -> Told:
    if TOLD in os.environ:
        state = ROOT / os.environ[TOLD]
        return Told(state, json.loads((state / "report.json").read_text()))
    state = tmp_path_factory.mktemp("demo") / "state"
    done = subprocess.run(
        command(state, "--json"),
        cwd=ROOT,
        env=bare,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Told(state, json.loads(done.stdout))


@pytest.fixture(scope="module")
def mesh(told: Told) -> Iterator[Mesh]:
    """The mesh that the demo left, started again on its state."""
    with start_embedded(told.state) as broker:
        argv = [
            sys.executable,
            "-m",
            "mesh.cli",
            "serve",
            "--state",
            str(told.state),
            "--port",
            "0",
            "--no-quality",
        ]
        argv += ["--bootstrap", broker.bootstrap, "--exit-with-parent"]
        with ManagedProcess(Program(name="again", argv=argv, state_dir=told.state), json_line) as platform:
            url = str(platform.ready["url"])
            token = (told.state / "token").read_text().strip()
            with Mesh(Settings(broker.bootstrap, url, f"{url}/registry", token)) as connected:
                yield connected


@pytest.fixture(scope="module")
def flights() -> pl.DataFrame:
    """The source as it is, read by Polars alone."""
    import zipfile

    with (
        zipfile.ZipFile(_source.folder() / "flights.csv.zip") as archive,
        archive.open("flights.csv") as file,
    ):
        return pl.read_csv(file.read(), null_values="NA", infer_schema_length=None)


def test_it_ends_by_itself_and_holds(told: Told) -> None:
    assert told.report["holds"] is True
    assert not _alive(told.state)


@pytest.mark.parametrize(("product", "rows"), PUBLISHED.items())
def test_a_topic_holds_exactly_the_rows_of_its_source(
    told: Told, mesh: Mesh, product: str, rows: int
) -> None:
    assert told.report["products"][product]["published"] == rows
    assert mesh.read(product).to_arrow().num_rows == rows


def test_departures_and_cancellations_are_all_flights(mesh: Mesh, flights: pl.DataFrame) -> None:
    departed = mesh.read("operations.departures").to_polars()
    cancelled = mesh.read("operations.cancellations").to_polars()
    assert departed.height + cancelled.height == flights.height == 336_776
    assert departed["dep_delay_minutes"].sum() == flights["dep_delay"].sum()
    assert departed["distance_miles"].sum() + cancelled["distance_miles"].sum() == flights["distance"].sum()


def test_route_delays_agree_with_polars_on_the_source(mesh: Mesh, flights: pl.DataFrame) -> None:
    departed = flights.filter(pl.col("dep_time").is_not_null()).with_columns(
        pl.col("time_hour").str.to_datetime(time_zone="UTC")
        + pl.duration(minutes=pl.col("minute") + pl.col("dep_delay"))
    )
    expected = (
        departed.group_by(
            route=pl.concat_str("origin", "dest", separator="-"),
            window_start=pl.col("time_hour").dt.truncate("1d"),
        )
        .agg(
            departures=pl.len().cast(pl.Int64),
            late_departures=(pl.col("dep_delay") >= LATE_MINUTES).sum().cast(pl.Int64),
            mean_delay_minutes=pl.col("dep_delay").mean(),
            max_delay_minutes=pl.col("dep_delay").max().cast(pl.Int64),
        )
        .sort("route", "window_start")
    )
    updates = mesh.read("punctuality.route-delays").to_polars()
    latest = updates.unique(["route", "window_start"], keep="last", maintain_order=True).sort(
        "route", "window_start"
    )
    found = latest.select(expected.columns).with_columns(
        pl.col("departures", "late_departures", "max_delay_minutes").cast(pl.Int64)
    )
    assert found.height == expected.height == 62_836
    exact = ["route", "window_start", "departures", "late_departures", "max_delay_minutes"]
    assert found.select(exact).equals(expected.select(exact).cast(found.select(exact).schema))
    assert (found["mean_delay_minutes"] - expected["mean_delay_minutes"]).abs().max() < 1e-9


def test_delay_causes_agree_with_polars_on_the_source(mesh: Mesh, flights: pl.DataFrame) -> None:
    late = flights.filter(pl.col("dep_delay") >= LATE_MINUTES)
    weather = pl.read_csv(_source.folder() / "weather.csv", null_values="NA", infer_schema_length=None)
    joined = late.join(weather.unique(["origin", "time_hour"]), on=["origin", "time_hour"], how="left")
    causes = mesh.read("punctuality.delay-causes").to_polars()
    assert causes.height == late.height == 72_914
    assert causes["flight_id"].n_unique() == causes.height
    assert causes["wind_speed_mph"].null_count() == joined["wind_speed"].null_count()
    assert causes["wind_speed_mph"].sum() == pytest.approx(joined["wind_speed"].sum())


def test_quality_found_the_flaws_of_the_data(told: Told) -> None:
    failing = told.report["quality"]["failing"]
    assert "tail-number-present" in failing["operations.cancellations.v1"]
    assert "wind-speed-possible" in failing["weather.observations.v1"]
    assert "cruise-speed-known" in failing["fleet.aircraft.v1"]
    assert told.report["quality"]["windows"]["unknown"] == 0


def test_the_registry_holds_what_was_approved_and_nothing_else(mesh: Mesh) -> None:
    subject = mesh.registry.subject("operations.departures.v1-value")
    assert subject is not None
    assert len(subject.versions) == 2
    assert '"gate"' in subject.schemas[-1].text


def test_an_official_client_reads_the_same_records(mesh: Mesh) -> None:
    reader = Path(__file__).with_name("official_reader.py")
    where = mesh.settings
    argv = [
        sys.executable,
        str(reader),
        where.bootstrap,
        where.registry_url,
        where.token,
        "network.airports.v1",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    official = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [
        json.loads(json.dumps(row, default=str, sort_keys=True))
        for row in mesh.read("network.airports").rows()
    ]
    assert len(official) == PUBLISHED["network.airports"]
    assert sorted(official, key=str) == sorted(ours, key=str)


def test_the_refused_event_lies_in_the_dead_letters_with_its_reason(mesh: Mesh) -> None:
    from mesh.adapters.kafka_receiver import BoundedReceiver

    receiver = BoundedReceiver(mesh.settings.bootstrap, "operations.departures.v1.dlq")
    letters = []
    while not receiver.at_end():
        letters += receiver.take(100, 1.0)
    receiver.close()
    (letter,) = letters
    headers = dict(letter.headers() or [])
    assert headers["mesh.dlq.code"] == b"MESH-E020"
    assert b"distance_miles" in (headers["mesh.dlq.why"] or b"")


def test_a_second_run_on_old_state_starts_anew_and_ctrl_c_ends_it_in_order(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    state = tmp_path / "state"
    for seconds in (0.4, 2.5, 6.0):
        child = subprocess.Popen(
            command(state, "--no-serve"),
            cwd=ROOT,
            env=bare,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(seconds)
        child.send_signal(signal.SIGINT)
        _, story = child.communicate(timeout=120)
        # Before the command has begun there is nobody to answer but Python: that is -SIGINT, and its trace.
        assert child.returncode in (130, -signal.SIGINT), story
        assert "Traceback" not in story or (child.returncode != 130 and "/mesh/cli/" not in story), story
        assert not _alive(state), f"something still runs after {seconds} s"


def _alive(state: Path) -> list[str]:
    """Processes whose command names the state folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(state) in line:
            found.append(line)
    return found
