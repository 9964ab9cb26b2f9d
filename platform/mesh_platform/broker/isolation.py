"""What read_committed may see of one partition: which transactions are open, and which were aborted.

Everything before the last stable offset may be seen. What of it was aborted is told along with the batches;
the consumer drops it by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mesh_platform.broker.batch import Batch
from mesh_platform.broker.markers import is_commit


class Aborted(NamedTuple):
    """An aborted transaction: where it began, its marker, and what was stable once it had ended."""

    producer_id: int
    first_offset: int
    last_offset: int
    stable_offset: int


class Isolation:
    """Transactions of one partition; `open` has the first offset of each by producer id."""

    def __init__(self) -> None:
        self.open: dict[int, int] = {}
        self._aborted: list[Aborted] = []

    def note(self, batch: Batch, base_offset: int, data: bytes | bytearray) -> None:
        """Remember a transactional batch, or the marker that ends a transaction."""
        if not batch.is_control:
            self.open.setdefault(batch.producer_id, base_offset)
            return
        first = self.open.pop(batch.producer_id, None)
        if first is not None and not is_commit(data):
            stable = self.stable_offset(base_offset + 1)
            self._aborted.append(Aborted(batch.producer_id, first, base_offset, stable))

    def stable_offset(self, end_offset: int) -> int:
        """The first offset of the oldest open transaction, or the end."""
        return min(self.open.values(), default=end_offset)

    def aborted(self, start: int, end: int) -> Sequence[Aborted]:
        """The aborted transactions that touch offsets from `start` up to but not including `end`."""
        found = []
        for entry in self._aborted[bisect_left(self._aborted, start, key=lambda a: a.last_offset) :]:
            if entry.first_offset < end:
                found.append(entry)
            if entry.stable_offset >= end:
                break
        return found

    def forget(self, gone: Iterable[Aborted]) -> None:
        """Drop aborted transactions of which no event is left."""
        dropped = set(gone)
        self._aborted = [entry for entry in self._aborted if entry not in dropped]

    def forget_before(self, offset: int) -> None:
        """Drop aborted transactions that ended before `offset`."""
        del self._aborted[: bisect_left(self._aborted, offset, key=lambda a: a.last_offset)]

    def dump(self) -> dict[str, Any]:
        return {"open": list(self.open.items()), "aborted": self._aborted}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Isolation:
        loaded = cls()
        loaded.open = dict(dumped["open"])
        loaded._aborted = [Aborted(*entry) for entry in dumped["aborted"]]
        return loaded
