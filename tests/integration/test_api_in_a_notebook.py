"""The API as architecture and README show it: as a script, inside a running event loop, and what cells show.

A notebook runs its cells inside a running event loop, and shows the last value of a cell by `_repr_html_`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mesh
from mesh.cli.cat import cat
from mesh.cli.sql import sql
from mesh.cli.tail import tail
from mesh.connection import Mesh
from mesh.errors import UsageError
from mesh.testing import fake_events, start_broker, start_mesh

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = "operations.departures"
AVERAGES = "select carrier, avg(dep_delay_minutes) from operations.departures group by 1"
COUNT = 50


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The example mesh, found by its environment as a notebook finds it."""
    folder = tmp_path_factory.mktemp("mesh")
    with (
        start_broker() as broker,
        start_mesh(broker, folder, declared=ROOT) as found,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("MESH_KAFKA_BOOTSTRAP", found.settings.bootstrap)
        environment.setenv("MESH_PLATFORM_URL", found.settings.platform_url)
        environment.setenv("MESH_TOKEN", found.settings.token)
        with mesh.publisher(PRODUCT) as publish:
            publish.many(fake_events(PRODUCT, COUNT, folder=ROOT))
        yield found


def as_written() -> Any:
    """What the architecture shows, and one way out of the endless loop."""
    departure, *frame = fake_events(PRODUCT, 5, seed=1, folder=ROOT)
    with mesh.publisher(PRODUCT) as publish:
        publish(departure)
        publish.many(frame)

    for batch in mesh.subscribe(PRODUCT, group="punctuality.reports").batches():
        frame = batch.to_polars()
        assert len(frame) == batch.to_arrow().num_rows == len(batch.to_pandas()) == len(batch.rows())
        break

    return mesh.sql(AVERAGES)


def test_the_api_works_as_it_is_written(connected: Mesh) -> None:
    assert as_written().columns == ("carrier", "avg(dep_delay_minutes)")


def test_the_api_works_where_an_event_loop_runs_already(connected: Mesh) -> None:
    async def cell() -> Any:
        return as_written()

    assert len(asyncio.run(cell()).rows()) > 1


def test_the_api_works_from_asyncio(connected: Mesh) -> None:
    async def cell() -> int:
        rows = fake_events(PRODUCT, 5, seed=2, folder=ROOT)
        async with mesh.apublisher(PRODUCT) as publish:
            await publish.many(rows)
        async with mesh.asubscribe(PRODUCT, group="punctuality.async-reports") as departures:
            async for batch in departures.batches():
                return len(batch)
        return 0

    assert asyncio.run(cell()) > 0


def test_a_cell_shows_what_it_ends_with(connected: Mesh) -> None:
    for value in (mesh.sql(AVERAGES), mesh.read(PRODUCT, fields=["carrier"])):
        shown = value._repr_html_()
        assert shown.startswith("<table><thead><tr><th>carrier</th>")
        assert "carrier" in repr(value)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_sql_prints_a_table(connected: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    sql("select count(*) > 1 as many from operations.departures")
    assert printed(capsys) == ["many", "true"]


def test_sql_prints_one_json_document(connected: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    sql("select 1 as one, null as two, 'ä' as three", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["format_version"] == 1
    assert told["rows"] == [{"one": 1, "two": None, "three": "ä"}]
    assert [column["name"] for column in told["columns"]] == ["one", "two", "three"]


def test_sql_prints_csv(connected: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    sql("select 'a,b' as text, timestamptz '2026-01-01 00:00:00+00' as at_noon, [1, 2] as l", as_csv=True)
    assert printed(capsys) == ["text,at_noon,l", '"a,b",2026-01-01T00:00:00+00:00,"[1, 2]"']


def test_an_answer_has_one_form(connected: Mesh) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        sql("select 1", as_json=True, as_csv=True)


def test_cat_writes_every_event_as_a_line_of_json(
    connected: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    cat(PRODUCT, fields="carrier, dep_delay_minutes")
    lines = [json.loads(line) for line in printed(capsys)]
    assert len(lines) >= COUNT
    assert {tuple(sorted(line)) for line in lines} == {("carrier", "dep_delay_minutes")}


def test_tail_begins_with_the_last_events_and_ends_after_so_many(
    connected: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    tail(PRODUCT, last=3, count=2)
    assert len(printed(capsys)) == 2
    tail(PRODUCT, since="1h", count=COUNT)
    assert len(printed(capsys)) == COUNT


def test_tail_on_a_terminal_is_a_table(
    connected: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    tail(PRODUCT, last=2, fields="carrier", count=2)
    head, *lines = printed(capsys)
    assert head.split() == ["published", "carrier"]
    assert len(lines) == 2


def command(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mesh.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )


def test_ctrl_c_ends_tail_with_130(connected: Mesh) -> None:
    following = command("tail", PRODUCT, "-n", "1")
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=60) == (b"", b"")
    assert following.returncode == 130


def test_a_reader_that_goes_away_is_no_error(connected: Mesh) -> None:
    with mesh.publisher(PRODUCT) as publish:
        publish.many(fake_events(PRODUCT, 2_000, seed=3, folder=ROOT))
    writing = command("cat", PRODUCT)
    assert writing.stdout is not None
    assert writing.stdout.readline()
    writing.stdout.close()
    assert writing.stderr is not None
    assert writing.stderr.read() == b""
    writing.stderr.close()
    assert writing.wait(60) == 0
