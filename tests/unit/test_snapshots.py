"""Snapshots: a start with one leads where a replay leads; without a good one, the log is replayed."""

from __future__ import annotations

import json
import random
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mesh_platform import snapshots as snapshots_module
from mesh_platform.control import ControlPlane
from mesh_platform.log import Record, SqliteLog
from mesh_platform.log.snapshot import Unusable, write_snapshot
from mesh_platform.snapshots import FILE, Snapshots, mark_of, restored
from mesh_platform.views import RECENT, Views
from tests.unit.control_story import MemoryLog, avro, records, replayed

STORY = records(checkpoint_every=5)


def facts(views: Views) -> dict[str, Any]:
    """Everything the views know, whatever the snapshot writes of it."""
    audit, registry, governance = views.audit, views.registry, views.governance
    return {
        "registry": _without_empty({**vars(registry), "gate": None}),
        "governance": vars(governance),
        "audit": (audit.head, audit.unsealed, audit.disagreements),
        "commands": views._commands.__dict__,
        "recent": views.recent,
    }


def _without_empty(value: Any) -> Any:
    """Values and sets by key; an empty set means what no set means."""
    if is_dataclass(value) and hasattr(value, "__dict__"):
        value = vars(value)
    if isinstance(value, dict):
        return {key: _without_empty(one) for key, one in value.items() if one != set()}
    return value


#: So many records are worth a snapshot, in these tests.
WORTH = 20
WHOLE = facts(replayed(STORY))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots_module, "WORTH", WORTH)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def snapshot(path: Path, found: list[Record]) -> None:
    views = replayed(found)
    write_snapshot(path, mark_of(views), views.snapshot())


@pytest.mark.parametrize("offset", range(len(STORY)))
def test_a_start_from_a_snapshot_knows_what_a_replay_knows(path: Path, offset: int) -> None:
    snapshot(path, STORY[: offset + 1])
    log = MemoryLog(STORY)
    assert restored(log.read, path).audit.offset == offset
    assert facts(Snapshots(path).views(log)) == WHOLE


def test_a_restored_view_answers_the_next_records_as_a_replayed_one(path: Path) -> None:
    snapshot(path, STORY)
    views, whole = restored(MemoryLog(STORY).read, path), replayed(STORY)
    for record in STORY:
        again = replace(record, offset=record.offset + len(STORY), command="")
        assert views.apply(again) == whole.apply(again), record
    assert views.fingerprint() == whole.fingerprint()


def test_a_command_that_comes_again_after_the_start_gets_its_first_answer(path: Path) -> None:
    snapshot(path, STORY)
    views, whole = restored(MemoryLog(STORY).read, path), Views()
    answers = [whole.apply(record) for record in STORY]
    for record, answer in zip(STORY, answers, strict=True):
        if record.command:
            assert views.apply(replace(record, offset=views.audit.offset + 1)) == answer


def test_no_more_than_the_latest_records_are_told_to_people(path: Path) -> None:
    many = [Record(n, "t", "ann", "k", {"n": n}) for n in range(RECENT + 50)]
    snapshot(path, many)
    assert restored(MemoryLog(many).read, path).recent == many[50:]


def test_what_happens_while_it_is_written_is_not_in_it(path: Path) -> None:
    views = replayed(STORY[:20])
    mark, parts = mark_of(views), views.snapshot()
    for record in STORY[20:]:
        views.apply(record)
    write_snapshot(path, mark, parts)
    assert facts(restored(MemoryLog(STORY).read, path)) == facts(replayed(STORY[:20]))


def rebuilt(path: Path, log: MemoryLog | SqliteLog) -> None:
    """The snapshot is not used, and nothing is lost by that."""
    with pytest.raises((Unusable, FileNotFoundError)):
        restored(log.read, path)
    found = list(log.read())
    assert facts(Snapshots(path).views(log)) == (WHOLE if found == STORY else facts(replayed(found)))


def test_without_a_snapshot_nothing_is_lost(path: Path) -> None:
    rebuilt(path, MemoryLog(STORY))


@pytest.mark.parametrize("seed", range(40))
def test_a_snapshot_with_one_other_byte_is_not_used(path: Path, seed: int) -> None:
    snapshot(path, STORY)
    data = bytearray(path.read_bytes().rstrip(b"\n"))
    at = random.Random(seed).randrange(len(data))
    data[at] ^= 1 << seed % 7
    path.write_bytes(data)
    rebuilt(path, MemoryLog(STORY))


