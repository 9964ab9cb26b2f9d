"""The outbox in SQLite: with the caller's data or not at all, in order, with its ids, lost by no crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import EventError, MeshError, NotAcknowledged, UnreachableError, UsageError
from mesh.outbox import Backlog, Outbox, Relay, store_of, table_of
from tests.unit.publishing_kit import Remembering, packer, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = sqlite3.connect(tmp_path / "shop.db")
    database.executescript(table_of("sqlite"))
    database.execute("create table orders (name text)")
    database.close()
    return tmp_path / "shop.db"


@pytest.fixture
def shop(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path)
    yield database
    database.close()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(packer())


def relayed(path: Path, sender: Remembering, most: int = 1_000) -> int:
    with Relay(store_of(str(path)), sender) as relay:
        return relay.step(most)


def waiting(path: Path) -> Backlog:
    store = store_of(str(path))
    try:
        return store.backlog()
    finally:
        store.close()


def test_what_is_committed_is_published_as_a_publisher_would_with_its_id(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    with shop:
        ids = outbox.write_many(shop, rows(1, 2))
    sender = Remembering()
    assert relayed(path, sender) == 2
    assert sender.ids == ids
    topic, key, value, headers = sender.sent[0]
    assert (topic, key, (value or b"")[:5]) == ("ops.flights.v1", b"n-1", b"\0\0\0\0\7")
    assert headers["ce_type"] == b"ops.flights.v1"
    assert waiting(path).events == 0


def test_what_is_rolled_back_is_never_published(shop: sqlite3.Connection, path: Path, outbox: Outbox) -> None:
    shop.execute("insert into orders values ('A')")
    outbox.write(shop, rows(1)[0])
    shop.rollback()
    assert relayed(path, Remembering()) == 0


def test_an_event_that_breaks_its_contract_is_refused_where_it_is_written(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    shop.execute("insert into orders values ('A')")
    with pytest.raises(EventError) as refusal, shop:
        outbox.write(shop, rows(101)[0])
    assert refusal.value.error_code == "MESH-E020"
    assert shop.execute("select * from orders").fetchall() == []


def test_a_connection_that_commits_by_itself_is_refused(path: Path, outbox: Outbox) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(UsageError, match="outside of a transaction"):
        outbox.write(database, rows(1)[0])
    database.execute("begin")
    outbox.write(database, rows(1)[0])
    database.execute("commit")
    database.close()
    assert waiting(path).events == 1


def test_a_broken_event_may_wait_for_its_dead_letter_topic(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    with shop:
        outbox.write_many(shop, rows(1, 101), on_violation="dead-letter")
    sender = Remembering()
    relayed(path, sender)
    assert {topic for topic, *_ in sender.sent} == {"ops.flights.v1", "ops.flights.v1.dlq"}


def test_every_byte_of_a_header_comes_back(shop: sqlite3.Connection, path: Path, outbox: Outbox) -> None:
    with shop:
        outbox.write(shop, rows(1)[0], event_id="ä€😀")
        shop.execute("""update mesh_outbox set headers = '[["raw", "\\u0000\\u00ff"], ["none", null]]'""")
    sender = Remembering()
    relayed(path, sender)
    assert sender.sent[0][3] == {"raw": b"\0\xff", "none": None}


def test_events_leave_in_the_order_of_their_commits_in_steps_of_any_size(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    written = []
    for level in range(10):
        with shop:
            written.append(outbox.write(shop, rows(level)[0]))
    sender = Remembering()
    assert [relayed(path, sender, most=4) for _ in range(4)] == [4, 4, 2, 0]
    assert sender.ids == written


def test_what_the_broker_does_not_acknowledge_stays(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    with shop:
        ids = outbox.write_many(shop, rows(1, 2, 3))
    with pytest.raises(NotAcknowledged):
        relayed(path, Remembering(refuses_at=1))
    assert waiting(path).events == 3
    again = Remembering()
    relayed(path, again)
    assert again.ids == ids


def test_one_relay_publishes_and_a_second_stands_by_until_it_ends(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    with shop:
        outbox.write(shop, rows(1)[0])
    second = Remembering()
    first = store_of(str(path))
    assert first.hold()
    assert relayed(path, second) == 0
    first.close()
    assert relayed(path, second) == 1


def test_a_running_relay_tells_a_failure_and_tries_again(
    shop: sqlite3.Connection, path: Path, outbox: Outbox
) -> None:
    with shop:
        outbox.write(shop, rows(1)[0])
    sender, told = Remembering(refuses_at=0), list[MeshError]()

    def mended(_seconds: float) -> None:
        sender.refuses_at = None

    with Relay(store_of(str(path)), sender) as relay:
        steps = relay.run(lambda: not sender.sent, told.append, mended)
        assert next(steps) == 1
    assert [error.error_code for error in told] == ["MESH-K021"]


def test_a_database_without_an_outbox_says_how_to_make_one(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").execute("create table t (x)").connection.close()
    with pytest.raises(UnreachableError) as failure:
        relayed(tmp_path / "empty.db", Remembering())
    assert failure.value.fix.endswith("mesh outbox table sqlite")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        store_of(str(tmp_path / "none.db"))
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_table_for_other_databases() -> None:
    with pytest.raises(UsageError, match="oracle"):
        table_of("oracle")
