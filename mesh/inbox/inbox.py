"""The inbox of a group: which events it has handled, kept by the transaction that holds their effects.

Either an event's effect and its id are both there, or neither is. So an event that comes again, after a
crash, a rebalance, a publisher's retry or a replay, has no second effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from mesh.decoding import Batch, rows_of
from mesh.event.identity import Delivered, identity
from mesh.inbox.database import Database

#: Longer than a broker keeps the position of a group that is away: seven days unless it is told else.
KEPT = timedelta(days=14)
#: Each so many events, at most twice as many old ids go: the table shrinks faster than it grows, bit by bit.
PRUNE_EVERY = 1_000


class Inbox:
    """Event ids by group, for `kept` after they came: longer than anything may deliver an event again."""

    def __init__(
        self,
        database: Database,
        group: str,
        kept: timedelta = KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._group = group
        self._kept = kept
        self._clock = clock
        self._since_pruned = 0
        database.prepare()

    @contextmanager
    def once(self, message: Delivered) -> Iterator[bool]:
        """A transaction around one event's effect; True when it has had none. An error undoes both.

        Raises UsageError (MESH-U172) when the connection is inside a transaction already.
        """
        with self._database.transaction():
            yield self.first_time(message)

    @contextmanager
    def once_each(self, batch: Batch) -> Iterator[Batch]:
        """As `once`, for a batch: gives those of its events that have had no effect."""
        with self._database.transaction():
            yield self.first_times(batch)

    def first_time(self, message: Delivered) -> bool:
        """Note an event in the transaction you are in; False when it was noted before."""
        return bool(self._noted([identity(message)]))

    def first_times(self, batch: Batch) -> Batch:
        """Note a batch in the transaction you are in; gives the events that were not noted before."""
        ids = [identity(message) for message in batch.messages]
        rows = {event: row for row, event in reversed(list(enumerate(ids)))}
        new = self._noted(list(dict.fromkeys(ids)))
        return batch if len(new) == len(batch) else rows_of(batch, sorted(rows[event] for event in new))

    def prune(self, most: int = 10_000) -> int:
        """Drop up to `most` ids that are older than `kept`, and tell how many; done on the way, too."""
        return self._database.prune(self._group, int(self._clock() - self._kept.total_seconds()), most)

    def _noted(self, events: list[str]) -> list[str]:
        now = int(self._clock())
        self._since_pruned += len(events)
        if self._since_pruned >= PRUNE_EVERY:
            self.prune(2 * self._since_pruned)
            self._since_pruned = 0
        return self._database.add(self._group, events, now)
