"""What an inbox asks of a database: one table, and statements inside the transaction of the handler."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol


class Database(Protocol):
    """The handler's own connection, as far as an inbox uses it."""

    def prepare(self) -> None:
        """Make the table where it is not there, and commit that."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what is done inside, or nothing of it; raises UsageError (MESH-U172) inside another one."""

    def add(self, reader: str, events: Sequence[str], at: int) -> list[str]:
        """Add those that are not there yet, and tell which they were."""

    def prune(self, reader: str, before: int, most: int) -> int:
        """Remove up to `most` that were added earlier than `before`, and tell how many."""
