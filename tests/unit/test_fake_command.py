"""`mesh fake`: every form holds the same events, and what cannot be done is said."""

from __future__ import annotations

import json
from pathlib import Path

import fastavro
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.errors import UsageError
from mesh.testing import fake_events
from tests.unit.test_fake_events import ROOT

NAME = "operations.departures"


@pytest.fixture(autouse=True)
def _in_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def printed(*arguments: str) -> bytes:
    done = CliRunner().invoke(build(), ["fake", *arguments], catch_exceptions=False, standalone_mode=False)
    if isinstance(done.exception, Exception):
        raise done.exception
    return done.stdout_bytes


def test_json_is_one_event_a_line() -> None:
    rows = [json.loads(line) for line in printed(NAME, "-n", "3", "--seed", "9").splitlines()]

    assert [row["flight_id"] for row in rows] == [e["flight_id"] for e in fake_events(NAME, 3, seed=9)]


def test_avro_holds_the_same_events(tmp_path: Path) -> None:
    file = tmp_path / "events.avro"
    printed(NAME, "-n", "20", "--format", "avro", "-o", str(file))

    with file.open("rb") as opened:
        assert list(fastavro.reader(opened)) == fake_events(NAME, 20)


def test_arrow_holds_the_same_events() -> None:
    with pa.ipc.open_stream(printed(NAME, "-n", "20", "--format", "arrow")) as stream:
        assert stream.read_all().to_pylist() == fake_events(NAME, 20)


def test_a_contract_can_be_named_too() -> None:
    assert printed(f"{NAME}.v1", "-n", "2") == printed(NAME, "-n", "2")


def test_the_list_of_rules_can_be_broken_one_by_one() -> None:
    names = printed(NAME, "--break", "list").decode().splitlines()
    rows = printed(NAME, "--break", "all").splitlines()

    assert "destination matches its pattern" in names
    assert len(names) - 4 == len(rows)


def test_broken_events_are_not_published() -> None:
    with pytest.raises(UsageError) as caught:
        printed(NAME, "--break", "all", "--publish")
    assert caught.value.error_code == "MESH-U133"


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'operations\.departures'"):
        printed("operations.departurs")


def test_a_file_that_cannot_be_written_is_said_to_be() -> None:
    with pytest.raises(UsageError) as caught:
        printed(NAME, "-o", "/nowhere/events.json")
    assert caught.value.error_code == "MESH-U134"
