"""An inbox in PostgreSQL, on a connection of psycopg 3; mesh itself does not need psycopg."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mesh.inbox.transactions import inside_another

if TYPE_CHECKING:
    from psycopg import Connection

_TABLE = """\
create table if not exists mesh_inbox (
    reader text not null, event text not null, at bigint not null, primary key (reader, event)
)"""
_INDEX = "create index if not exists mesh_inbox_at on mesh_inbox (reader, at)"
# Two members that handle the same event at the same time: the second waits here for the first to commit.
# In one order for all, so that two batches never wait for each other.
_ADD = """\
insert into mesh_inbox (reader, event, at)
select %s, event, %s from unnest(%s::text[]) as event order by event
on conflict do nothing returning event"""
_PRUNE = """\
delete from mesh_inbox where reader = %s and event in (
    select event from mesh_inbox where reader = %s and at < %s order by at limit %s for update skip locked
)"""
_ONE_AT_A_TIME = 5_640_738_301  #: `create table if not exists` of two sessions may collide


class Postgres:
    """The connection must be the one that the handler writes with."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def prepare(self) -> None:
        """Make the table."""
        with self.transaction():
            self._connection.execute("select pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            self._connection.execute(_TABLE)
            self._connection.execute(_INDEX)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """psycopg's own, which would be a savepoint only inside another one."""
        if self._connection.info.transaction_status != 0:
            raise inside_another()
        with self._connection.transaction():
            yield

    def add(self, reader: str, events: Sequence[str], at: int) -> list[str]:
        """Add what is new, in one statement."""
        found = self._connection.execute(_ADD, (reader, at, list(events)))
        return [row[0] for row in found.fetchall()]

    def prune(self, reader: str, before: int, most: int) -> int:
        """Remove the oldest; what another member is removing is left to it."""
        return int(self._connection.execute(_PRUNE, (reader, reader, before, most)).rowcount)
