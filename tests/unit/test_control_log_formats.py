"""Logs of earlier releases are read as they were meant, for ever; the golden file is never changed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mesh_platform.log import SqliteLog
from mesh_platform.log.record import GENESIS, chained
from mesh_platform.log.wire import UNREADABLE, decoded, encoded

GOLDEN = Path(__file__).parent / "golden" / "control-log-format-1.jsonl"
LINES = GOLDEN.read_bytes().splitlines()


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_record_of_format_1_means_what_it_meant_and_is_written_the_same(line: bytes) -> None:
    record, said = decoded(7, line), json.loads(line)
    assert (record.offset, record.time, record.actor) == (7, said["time"], said["actor"])
    assert (record.kind, record.command, record.body) == (said["kind"], said["command"], said["body"])
    again = encoded(
        time=record.time, actor=record.actor, kind=record.kind, body=record.body, command=record.command
    )
    assert again == line


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
@pytest.mark.parametrize("end", [0, 1, 0.5, -1], ids=str)
def test_a_record_that_was_cut_is_passed_over(line: bytes, end: float) -> None:
    cut = line[: int(len(line) * end) if 0 < end < 1 else int(end)]
    assert decoded(3, cut).kind == UNREADABLE


def test_a_file_from_before_commands_had_names_is_verified_and_goes_on(tmp_path: Path) -> None:
    file, chain = tmp_path / "control.db", GENESIS
    with sqlite3.connect(file) as db:
        db.execute(
            "create table control_log (log_offset integer primary key, time text not null,"
            " actor text not null, kind text not null, body text not null, chain text not null) strict"
        )
        for offset in range(3):
            row = {"time": "t", "actor": "a", "kind": "k", "body": f'{{"n":{offset}}}'}
            chain = chained(chain, **row)
            db.execute("insert into control_log values (?, ?, ?, ?, ?, ?)", (offset, *row.values(), chain))
    db.close()
    log = SqliteLog(file)
    log.append(time="t", actor="a", kind="k", body={"n": 3}, command="c")
    assert [(record.body["n"], record.command) for record in log.read()] == [
        (0, ""),
        (1, ""),
        (2, ""),
        (3, "c"),
    ]
    assert log.verify() is None
    log.close()


def test_the_name_of_a_command_is_part_of_what_the_chain_protects(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "control.db")
    log.append(time="t", actor="a", kind="k", body={}, command="c")
    with sqlite3.connect(tmp_path / "control.db") as db:
        db.execute("update control_log set command = 'd'")
    db.close()
    assert log.verify() == 0
    log.close()
