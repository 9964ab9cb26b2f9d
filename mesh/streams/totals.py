"""Counting each event once, however often it comes.

Every kept window says, per source partition, up to which offset it has counted. Totals and offsets are
written together, so each window is right by itself, even when a crash lets some windows of a batch be
written and others not. Kept, as JSON:

    window/<start, ISO 8601>/<group>    [totals, [next offset of partition 0, of partition 1, ...]]
    position/<partition>                next offset: everything before it is counted or set aside
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import pyarrow as pa

from mesh.streams.model import Key, WindowedStream

Totals = TypeVar("Totals")

#: (partition, offset) of an event on the source topic
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counted(Generic[Totals]):
    """What a batch changes: entries to keep, and the windows that have new totals."""

    entries: Mapping[str, Any]
    windows: Mapping[Key, Totals]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows that a window has counted either all or not at all, up to `ends` (partition → next offset)."""

    rows: pa.RecordBatch
    ends: Mapping[int, int]


@dataclass(slots=True)
class WindowTotals(Generic[Totals]):
    """The totals of a stream in memory; nothing changes before `keep`."""

    stream: WindowedStream[Totals]
    _entries: dict[str, Any] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)

    def recover(self, entries: Mapping[str, Any]) -> None:
        """Forget everything, and go on from the entries that were kept."""
        self._entries = {}
        self._seen = {}
        self.keep(Counted(entries, {}))

    def position(self, partition: int) -> int | None:
        """The next offset to be handled; None when nothing of the partition was."""
        known = self._entries.get(_position(partition))
        return None if known is None else int(known)

    def count(
        self, events: pa.RecordBatch, places: Sequence[Place], ends: Mapping[int, int]
    ) -> Counted[Totals]:
        """Add events in order of arrival; row i stands at `places[i]`, and all before `ends` is done with."""
        entries: dict[str, Any] = {}
        windows: dict[Key, Totals] = {}
        for stretch in self._stretches(events, places, ends):
            for key, more in self.stream.summarise(stretch.rows).items():
                name = _window(key)
                known = entries.get(name) or self._entries.get(name)
                if known is None:
                    totals, counted = more, []
                else:
                    state, counted = known
                    if all(_at(counted, partition) >= end for partition, end in stretch.ends.items()):
                        continue
                    totals = self.stream.merge(self.stream.from_state(state), more)
                windows[key] = totals
                entries[name] = [self.stream.to_state(totals), _advanced(counted, stretch.ends)]
        positions = {_position(partition): end for partition, end in ends.items()}
        return Counted(entries | positions, windows)

    def keep(self, counted: Counted[Totals]) -> None:
        """Make a batch's changes the state to count on from."""
        self._entries.update(counted.entries)
        for entry in counted.entries.values():
            if isinstance(entry, list):
                for partition, end in enumerate(entry[1]):
                    self._seen[partition] = max(end, self._seen.get(partition, 0))

    def _stretches(
        self, events: pa.RecordBatch, places: Sequence[Place], ends: Mapping[int, int]
    ) -> Iterable[_Stretch]:
        if not places:
            return
        again = {partition for partition, offset in places if offset < self._seen.get(partition, 0)}
        fresh = [row for row, (partition, _) in enumerate(places) if partition not in again]
        if fresh:
            rows = events if not again else events.take(pa.array(fresh))
            yield _Stretch(
                rows, {partition: end for partition, end in ends.items() if partition not in again}
            )
        for partition in sorted(again):
            # Windows stopped counting at several offsets: between two neighbours all or nothing was counted.
            cuts = sorted({_at(entry[1], partition) for entry in self._windows()} | {ends[partition]})
            pieces: dict[int, list[int]] = {}
            for row, (at, offset) in enumerate(places):
                if at == partition:
                    pieces.setdefault(cuts[bisect_left(cuts, offset + 1)], []).append(row)
            for end, piece in sorted(pieces.items()):
                yield _Stretch(events.take(pa.array(piece)), {partition: end})

    def _windows(self) -> Iterable[Any]:
        return (entry for name, entry in self._entries.items() if name.startswith("window/"))


def _window(key: Key) -> str:
    group, start = key
    return f"window/{_text(start)}/{group}"


def _text(start: datetime) -> str:
    return start.isoformat()


def _position(partition: int) -> str:
    return f"position/{partition}"


def _at(counted: Sequence[int], partition: int) -> int:
    return counted[partition] if partition < len(counted) else 0


def _advanced(counted: Sequence[int], ends: Mapping[int, int]) -> list[int]:
    size = max(len(counted), *(partition + 1 for partition in ends))
    return [max(_at(counted, partition), ends.get(partition, 0)) for partition in range(size)]
