"""Where events wait: one table, `mesh_outbox`, in the caller's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mesh.errors import UsageError
from mesh.outbox.rows import Row


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait, and since when the first of them does (ms since 1970)."""

    events: int
    oldest_ms: int | None = None


class Store(Protocol):
    """The outbox of one database, as its relay sees it. Raises UnreachableError."""

    def hold(self) -> bool:
        """Whether this relay is the one that publishes: there is one at a time."""

    def take(self, most: int) -> Sequence[Row]:
        """The first events that wait, in their order."""

    def done(self, rows: Sequence[Row]) -> None:
        """These were acknowledged: they wait no longer."""

    def backlog(self) -> Backlog: ...

    def close(self) -> None: ...


def store_of(database: str) -> Store:
    """The outbox of a database: `postgresql://…`, or the path of an SQLite file. Raises UsageError."""
    if database.startswith(("postgres://", "postgresql://")):
        from mesh.outbox.postgres import PostgresStore

        return PostgresStore(database)
    from mesh.outbox.sqlite import SqliteStore

    if not Path(database).is_file():
        raise UsageError(
            f"there is no database {database}",
            code="MESH-K022",
            why="an outbox is the path of an SQLite file, or begins with postgresql://",
            fix="mesh outbox run shop.db",
        )
    return SqliteStore(Path(database))


def table_of(dialect: str) -> str:
    """The SQL that makes the table in sqlite or postgres, for migrations. Raises UsageError."""
    from mesh.outbox import postgres, sqlite

    tables = {"sqlite": sqlite.TABLE, "postgres": postgres.TABLE}
    if dialect not in tables:
        raise UsageError(
            f"there is no outbox in {dialect}",
            code="MESH-K025",
            why="events wait in SQLite or PostgreSQL",
            fix="mesh outbox table postgres",
        )
    return tables[dialect]
