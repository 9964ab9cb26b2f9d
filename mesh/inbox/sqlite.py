"""An inbox in SQLite, on a connection of the standard library's `sqlite3`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mesh.inbox.transactions import inside_another

_TABLE = """\
create table if not exists mesh_inbox (
    reader text not null, event text not null, at integer not null, primary key (reader, event)
) without rowid"""
_INDEX = "create index if not exists mesh_inbox_at on mesh_inbox (reader, at)"
_ADD = "insert into mesh_inbox (reader, event, at) values (?, ?, ?) on conflict do nothing"
_PRUNE = """\
delete from mesh_inbox where reader = ?1 and event in (
    select event from mesh_inbox where reader = ?1 and at < ?2 order by at limit ?3
)"""


class SQLite:
    """The connection must be the one that the handler writes with."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def prepare(self) -> None:
        """Make the table."""
        if self._connection.in_transaction:
            raise inside_another()
        self._connection.execute(_TABLE)
        self._connection.execute(_INDEX)
        self._connection.commit()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin as a writer at once: two that began as readers would keep each other from writing."""
        if self._connection.in_transaction:
            raise inside_another()
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def add(self, reader: str, events: Sequence[str], at: int) -> list[str]:
        """Add what is new."""
        execute = self._connection.execute
        return [event for event in events if execute(_ADD, (reader, event, at)).rowcount]

    def prune(self, reader: str, before: int, most: int) -> int:
        """Remove the oldest."""
        return self._connection.execute(_PRUNE, (reader, before, most)).rowcount
