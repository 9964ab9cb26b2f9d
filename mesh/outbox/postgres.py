"""The outbox in PostgreSQL: events of one key wait in the order of their commits.

Numbers of a sequence are given when a row is written, not when it is committed. So a writer holds a lock on
the key of its event until its transaction ends: whoever writes the same key next gets the higher number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from mesh.errors import UsageError
from mesh.outbox.rows import Row
from mesh.outbox.sqlite import no_outbox, outside_transaction
from mesh.outbox.stores import Backlog

TABLE: Final = """\
create table if not exists mesh_outbox (
    seq bigint generated always as identity primary key,
    topic text not null,
    key bytea,
    value bytea,
    headers text not null,
    written_ms bigint not null
);
"""
_RELAY_LOCK: Final = "select pg_try_advisory_lock(hashtextextended('mesh_outbox.relay', 0))"


def insert(connection: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows in the transaction that is open, or that the driver opens for it."""
    if getattr(connection, "autocommit", False) and _idle(connection):
        raise outside_transaction()
    with connection.cursor() as cursor:
        # In one order for everybody, so that two writers never wait for each other.
        for lock in sorted({_lock(row[0], row[1]) for row in rows if row[1] is not None}):
            cursor.execute("select pg_advisory_xact_lock(%s)", (lock,))
        cursor.executemany(
            "insert into mesh_outbox (topic, key, value, headers, written_ms) values (%s, %s, %s, %s, %s)",
            rows,
        )


class PostgresStore:
    """The outbox of one PostgreSQL database; the relay's lock ends with its session."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        self._held = False

    def hold(self) -> bool:
        """Whether the lock is ours, in this session."""
        if not self._held:
            self._held = bool(self._asked(_RELAY_LOCK)[0][0])
        return self._held

    def take(self, most: int) -> Sequence[Row]:
        """The first events that wait."""
        asked = "select seq, topic, key, value, headers from mesh_outbox order by seq limit %s"
        return [Row(*row) for row in self._asked(asked, most)]

    def done(self, rows: Sequence[Row]) -> None:
        """Delete exactly these: a lower number may be committed later."""
        self._asked("delete from mesh_outbox where seq = any(%s) returning seq", [row.seq for row in rows])

    def backlog(self) -> Backlog:
        """What waits."""
        return Backlog(*self._asked("select count(*), min(written_ms) from mesh_outbox")[0])

    def close(self) -> None:
        """End the session, and with it the lock."""
        self._held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _asked(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        psycopg = _psycopg()
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            found: list[tuple[Any, ...]] = self._connection.execute(sql, given).fetchall()
            return found
        except psycopg.Error as error:
            # A session that is over has lost its lock too: the next question begins a new one.
            self.close()
            raise no_outbox("PostgreSQL", error, "postgres") from error


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise UsageError(
            "psycopg is not installed",
            code="MESH-K024",
            why="it is an extra of mesh; SQLite is always there",
            fix="pip install 'mesh[postgres]'",
        ) from None
    return psycopg


def _idle(connection: Any) -> bool:
    info = getattr(connection, "info", None)
    return info is None or int(getattr(info, "transaction_status", 0)) == 0


def _lock(topic: str, key: bytes) -> int:
    digest = hashlib.blake2b(topic.encode() + b"\0" + key, digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