def test_a_snapshot_cut_off_anywhere_is_not_used(path: Path) -> None:
    snapshot(path, STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in range(0, len(lines), 7):
        path.write_bytes(b"".join(lines[:kept]))
        rebuilt(path, MemoryLog(STORY))


def test_a_snapshot_without_one_of_its_lines_is_not_used(path: Path) -> None:
    snapshot(path, STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    for gone in range(0, len(lines), 7):
        path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        rebuilt(path, MemoryLog(STORY))


def test_a_file_of_another_kind_is_not_used(path: Path) -> None:
    for text in ("", "\n\n", "[]\n[]\n", "{}\n", '{"format": "mesh-snapshot 2"}\n', "PK\x03\x04"):
        path.write_text(text)
        rebuilt(path, MemoryLog(STORY))


def test_a_snapshot_of_another_release_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot(path, STORY)
    monkeypatch.setattr(snapshots_module, "release", lambda: "of tomorrow")
    rebuilt(path, MemoryLog(STORY))


def test_a_snapshot_that_goes_further_than_the_log_is_not_used(path: Path) -> None:
    snapshot(path, STORY)
    rebuilt(path, MemoryLog(STORY[:-1]))
    rebuilt(path, MemoryLog([]))


@pytest.mark.parametrize("member", ["time", "actor", "kind", "command"])
def test_a_snapshot_of_a_log_that_went_another_way_is_not_used(path: Path, member: str) -> None:
    snapshot(path, STORY)
    other: dict[str, Any] = {member: "another"}
    rebuilt(path, MemoryLog([*STORY[:-1], replace(STORY[-1], **other)]))


def test_hashes_beside_the_records_betray_a_log_that_was_another_long_ago(path: Path, tmp_path: Path) -> None:
    many = [Record(n, "t", "ann", "k", {"n": n}) for n in range(RECENT + 10)]
    snapshot(path, many)
    log = SqliteLog(tmp_path / "control.db")
    with log.together():
        for record in [replace(many[0], actor="eve"), *many[1:]]:
            log.append(time=record.time, actor=record.actor, kind=record.kind, body=record.body)
    assert restored(log.read, path).audit.chain != log.chain
    assert facts(Snapshots(path).views(log)) == facts(replayed(list(log.read())))
    log.close()


def test_a_snapshot_that_cannot_be_written_leaves_the_one_before(path: Path) -> None:
    snapshot(path, STORY[:10])
    views = replayed(STORY)

    def torn() -> Any:
        yield from list(views.snapshot())[:3]
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_snapshot(path, mark_of(views), torn())
    assert restored(MemoryLog(STORY).read, path).audit.offset == 9
    assert [file.name for file in path.parent.iterdir()] == [FILE]


def test_a_platform_whose_disk_takes_no_snapshot_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = ControlPlane(MemoryLog(), snapshots=Snapshots(tmp_path / "no such folder" / FILE))
    for n in range(WORTH):
        control.submit_now("k", {"n": n}, "ann")
    control.close()
    assert "the next start takes longer" in capsys.readouterr().err


def test_a_small_log_is_not_worth_a_snapshot(path: Path) -> None:
    control = ControlPlane(MemoryLog(), snapshots=Snapshots(path))
    for n in range(WORTH // 2):
        control.submit_now("k", {"n": n}, "ann")
    control.close()
    assert not path.exists()


def test_a_platform_leaves_a_snapshot_that_the_next_one_starts_from(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "control.db"
    control = ControlPlane(SqliteLog(file), snapshots=Snapshots(path))
    for n in range(WORTH):
        control.submit_now("k", {"n": n}, "ann")
    control.submit_now("registry.register", {"subject": "s", "schema": avro("S")}, "ann")
    control.close()
    log = SqliteLog(file)
    assert restored(log.read, path).audit.offset >= WORTH - 1
    again = ControlPlane(log, snapshots=Snapshots(path))
    assert again.registry.subjects.names() == ["s"]
    assert again.submit_now("k", {}, "ann") is None
    again.close()


def test_parts_of_a_snapshot_are_of_bounded_size(path: Path) -> None:
    """A start reads part by part: one that holds everything would take its memory twice."""
    many = [
        Record(n, "t", "ann", "registry.register", {"subject": f"s{n}", "schema": avro(f"S{n}")})
        for n in range(1_000)
    ]
    snapshot(path, many)
    lines = path.read_bytes().splitlines()
    assert max(map(len, lines)) < 80_000
    assert json.loads(lines[0])["format"] == "mesh-snapshot 1"
