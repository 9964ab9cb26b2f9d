"""Effects: a small store of what handlers did, in SQLite; nothing in it keeps one from coming twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from mesh_platform.chaos.final import Effect

_TABLE = """
create table if not exists effects (number integer primary key, event_id text, account text, value text);
"""
_PATIENCE_SECONDS = 60


class Effects:
    """One store, shared by the processes of a group. `connection` is what an inbox of theirs works on."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma synchronous = normal")
        self.connection.execute(_TABLE)

    def apply(self, effects: Iterable[Effect]) -> None:
        """Do what the events ask for."""
        rows = [(effect.cause, effect.key, effect.value) for effect in effects]
        self.connection.executemany("insert into effects (event_id, account, value) values (?, ?, ?)", rows)

    def all(self) -> list[Effect]:
        """Every effect in the order in which it was applied."""
        asked = self.connection.execute("select event_id, account, value from effects order by number")
        return [Effect(*row) for row in asked]

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
