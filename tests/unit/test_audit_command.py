"""`mesh backup`, `mesh restore`, `mesh audit`: what stands on stdout, exit codes, what refusals say."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.errors import MeshError
from mesh_platform import snapshots
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.log.snapshot import write_snapshot
from mesh_platform.snapshots import FILE, Snapshots, mark_of, views_of
from tests.unit.control_story import fill, records, story


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a platform ran and was stopped."""
    folder = tmp_path / ".mesh"
    monkeypatch.setenv("MESH_STATE", str(folder))
    log = SqliteLog(folder / "control.db")
    fill(log, records())
    log.close()
    return folder


def run(*arguments: str) -> str:
    """Standard output of a command that goes well."""
    result = CliRunner().invoke(build(), list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(code: str, *arguments: str) -> MeshError:
    result = CliRunner().invoke(build(), list(arguments))
    assert isinstance(result.exception, MeshError), result.output
    assert result.exception.error_code == code
    assert result.exception.fix
    assert result.stdout == ""
    return result.exception


def tamper(state: Path, statement: str) -> None:
    with sqlite3.connect(state / "control.db") as other:
        other.execute(statement)
    other.close()


def verified(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("audit", "verify", "--json", *arguments))
    return found


def write(state: Path) -> None:
    log = SqliteLog(state / "control.db")
    views = views_of(log)
    write_snapshot(state / FILE, mark_of(views), views.snapshot())
    log.close()


def test_a_log_that_nobody_touched_verifies(state: Path) -> None:
    found = verified()
    assert (found["format_version"], found["records"]) == ("1.0", len(story()))
    assert found["snapshot"] == "none in use"


def test_a_platform_may_run_while_its_log_is_verified_and_backed_up(state: Path, tmp_path: Path) -> None:
    control = ControlPlane(SqliteLog(state / "control.db"))
    control.submit_now("k", {}, "ann")
    assert verified()["records"] == len(story()) + 1
    assert json.loads(run("backup", str(tmp_path / "b"), "--json"))["records"] == len(story()) + 1
    control.close()


def test_what_was_touched_is_named_with_the_next_command(state: Path) -> None:
    tamper(state, "update control_log set actor = 'eve' where log_offset = 7")
    error = refused("MESH-S030", "audit", "verify")
    assert "record 7" in str(error.what)
    assert error.exit_code == 1


def test_a_head_that_was_noted_shows_that_the_end_is_missing(state: Path) -> None:
    head = verified()["head"]
    assert verified("--expect", head)["head"] == head
    tamper(state, f"delete from control_log where log_offset = {len(story()) - 1}")
    assert verified()["records"] == len(story()) - 1
    refused("MESH-S030", "audit", "verify", "--expect", head)


@pytest.mark.parametrize("text", ["7", "x:abc", ":", "-1:" + "0" * 64, "1:" + "g" * 64])
def test_an_expectation_of_no_sense_is_a_usage_error(state: Path, text: str) -> None:
    assert refused("MESH-U153", "audit", "verify", f"--expect={text}").exit_code == 2


def test_the_snapshot_is_compared_with_a_replay(state: Path) -> None:
    write(state)
    assert verified()["snapshot"] == "agrees with a whole replay"


def test_a_snapshot_that_says_otherwise_than_the_log_is_found(state: Path) -> None:
    log = SqliteLog(state / "control.db")
    views = views_of(log)
    log.close()
    forged = [part for part in views.snapshot() if part.view != "governance"]
    write_snapshot(state / FILE, mark_of(views), forged)
    error = refused("MESH-S031", "audit", "verify")
    assert f"rm {state / FILE}" in error.fix


def test_a_snapshot_shows_that_the_end_is_missing(state: Path) -> None:
    write(state)
    tamper(state, f"delete from control_log where log_offset = {len(story()) - 1}")
    assert "the snapshot" in refused("MESH-S030", "audit", "verify").why


def test_a_damaged_snapshot_is_passed_over(state: Path) -> None:
    write(state)
    (state / FILE).write_bytes((state / FILE).read_bytes()[:-40])
    assert verified()["snapshot"] == "none in use"


def test_a_platform_that_stopped_leaves_a_log_and_a_snapshot_that_agree(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "WORTH", 20)
    control = ControlPlane(SqliteLog(state / "control.db"), snapshots=Snapshots(state / FILE))
    for n in range(20):
        control.submit_now("k", {"n": n}, "ann")
    control.close()
    assert verified()["snapshot"] == "agrees with a whole replay"


def test_there_and_back(state: Path, tmp_path: Path) -> None:
    assert run("backup", str(tmp_path / "b")) == ""
    found = json.loads(run("restore", str(tmp_path / "b"), "--state", str(tmp_path / "new"), "--json"))
    assert found["records"] == len(story())
    assert verified("--state", str(tmp_path / "new"))["head"] == verified()["head"]


def test_restoring_over_a_log_names_the_option_that_would(state: Path, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "b"))
    error = refused("MESH-U151", "restore", str(tmp_path / "b"))
    assert error.fix.endswith("--replace")
    run("restore", str(tmp_path / "b"), "--replace")
    assert verified()["records"] == len(story())


