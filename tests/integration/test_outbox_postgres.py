"""The outbox in a real PostgreSQL: order per key by commits, nothing skipped, one relay at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from mesh.errors import EventError, UnreachableError, UsageError
from mesh.outbox import Outbox, Relay, store_of, table_of
from tests.unit.publishing_kit import Remembering, packer, rows

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def url(postgres: str) -> str:
    """The server, with an empty outbox."""
    with psycopg.connect(postgres) as shop:
        shop.execute("drop table if exists mesh_outbox, orders")
        shop.execute(table_of("postgres"))
        shop.execute("create table orders (name text)")
    return postgres


@pytest.fixture
def shop(url: str) -> Iterator[Any]:
    with psycopg.connect(url) as connection:
        yield connection


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(packer())


def relayed(url: str, sender: Remembering) -> list[str]:
    with Relay(store_of(url), sender) as relay:
        while relay.step():
            pass
    return sender.ids


def test_what_is_committed_is_published_whole_and_once(url: str, shop: Any, outbox: Outbox) -> None:
    ids = outbox.write_many(shop, rows(1, 2, 3))
    assert relayed(url, Remembering()) == []
    shop.commit()
    sender = Remembering()
    assert relayed(url, sender) == ids
    assert relayed(url, Remembering()) == []
    topic, key, value, headers = sender.sent[0]
    assert (topic, key, (value or b"")[:5]) == ("ops.flights.v1", b"n-1", b"\0\0\0\0\7")
    assert headers["ce_id"] == ids[0].encode()


def test_what_is_rolled_back_is_never_published(url: str, shop: Any, outbox: Outbox) -> None:
    shop.execute("insert into orders values ('A')")
    outbox.write(shop, rows(1)[0])
    shop.rollback()
    assert relayed(url, Remembering()) == []


def test_a_broken_event_is_refused_and_the_transaction_stays_the_callers(shop: Any, outbox: Outbox) -> None:
    shop.execute("insert into orders values ('A')")
    with pytest.raises(EventError):
        outbox.write(shop, rows(101)[0])
    shop.commit()
    assert shop.execute("select count(*) from orders").fetchone() == (1,)


def test_a_connection_that_commits_by_itself_is_refused_outside_of_a_transaction(
    url: str, outbox: Outbox
) -> None:
    with psycopg.connect(url, autocommit=True) as shop:
        with pytest.raises(UsageError, match="outside of a transaction"):
            outbox.write(shop, rows(1)[0])
        with shop.transaction():
            outbox.write(shop, rows(1)[0])
    assert len(relayed(url, Remembering())) == 1


def test_an_earlier_number_that_is_committed_later_is_not_skipped(
    url: str, shop: Any, outbox: Outbox
) -> None:
    slow = outbox.write(shop, rows(1)[0])
    with psycopg.connect(url) as other:
        quick = outbox.write(other, rows(2)[0])
    assert relayed(url, Remembering()) == [quick]
    shop.commit()
    assert relayed(url, Remembering()) == [slow]


def test_who_writes_a_key_holds_it_until_the_commit_and_no_other(url: str, shop: Any, outbox: Outbox) -> None:
    first = outbox.write(shop, rows(1)[0])
    with psycopg.connect(url) as other:
        other.execute("set lock_timeout = '100ms'")
        other.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            outbox.write(other, rows(1)[0])
        other.rollback()
        free = outbox.write(other, rows(2)[0])
        other.commit()
        shop.commit()
        second = outbox.write(other, rows(1)[0])
    sent = relayed(url, Remembering())
    assert set(sent) == {first, free, second}
    assert sent.index(first) < sent.index(second)


def test_a_relay_whose_session_is_ended_gives_way_to_the_next(url: str, shop: Any, outbox: Outbox) -> None:
    outbox.write(shop, rows(1)[0])
    shop.commit()
    first, second = store_of(url), store_of(url)
    assert first.hold()
    assert not second.hold()
    shop.execute(
        "select pg_terminate_backend(pid) from pg_locks"
        " where locktype = 'advisory' and pid <> pg_backend_pid()"
    )
    with pytest.raises(UnreachableError):
        first.take(1)
    assert second.hold()
    assert not first.hold()
    assert second.backlog().events == 1
    first.close()
    second.close()


def test_a_database_without_an_outbox_says_how_to_make_one(url: str, shop: Any) -> None:
    shop.execute("drop table mesh_outbox")
    shop.commit()
    with pytest.raises(UnreachableError) as failure:
        relayed(url, Remembering())
    assert failure.value.fix.endswith("mesh outbox table postgres")
