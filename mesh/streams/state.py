"""What a stream keeps: totals and the positions they stand for, changed together or not at all.

Totals, positions and published events of a batch are one transaction, so what is kept stands for exactly
the events before the kept positions. Kept, as JSON:

    window/<start, ISO 8601>/<group>    totals
    table/<key>                         totals
    position/<partition>                next offset: everything before it is counted or set aside
    worker/taken-over                   when a worker took over
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import pyarrow as pa

from mesh.streams.model import Stateful
from mesh.streams.summing import Unfit, summarised

Totals = TypeVar("Totals")

TAKEN_OVER = "worker/taken-over"
_NO_TOTALS = ("position/", "worker/")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch changes: entries to keep (None to forget), events to publish, and what was left out."""

    entries: Mapping[str, Any]
    events: Sequence[dict[str, Any]]
    unfit: Sequence[Unfit] = ()
    late: int = 0  #: totals of windows that were forgotten already


@dataclass(slots=True)
class State(Generic[Totals]):
    """The totals of a stream in memory; nothing changes before `keep`."""

    stream: Stateful[Any, Totals]
    _entries: dict[str, Any] = field(default_factory=dict)
    _closing: dict[datetime, set[str]] = field(default_factory=dict)

    def recover(self, entries: Mapping[str, Any]) -> None:
        """Forget everything, and go on from the entries that were kept."""
        self._entries, self._closing = {}, {}
        self._take(entries)

    def position(self, partition: int) -> int | None:
        """The next offset to be handled; None when nothing of the partition was."""
        known = self._entries.get(_position(partition))
        return None if known is None else int(known)

    def count(
        self, events: pa.RecordBatch, ends: Mapping[int, int], tables: Sequence[pa.Table] = ()
    ) -> Changes:
        """Add events, none of them added before; `ends` (partition → next offset) are the new positions."""
        found, unfit = summarised(self.stream, events, tables)
        names = {what: self.stream.name(what) for what in found}
        since = self._since(self._closing)
        late = {what for what, name in names.items() if self._is_over(name, since)}
        changed: dict[str, Totals] = {}
        for what, more in found.items():
            if what not in late:
                before = self._totals(names[what])
                changed[names[what]] = more if before is None else self.stream.merge(before, more)

        def kept(name: str) -> Totals | None:
            return changed[name] if name in changed else self._totals(name)

        published = self.stream.published([what for what in found if what not in late], kept, since)
        return Changes(self._entries_of(changed, ends), published, unfit, len(late))

    def keep(self, changes: Changes) -> None:
        """Make a batch's changes the state to count on from."""
        self._take(changes.entries)

    def _totals(self, name: str) -> Totals | None:
        known = self._entries.get(name)
        return None if known is None else self.stream.from_state(known)

    def _take(self, entries: Mapping[str, Any]) -> None:
        for name, entry in entries.items():
            closes = self._closes(name)
            if entry is None:
                self._entries.pop(name, None)
                self._forget(closes, name)
                continue
            self._entries[name] = entry
            if closes is not None:
                self._closing.setdefault(closes, set()).add(name)

    def _forget(self, closes: datetime | None, name: str) -> None:
        if closes is None or closes not in self._closing:
            return
        self._closing[closes].discard(name)
        if not self._closing[closes]:
            del self._closing[closes]

    def _entries_of(self, changed: Mapping[str, Totals], ends: Mapping[int, int]) -> dict[str, Any]:
        """What is kept of a batch; what it makes be over is forgotten after the batch, not within it."""
        closing = {closes for name in changed if (closes := self._closes(name)) is not None}
        since = self._since(closing | self._closing.keys())
        over = [
            name for closes, names in self._closing.items() if since and closes <= since for name in names
        ]
        states = {
            name: self.stream.to_state(totals)
            for name, totals in changed.items()
            if not self._is_over(name, since)
        }
        positions = {_position(partition): end for partition, end in ends.items()}
        return dict.fromkeys(over) | states | positions

    def _since(self, closing: Collection[datetime]) -> datetime | None:
        """What closed by then is over, with the newest event as the clock."""
        return self.stream.over_before(max(closing)) if closing else None

    def _is_over(self, name: str, since: datetime | None) -> bool:
        closes = self._closes(name)
        return since is not None and closes is not None and closes <= since

    def _closes(self, name: str) -> datetime | None:
        return None if name.startswith(_NO_TOTALS) else self.stream.closes(name)


def _position(partition: int) -> str:
    return f"position/{partition}"