@pytest.mark.parametrize("command", [["backup", "b"], ["audit", "verify"], ["audit", "log"]])
def test_where_no_platform_ran_there_is_nothing_to_read(tmp_path: Path, command: list[str]) -> None:
    empty = tmp_path / "empty"
    assert refused("MESH-U152", *command, "--state", str(empty)).exit_code == 2
    assert not empty.exists()


def test_a_kafka_log_needs_a_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_KAFKA_BOOTSTRAP", raising=False)
    refused("MESH-U152", "audit", "verify", "--control-log", "kafka", "--state", str(tmp_path))


def test_the_log_is_told_a_line_a_record(state: Path) -> None:
    lines = run("audit", "log").splitlines()
    assert len(lines) == len(story())
    assert lines[0].split()[0] == "0"
    assert lines[0].split()[2:] == ["ann", "registry.register", "a"]


def test_the_log_can_be_narrowed(state: Path) -> None:
    def offsets(*arguments: str) -> list[int]:
        return [
            record["offset"] for record in json.loads(run("audit", "log", "--json", *arguments))["records"]
        ]

    kinds = [kind for kind, _ in story()]
    everything = list(range(len(kinds)))
    assert offsets() == everything
    assert offsets("--from", "5") == everything[5:]
    assert offsets("--last", "3") == everything[-3:]
    assert offsets("--actor", "eve") == []
    assert offsets("--kind", "proposal") == [n for n in everything if kinds[n].startswith("proposal.")]
    assert offsets("--kind", "contract.declare") == [n for n in everything if kinds[n] == "contract.declare"]


def test_a_record_is_shown_whole_to_machines(state: Path) -> None:
    first = json.loads(run("audit", "log", "--json"))["records"][0]
    assert first["body"] == story()[0][1]


def test_a_record_cannot_speak_to_the_terminal(state: Path) -> None:
    control = ControlPlane(SqliteLog(state / "control.db"))
    control.submit_now("k", {"subject": "\x1b[2J\r\nforged  line\u202e"}, "eve\x07")
    control.close()
    (line,) = run("audit", "log", "--from", str(len(story()))).splitlines()
    assert line.isprintable()


def test_a_body_that_is_no_json_any_more_is_shown_as_text(state: Path) -> None:
    tamper(state, "update control_log set body = '{half' where log_offset = 0")
    assert json.loads(run("audit", "log", "--json"))["records"][0]["body"] == {"unreadable": "{half"}
    refused("MESH-S030", "audit", "verify")


def test_a_platform_does_not_start_without_one_of_its_records(state: Path) -> None:
    tamper(state, "update control_log set body = '{half' where log_offset = 3")
    log = SqliteLog(state / "control.db")
    with pytest.raises(MeshError) as caught:
        ControlPlane(log)
    log.close()
    assert caught.value.error_code == "MESH-S012"
    assert "record 3" in caught.value.why
