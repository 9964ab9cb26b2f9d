"""Effects: a small store of what handlers did; effect and inbox entry in one transaction of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh_platform.chaos.final import Effect

_TABLES = """
create table if not exists inbox (event_id text primary key) without rowid;
create table if not exists effects (number integer primary key, event_id text, account text, value text);
"""
_PATIENCE_SECONDS = 60


class Effects:
    """One store, shared by the processes of a group. Nothing in it keeps an effect from coming twice."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        with self.transaction():
            for statement in filter(str.strip, _TABLES.split(";")):
                self._db.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done within, or nothing of it."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def first(self, event_id: str) -> bool:
        """Whether an event comes for the first time; from now on it has come."""
        return self._db.execute("insert or ignore into inbox values (?)", (event_id,)).rowcount == 1

    def apply(self, effects: Iterable[Effect]) -> None:
        """Do what the events ask for."""
        rows = [(effect.cause, effect.key, effect.value) for effect in effects]
        self._db.executemany("insert into effects (event_id, account, value) values (?, ?, ?)", rows)

    def all(self) -> list[Effect]:
        """Every effect in the order in which it was applied."""
        asked = self._db.execute("select event_id, account, value from effects order by number")
        return [Effect(*row) for row in asked]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
