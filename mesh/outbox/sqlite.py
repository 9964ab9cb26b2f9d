"""The outbox in SQLite: one writer at a time, so events wait in the order of their commits."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mesh.errors import UnreachableError, UsageError
from mesh.outbox.rows import Row
from mesh.outbox.stores import Backlog

TABLE: Final = """\
create table if not exists mesh_outbox (
    seq integer primary key autoincrement,
    topic text not null,
    key blob,
    value blob,
    headers text not null,
    written_ms integer not null
);
"""
#: how long a relay waits for the caller's transactions
BUSY_SECONDS: Final = 30.0


def speaks(connection: Any) -> bool:
    """Whether this is a connection of SQLite."""
    return isinstance(connection, sqlite3.Connection)


def insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows in the transaction that is open, or that SQLite's module opens for it."""
    by_itself = connection.isolation_level is None or getattr(connection, "autocommit", False) is True
    if by_itself and not connection.in_transaction:
        raise outside_transaction()
    connection.executemany(
        "insert into mesh_outbox (topic, key, value, headers, written_ms) values (?, ?, ?, ?, ?)", rows
    )


def outside_transaction() -> UsageError:
    """For a connection that would commit the event by itself."""
    return UsageError(
        "the outbox was written to outside of a transaction",
        code="MESH-E044",
        why="this connection commits each statement by itself: the event could be there without your data",
        fix="begin a transaction, write both, and commit",
    )


class SqliteStore:
    """The outbox of one SQLite file; the relay's lock is a file beside it, gone when its process is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".outbox-lock").open("a")
        self._held = False
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)

    def hold(self) -> bool:
        """Whether the lock is ours."""
        if not self._held:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._held = True
        return True

    def take(self, most: int) -> Sequence[Row]:
        """The first events that wait."""
        asked = "select seq, topic, key, value, headers from mesh_outbox order by seq limit ?"
        return [Row(*row) for row in self._asked(asked, (most,))]

    def done(self, rows: Sequence[Row]) -> None:
        """Delete these, in one transaction."""
        # SQLite gives numbers in the order of commits: none below the last can appear later.
        self._asked("delete from mesh_outbox where seq <= ?", (rows[-1].seq,))

    def backlog(self) -> Backlog:
        """What waits."""
        return Backlog(*self._asked("select count(*), min(written_ms) from mesh_outbox", ())[0])

    def close(self) -> None:
        """Let go of file and lock."""
        self._connection.close()
        self._lock.close()

    def _asked(self, sql: str, given: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(sql, given).fetchall()
        except sqlite3.OperationalError as error:
            raise no_outbox(str(self._path), error, "sqlite") from error


def no_outbox(database: str, error: Exception, dialect: str) -> UnreachableError:
    """For a database that does not answer, or has no outbox."""
    return UnreachableError(
        "the outbox does not answer",
        code="MESH-K023",
        where=database,
        why=str(error).strip(),
        fix=f"if the table is missing: mesh outbox table {dialect}",
    )
