"""Totals per key, for as long as the product lives: a table that its events keep current."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from mesh.streams.model import Stateful

Totals = TypeVar("Totals")


@dataclass(frozen=True, kw_only=True)
class TableStream(Stateful[str, Totals]):
    """Events of one product added up per key; each change of a key's totals is an event of another.

    `merge(before, more)` may go by order (the latest wins, a state follows another) where all events of a
    key are on one partition, as they are when it is their record key.
    """

    def name(self, what: str) -> str:
        """`table/<key>`."""
        return f"table/{what}"

    def published(
        self,
        changed: Iterable[str],
        kept: Callable[[str], Totals | None],
        since: datetime | None,  # noqa: ARG002
    ) -> list[dict[str, Any]]:
        """One event for each changed key, ordered by key."""
        events = []
        for key in sorted(changed):
            totals = kept(self.name(key))
            assert totals is not None
            events.append(self.to_event(key, totals))
        return events
