"""An inbox in PostgreSQL keeps the same promises as one in SQLite, also between two sessions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from mesh.decoding import Batch
from mesh.errors import Position, UsageError
from mesh.event.record import Record
from mesh.inbox import Inbox, Postgres

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(params=[False, True], ids=["implicit", "autocommit"])
def connection(postgres: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    with psycopg.connect(postgres, autocommit=request.param) as made:
        made.execute("drop table if exists mesh_inbox, booked")
        made.execute("create table booked (at int)")
        made.commit()
        yield made


def record(offset: int, event_id: str) -> Record:
    return Record(Position("shop.orders.v1", 0, offset), b"k", b"v", (("ce_id", event_id.encode()),))


def book(connection: Any, offset: int, event_id: str) -> bool:
    with Inbox(Postgres(connection), "finance.board").once(record(offset, event_id)) as first:
        if first:
            connection.execute("insert into booked values (%s)", (offset,))
    return bool(first)


def booked(postgres: str) -> list[int]:
    import psycopg

    with psycopg.connect(postgres) as other:
        return [row[0] for row in other.execute("select at from booked order by at").fetchall()]


def test_an_event_that_comes_again_has_no_second_effect(connection: Any, postgres: str) -> None:
    assert [book(connection, 1, "a") for _ in range(3)] == [True, False, False]
    assert booked(postgres) == [1]


def test_a_handler_that_fails_leaves_neither_effect_nor_id(connection: Any, postgres: str) -> None:
    inbox = Inbox(Postgres(connection), "finance.board")

    def fail() -> None:
        with inbox.once(record(1, "a")):
            connection.execute("insert into booked values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert booked(postgres) == []
    assert book(connection, 1, "a")


def test_a_batch_gives_only_the_events_that_had_no_effect(connection: Any) -> None:
    assert book(connection, 2, "b")
    records = [record(1, "z"), record(2, "b"), record(3, "c"), record(4, "z")]
    again = Batch(pa.RecordBatch.from_pydict({"offset": [1, 2, 3, 4]}), records)
    with Inbox(Postgres(connection), "finance.board").once_each(again) as fresh:
        assert fresh.rows() == [{"offset": 1}, {"offset": 3}]


def test_no_transaction_is_committed_that_somebody_else_began(connection: Any) -> None:
    inbox = Inbox(Postgres(connection), "finance.board")
    connection.execute("begin" if connection.autocommit else "select 1")
    with pytest.raises(UsageError, match="inside a transaction"), inbox.once(record(1, "a")):
        pass
    connection.rollback()


def test_of_two_members_with_one_event_one_has_the_effect(connection: Any, postgres: str) -> None:
    import psycopg

    def member(number: int) -> int:
        with psycopg.connect(postgres) as own:
            return sum(book(own, number, str(event)) for event in range(20))

    Inbox(Postgres(connection), "finance.board")
    with ThreadPoolExecutor(3) as members:
        assert sum(members.map(member, range(3))) == 20


def test_ids_older_than_they_are_kept_go(connection: Any) -> None:
    now = [0.0]
    inbox = Inbox(Postgres(connection), "finance.board", timedelta(days=1), lambda: now[0])
    with inbox.once(record(1, "old")):
        now[0] = 2 * 86_400.0
    assert inbox.prune() == 1
    connection.commit()
