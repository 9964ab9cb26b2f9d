"""The control log in SQLite: order, tamper evidence, one holder, and what survives a crash or a full disk."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh_platform.log import Record, SqliteLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "control.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(path)
    yield log
    log.close()


def append(log: SqliteLog, *numbers: int) -> list[Record]:
    return [
        log.append(time=f"t{n}", actor="ann", kind="test.kind", body={"n": n, "é": [None, 1.5]})
        for n in numbers
    ]


def test_records_come_back_in_order_with_offsets_without_gaps(log: SqliteLog) -> None:
    made = append(log, 1, 2, 3)
    assert [record.offset for record in made] == [0, 1, 2]
    assert list(log.read()) == made


def test_reading_starts_where_it_is_told(log: SqliteLog) -> None:
    made = append(log, 1, 2, 3)
    assert list(log.read(2)) == made[2:]
    assert list(log.read(3)) == []


def test_a_body_comes_back_as_it_will_after_a_restart(log: SqliteLog) -> None:
    record = log.append(time="t", actor="a", kind="k", body={"fields": ("a", "b")})
    assert record.body == {"fields": ["a", "b"]}


def test_a_log_opened_again_continues(path: Path) -> None:
    first = SqliteLog(path)
    made = append(first, 1, 2)
    first.close()
    second = SqliteLog(path)
    made += append(second, 3)
    assert list(second.read()) == made
    assert second.verify() is None
    second.close()


def test_an_untouched_log_verifies(log: SqliteLog) -> None:
    assert log.verify() is None
    append(log, *range(10))
    assert log.verify() is None


TAMPERINGS = {
    "edited body": "update control_log set body = replace(body, '\"n\"', '\"m\"') where log_offset = {n}",
    "edited actor": "update control_log set actor = 'eve' where log_offset = {n}",
    "edited time": "update control_log set time = 'earlier' where log_offset = {n}",
    "edited kind": "update control_log set kind = 'other' where log_offset = {n}",
    "deleted": "delete from control_log where log_offset = {n}",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
@pytest.mark.parametrize("n", range(5))
def test_tampering_shows_at_the_record(log: SqliteLog, path: Path, tampering: str, n: int) -> None:
    append(log, *range(5))
    with sqlite3.connect(path) as other:
        assert other.execute(TAMPERINGS[tampering].format(n=n)).rowcount == 1
    other.close()
    assert log.verify() == n


@pytest.mark.parametrize("n", range(4))
def test_two_records_in_each_others_place_show_at_the_first(log: SqliteLog, path: Path, n: int) -> None:
    append(log, *range(5))
    with sqlite3.connect(path) as other:
        for old, new in ((n, -1), (n + 1, n), (-1, n + 1)):
            other.execute("update control_log set log_offset = ? where log_offset = ?", (new, old))
    other.close()
    assert log.verify() == n


def test_a_second_opener_is_refused_while_the_first_holds(log: SqliteLog, path: Path) -> None:
    with pytest.raises(MeshError) as caught:
        SqliteLog(path)
    assert caught.value.error_code == "MESH-S010"
    assert caught.value.fix


def test_the_next_opener_is_let_in_after_close(path: Path) -> None:
    SqliteLog(path).close()
    SqliteLog(path).close()


def test_a_file_that_is_no_log_is_refused_and_the_lock_let_go(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    for _ in range(2):
        with pytest.raises(MeshError) as caught:
            SqliteLog(path)
        assert caught.value.error_code == "MESH-S012"


APPENDER = """
import sys
from pathlib import Path
from mesh_platform.log import SqliteLog
log = SqliteLog(Path(sys.argv[1]))
n = sum(1 for _ in log.read())
while True:
    log.append(time="t", actor="a", kind="k", body={"n": n})
    print(n, flush=True)
    n += 1
"""


def test_no_acknowledged_append_is_lost_when_the_process_is_killed(path: Path) -> None:
    acknowledged = -1
    for kill in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = int(child.stdout.readline())
        assert first > acknowledged
        time.sleep(0.002 * kill)
        child.send_signal(signal.SIGKILL)
        lines = child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        acknowledged = int(lines[-1]) if lines else first
        log = SqliteLog(path)
        assert [record.body["n"] for record in log.read()][: acknowledged + 1] == list(
            range(acknowledged + 1)
        )
        assert log.verify() is None
        log.close()


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from mesh.errors import MeshError
from mesh_platform.log import SqliteLog
log = SqliteLog(Path(sys.argv[1]))
log.append(time="t", actor="a", kind="k", body={"n": 0})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
n, code = 1, ""
while not code and n < 1000:
    try:
        log.append(time="t", actor="a", kind="k", body={"n": n, "fill": "x" * 4_000})
        n += 1
    except MeshError as error:
        code = error.error_code
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
after = log.append(time="t", actor="a", kind="k", body={"n": n}).offset
print(json.dumps([code, n, after, log.verify()]))
"""


def test_a_full_disk_refuses_the_append_keeps_the_rest_and_goes_on_when_there_is_space(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    code, kept, after, tampered = json.loads(ended.stdout)
    assert (code, after, tampered) == ("MESH-S011", kept, None)
    log = SqliteLog(path)
    assert [record.body["n"] for record in log.read()] == list(range(kept + 1))
    log.close()
