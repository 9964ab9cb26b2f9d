"""What every control log promises: a SQLite file, a topic of the embedded broker, a topic of Apache Kafka."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh_platform.log import ControlLog
from tests.conformance.control_logs import KINDS, WHEN, Follower, KafkaLogs, Logs, SqliteLogs, append

MANY = 520  #: more than are read at once


@pytest.fixture(params=KINDS)
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logs]:
    if request.param == "sqlite":
        kept: SqliteLogs | KafkaLogs = SqliteLogs(tmp_path)
    else:
        kept = KafkaLogs(request.getfixturevalue(f"{request.param}_broker").bootstrap, tmp_path)
    yield kept
    kept.close()


@pytest.fixture
def log(logs: Logs) -> ControlLog:
    return logs.open()


def fail(error: MeshError) -> None:
    raise AssertionError(error)


def test_a_new_log_is_empty(log: ControlLog) -> None:
    assert list(log.read()) == []


def test_records_come_back_in_order_with_offsets_without_gaps(log: ControlLog) -> None:
    made = append(log, *range(20))
    assert [record.offset for record in made] == list(range(20))
    assert list(log.read()) == made


def test_reading_starts_where_it_is_told(log: ControlLog) -> None:
    made = append(log, 1, 2, 3)
    assert [list(log.read(start)) for start in (2, 3)] == [made[2:], []]


def test_a_body_comes_back_as_it_will_after_a_restart(log: ControlLog) -> None:
    record = log.append(time=WHEN, actor="a", kind="k", body={"fields": ("a", "b")})
    assert record.body == {"fields": ["a", "b"]}


@pytest.mark.parametrize("text", ["", "\x00\x1f\x7f", "é\u2028😀", '"\\n', "x" * 1_000_000])
def test_every_text_comes_back_as_it_was(log: ControlLog, text: str) -> None:
    log.append(time=WHEN, actor="ann é", kind="k", body={"text": text}, command="c/1")
    [record] = log.read()
    assert (record.actor, record.body, record.command) == ("ann é", {"text": text}, "c/1")


def test_a_record_as_large_as_any_request_can_make_it_is_kept(log: ControlLog) -> None:
    body = dict.fromkeys(("text", "schema", "verdict"), "\x01" * 2**20)
    log.append(time=WHEN, actor="a", kind="k", body=body)
    assert [record.body for record in log.read()] == [body]


def test_a_log_opened_again_continues(logs: Logs) -> None:
    made = append(logs.open(), 1, 2)
    again = logs.open()
    made += append(again, 3)
    assert list(again.read()) == made


def test_who_follows_gets_what_was_there_and_what_comes_once_and_in_order(log: ControlLog) -> None:
    made, follower = append(log, 0, 1, 2), Follower()
    log.follow(1, follower.deliver, fail)
    made += append(log, 3, 4)
    follower.wait_for(lambda: len(follower.records) >= 4)
    assert follower.records == made[1:]


def test_what_is_sent_comes_by_following(log: ControlLog) -> None:
    follower = Follower()
    log.follow(0, follower.deliver, fail)
    for n in range(MANY):
        log.send(fail, time=WHEN, actor="a", kind="k", body={"n": n}, command=str(n))
    follower.wait_for(lambda: len(follower.records) >= MANY)
    assert [record.body["n"] for record in follower.records] == list(range(MANY))
    assert list(log.read()) == follower.records


def test_several_threads_write_one_order_that_everybody_sees(log: ControlLog) -> None:
    follower = Follower()
    log.follow(0, follower.deliver, fail)
    threads = [threading.Thread(target=append, args=(log, *range(n, n + 10))) for n in range(0, 80, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    follower.wait_for(lambda: len(follower.records) >= 80)
    assert follower.records == list(log.read())
    assert sorted(record.body["n"] for record in follower.records) == list(range(80))


def test_each_writer_keeps_its_own_order(log: ControlLog) -> None:
    threads = [
        threading.Thread(target=append, args=(log, *range(10)), kwargs={"actor": name}) for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    records = list(log.read())
    for name in "abcd":
        assert [record.body["n"] for record in records if record.actor == name] == list(range(10))


def test_nothing_is_delivered_after_close(logs: Logs) -> None:
    first, follower = logs.open(), Follower()
    first.follow(0, follower.deliver, fail)
    append(first, 1)
    follower.wait_for(lambda: len(follower.records) == 1)
    first.close()
    append(logs.open(), 2)
    assert len(follower.records) == 1


def test_a_log_that_answers_has_no_trouble(log: ControlLog) -> None:
    append(log, 1)
    assert log.trouble() == ""
