"""An inbox: an event's effect and its id are both in the database, or neither is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from mesh.decoding import Batch
from mesh.errors import Position, UsageError
from mesh.event.record import Record
from mesh.inbox import Inbox, SQLite

DAY = 86_400


def record(offset: int, event_id: str | None = None, source: str = "/shop") -> Record:
    own = () if event_id is None else (("ce_id", event_id.encode()), ("ce_source", source.encode()))
    return Record(Position("shop.orders.v1", 0, offset), b"k", b"v", own)


def batch(*records: Record) -> Batch:
    return Batch(pa.RecordBatch.from_pydict({"offset": [r.offset() for r in records]}), records)


@pytest.fixture(params=["", None], ids=["implicit", "autocommit"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "shop.db", isolation_level=request.param)
    made.execute("create table booked (offset)")
    made.commit()
    yield made
    made.close()


@pytest.fixture
def inbox(connection: sqlite3.Connection) -> Inbox:
    return Inbox(SQLite(connection), "finance.board")


def book(inbox: Inbox, connection: sqlite3.Connection, one: Record) -> bool:
    with inbox.once(one) as first:
        if first:
            connection.execute("insert into booked values (?)", (one.offset(),))
    return first


def booked(connection: sqlite3.Connection) -> list[int]:
    assert not connection.in_transaction
    return [row[0] for row in connection.execute("select offset from booked order by offset")]


def test_an_event_that_comes_again_has_no_second_effect(inbox: Inbox, connection: sqlite3.Connection) -> None:
    assert [book(inbox, connection, record(1, "a")) for _ in range(3)] == [True, False, False]
    assert booked(connection) == [1]


def test_an_event_that_was_sent_again_by_its_publisher_is_the_same_event(
    inbox: Inbox, connection: sqlite3.Connection
) -> None:
    assert [book(inbox, connection, record(offset, "a")) for offset in (1, 2)] == [True, False]


def test_the_same_id_of_another_source_is_another_event(inbox: Inbox, connection: sqlite3.Connection) -> None:
    assert book(inbox, connection, record(1, "a", "/shop"))
    assert book(inbox, connection, record(2, "a", "/fleet"))


def test_an_event_without_an_id_is_known_by_its_place(inbox: Inbox, connection: sqlite3.Connection) -> None:
    assert [book(inbox, connection, record(offset)) for offset in (1, 1, 2)] == [True, False, True]


def test_a_handler_that_fails_leaves_neither_effect_nor_id(
    inbox: Inbox, connection: sqlite3.Connection
) -> None:
    def fail() -> None:
        with inbox.once(record(1, "a")):
            connection.execute("insert into booked values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert booked(connection) == []
    assert book(inbox, connection, record(1, "a"))


def test_each_group_has_effects_of_its_own(inbox: Inbox, connection: sqlite3.Connection) -> None:
    assert book(inbox, connection, record(1, "a"))
    assert book(Inbox(SQLite(connection), "finance.tax"), connection, record(1, "a"))


def test_a_batch_gives_only_the_events_that_had_no_effect(
    inbox: Inbox, connection: sqlite3.Connection
) -> None:
    assert book(inbox, connection, record(2, "b"))
    again = batch(record(1, "a"), record(2, "b"), record(3, "c"), record(4, "a"))
    with inbox.once_each(again) as fresh:
        assert fresh.rows() == [{"offset": 1}, {"offset": 3}]
        assert [message.offset() for message in fresh.messages] == [1, 3]


def test_a_batch_that_fails_comes_again_whole(inbox: Inbox, connection: sqlite3.Connection) -> None:
    both = batch(record(1, "a"), record(2, "b"))

    def fail() -> None:
        with inbox.once_each(both):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with inbox.once_each(both) as fresh:
        assert len(fresh) == 2


def test_an_effect_in_a_transaction_of_ones_own_is_committed_with_it(
    inbox: Inbox, connection: sqlite3.Connection
) -> None:
    connection.execute("begin")
    assert inbox.first_time(record(1, "a"))
    connection.rollback()
    assert book(inbox, connection, record(1, "a"))


def test_no_transaction_is_committed_that_somebody_else_began(
    inbox: Inbox, connection: sqlite3.Connection
) -> None:
    connection.execute("begin")
    connection.execute("insert into booked values (9)")
    with pytest.raises(UsageError, match="inside a transaction"), inbox.once(record(1, "a")):
        pass
    connection.rollback()
    assert booked(connection) == []


def test_ids_older_than_they_are_kept_go_and_younger_ones_stay(connection: sqlite3.Connection) -> None:
    now = [0.0]
    inbox = Inbox(SQLite(connection), "finance.board", timedelta(days=1), lambda: now[0])
    assert book(inbox, connection, record(1, "old"))
    now[0] = 0.6 * DAY
    assert book(inbox, connection, record(2, "young"))
    now[0] = 1.5 * DAY
    assert inbox.prune() == 1
    connection.commit()
    assert not book(inbox, connection, record(2, "young"))
    assert book(inbox, connection, record(1, "old"))


def test_the_table_does_not_grow_beyond_what_is_kept(connection: sqlite3.Connection) -> None:
    now = [0.0]
    inbox = Inbox(SQLite(connection), "finance.board", timedelta(seconds=2_000), lambda: now[0])
    for number in range(60):
        now[0] += 200
        with inbox.once_each(batch(*(record(i, f"{number}-{i}") for i in range(200)))) as fresh:
            assert len(fresh) == 200
    (held,) = connection.execute("select count(*) from mesh_inbox").fetchone()
    assert 2_000 <= held <= 2_000 + 3 * 1_000
