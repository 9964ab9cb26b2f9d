"""Backups: a prefix of the control log, whole or not there. Restored, it is that log; no other is lost."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh_platform.audit.backup import read_backup, verified_backup, write_backup
from mesh_platform.audit.restoring import restore_file, restore_into
from mesh_platform.audit.verification import verify
from mesh_platform.log import Record, SqliteLog
from mesh_platform.log.entry import LogEntries
from mesh_platform.log.sqlite_reader import SqliteReader
from mesh_platform.snapshots import views_of
from tests.unit.control_story import MemoryLog, fill, records, replayed

STORY = records()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "control.db")
    fill(log, STORY)
    yield log
    log.close()


@pytest.fixture
def reader(log: SqliteLog, tmp_path: Path) -> Iterator[SqliteReader]:
    reader = SqliteReader(tmp_path / "control.db")
    yield reader
    reader.close()


@pytest.fixture
def backup(reader: SqliteReader, tmp_path: Path) -> Path:
    file = tmp_path / "control.backup"
    write_backup(reader, file)
    return file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "control.db"


def restore(backup: Path, target: Path, *, replace: bool = False) -> None:
    restore_file(backup, target, target.with_suffix(".snapshot"), replace=replace)


def contents(file: Path) -> list[Record]:
    log = SqliteLog(file)
    try:
        assert log.verify() is None
        return list(log.read())
    finally:
        log.close()


def refused(code: str, backup: Path, target: Path) -> MeshError:
    with pytest.raises(MeshError) as caught:
        restore(backup, target)
    assert caught.value.error_code == code
    assert caught.value.fix
    return caught.value


def test_a_restored_log_is_the_log(backup: Path, target: Path, log: SqliteLog) -> None:
    restore(backup, target)
    assert contents(target) == list(log.read())


def test_ids_and_decisions_come_back(backup: Path, target: Path) -> None:
    restore(backup, target)
    restored = SqliteLog(target)
    assert views_of(restored).fingerprint() == replayed(STORY).fingerprint()
    restored.close()


def test_a_backup_can_be_read_by_people_and_their_tools(backup: Path) -> None:
    first, *lines, last = [json.loads(line) for line in backup.read_bytes().splitlines()]
    assert first == {"format": "mesh-backup 1"}
    assert lines[0]["body"] == STORY[0].body
    assert last["records"] == len(lines) == len(STORY)


def test_a_backup_of_a_backup_is_the_same_file(backup: Path, target: Path, tmp_path: Path) -> None:
    restore(backup, target)
    again = SqliteReader(target)
    write_backup(again, tmp_path / "again.backup")
    again.close()
    assert (tmp_path / "again.backup").read_bytes() == backup.read_bytes()


def test_an_empty_log_comes_back_empty(target: Path, tmp_path: Path) -> None:
    write_backup(LogEntries(MemoryLog(), "memory"), tmp_path / "empty.backup")
    restore(tmp_path / "empty.backup", target)
    assert contents(target) == []


def test_a_backup_of_a_log_with_several_writers_fits_a_file(tmp_path: Path, target: Path) -> None:
    story = records(checkpoint_every=5)
    write_backup(LogEntries(MemoryLog(story), "topic"), tmp_path / "topic.backup")
    restore(tmp_path / "topic.backup", target)
    assert contents(target) == story


def test_a_backup_of_a_file_fits_a_log_with_several_writers(backup: Path) -> None:
    log = MemoryLog()
    restore_into(log, backup, "topic")
    assert log.records == STORY


def test_a_log_with_records_is_not_restored_into(backup: Path) -> None:
    with pytest.raises(MeshError) as caught:
        restore_into(MemoryLog(STORY[:1]), backup, "topic")
    assert caught.value.error_code == "MESH-U151"


def test_a_backup_taken_while_somebody_writes_is_a_prefix_of_the_log(log: SqliteLog, tmp_path: Path) -> None:
    enough, began = threading.Event(), threading.Event()

    def write() -> None:
        n = 0
        while not enough.is_set():
            log.append(time="t", actor="ann", kind="k", body={"n": n})
            began.set()
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    began.wait(10)
    kept = []
    for n in range(10):
        reader = SqliteReader(tmp_path / "control.db")
        kept.append(write_backup(reader, tmp_path / f"{n}.backup").records)
        reader.close()
    enough.set()
    writer.join()
    assert kept == sorted(kept)
    for n, count in enumerate(kept):
        restored = tmp_path / str(n) / "control.db"
        restore(tmp_path / f"{n}.backup", restored)
        assert contents(restored) == list(log.read())[:count]


def test_a_backup_never_replaces_a_file(reader: SqliteReader, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(MeshError) as caught:
        write_backup(reader, tmp_path / "there")
    assert caught.value.error_code == "MESH-U150"
    assert (tmp_path / "there").read_text() == "mine"


def test_a_backup_that_cannot_be_finished_leaves_nothing(reader: SqliteReader, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    class Torn(SqliteReader):
        def entries(self, start: int = 0) -> Iterator:  # type: ignore[type-arg]
            yield from list(super().entries(start))[:5]
            raise OSError(28, "No space left on device")

    torn = Torn(tmp_path / "control.db")
    with pytest.raises(MeshError) as caught:
        write_backup(torn, folder / "b")
    torn.close()
    assert caught.value.error_code == "MESH-U154"
    assert os.listdir(folder) == []


def test_a_log_that_was_tampered_with_is_not_backed_up_as_if_it_were_whole(
    log: SqliteLog, reader: SqliteReader, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "control.db") as other:
        other.execute("update control_log set actor = 'eve' where log_offset = 3")
    other.close()
    with pytest.raises(MeshError) as caught:
        write_backup(reader, tmp_path / "b")
    assert caught.value.error_code == "MESH-S030"
    assert not (tmp_path / "b").exists()


def test_restoring_over_records_is_refused_and_changes_nothing(
    backup: Path, target: Path, log: SqliteLog
) -> None:
    restore(backup, target)
    newer = SqliteLog(target)
    newer.append(time="t", actor="ann", kind="k", body={"newer": True})
    newer.close()
    before = contents(target)
    error = refused("MESH-U151", backup, target)
    assert f"{len(STORY) + 1} records" in error.why
    assert contents(target) == before


def test_what_is_replaced_is_kept_aside(backup: Path, target: Path) -> None:
    for n in range(3):
        restore(backup, target, replace=True)
        newer = SqliteLog(target)
        newer.append(time="t", actor="ann", kind="k", body={"n": n})
        newer.close()
    for number in (1, 2):
        aside = target.with_name(f"control.db.replaced-{number}")
        assert contents(aside)[-1].body == {"n": number - 1}
    assert contents(target)[-1].body == {"n": 2}


def test_a_log_that_was_killed_is_kept_aside_with_what_it_had_not_folded_in(
    backup: Path, target: Path, log: SqliteLog
) -> None:
    target.parent.mkdir()
    for suffix in ("", "-wal", "-shm"):
        source = backup.with_name(f"control.db{suffix}")
        target.with_name(f"control.db{suffix}").write_bytes(source.read_bytes())
    restore(backup, target, replace=True)
    assert contents(target) == STORY
    assert contents(target.with_name("control.db.replaced-1")) == STORY


def test_a_damaged_file_is_replaced_only_when_that_is_said(backup: Path, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"no database at all" * 1000)
    refused("MESH-U151", backup, target)
    restore(backup, target, replace=True)
    assert contents(target) == STORY
    assert target.with_name("control.db.replaced-1").read_bytes().startswith(b"no database")


def test_nothing_is_restored_under_a_platform_that_runs(backup: Path, log: SqliteLog) -> None:
    refused("MESH-S010", backup, backup.with_name("control.db"))


def test_the_snapshot_of_the_log_before_goes(backup: Path, target: Path) -> None:
    target.parent.mkdir()
    target.with_suffix(".snapshot").write_text("of another log")
    restore(backup, target)
    assert not target.with_suffix(".snapshot").exists()


def test_restoring_leaves_nothing_else_behind(backup: Path, target: Path) -> None:
    restore(backup, target)
    assert sorted(os.listdir(target.parent)) == ["control.db", "control.lock"]


def test_a_backup_with_one_other_byte_is_refused(backup: Path, target: Path) -> None:
    whole = backup.read_bytes()
    for seed in range(150):
        data = bytearray(whole.rstrip(b"\n"))
        chance = random.Random(seed)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        backup.write_bytes(data)
        refused("MESH-S032", backup, target)
    assert not target.exists()


def test_a_backup_without_one_of_its_lines_is_refused(backup: Path, target: Path) -> None:
    lines = backup.read_bytes().splitlines(keepends=True)
    for gone in range(len(lines)):
        backup.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        refused("MESH-S032", backup, target)


def test_a_backup_that_ends_early_is_refused(backup: Path, target: Path) -> None:
    whole = backup.read_bytes()
    for size in range(0, len(whole) - 1, 97):
        backup.write_bytes(whole[:size])
        refused("MESH-S032", backup, target)


@pytest.mark.parametrize("text", ["", "[]", "7\n", "nothing", '{"format": "mesh-backup 2"}\n', "[" * 100_000])
def test_another_file_is_refused(tmp_path: Path, target: Path, text: str) -> None:
    (tmp_path / "other").write_text(text)
    assert refused("MESH-S032", tmp_path / "other", target).where == f"{tmp_path / 'other'}:1"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, target: Path) -> None:
    refused("MESH-U154", tmp_path / "nowhere", target)


def test_what_a_backup_says_of_itself_is_what_a_log_says(backup: Path, reader: SqliteReader) -> None:
    kept = verified_backup(backup)
    assert (kept.records, kept.chain) == (len(STORY), verify(reader.entries()).head)
    assert verify(read_backup(backup)).flaw is None
