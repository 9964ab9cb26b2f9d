"""Whether a control log is what was written: every edited, deleted or moved record shows.

Three kinds of witnesses are heard, each from another hand: the hash beside every record (SQLite), the
checkpoints inside the log, and anchors from outside (a snapshot, a backup, an auditor's note). Records that
were cut off at the end show to anchors only: nothing inside a log knows how long it ought to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh_platform.audit.state import CHECKPOINT
from mesh_platform.log.entry import Entry
from mesh_platform.log.record import GENESIS


@dataclass(frozen=True, slots=True)
class Anchor:
    """A chain hash that somebody keeps outside the log."""

    offset: int
    chain: str
    kept_by: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a log is not what was written: a record from `first` to `last` was touched."""

    first: int
    last: int
    witness: str
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: how far the log goes, its chain hash there, and the first flaw."""

    records: int
    head: str
    checkpoints: int
    flaw: Flaw | None = None


def verify(entries: Iterable[Entry], anchors: Sequence[Anchor] = ()) -> Verified:
    """Read the whole log and hear every witness; stops at the first flaw."""
    walk = _Walk(anchors)
    for entry in entries:
        walk.take(entry)
        if walk.flaw is not None:
            return walk.verified()
    walk.end()
    return walk.verified()


class _Walk:
    """The log as read so far."""

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self.flaw: Flaw | None = None
        self._chains = [GENESIS]  # the hash of offset n is at n + 1
        self._sound = 0  # all records before this one are vouched for
        self._checkpoints = 0
        self._anchors = sorted(anchors, key=lambda anchor: anchor.offset)

    def take(self, entry: Entry) -> None:
        """One more record."""
        offset = len(self._chains) - 1
        if entry.offset != offset:
            self._found(offset, offset, "the offsets", f"record {entry.offset} stands where {offset} belongs")
            return
        if entry.kind == CHECKPOINT:
            self._hear_checkpoint(entry)
        chain = entry.after(self._chains[-1])
        if entry.chain not in (None, chain):
            self._found(offset, offset, "the hash beside the record", "the record does not have that hash")
            return
        self._chains.append(chain)
        if entry.chain is not None:
            self._sound = offset + 1
        while self._anchors and self._anchors[0].offset == offset and self.flaw is None:
            anchor = self._anchors.pop(0)
            self._hear(anchor.offset, anchor.chain, anchor.kept_by)

    def end(self) -> None:
        """No more records: an anchor that is left speaks of records that are gone."""
        if self._anchors:
            last, length = self._anchors[0], len(self._chains) - 1
            self._found(length, last.offset, last.kept_by, f"the log ends before record {last.offset}")

    def verified(self) -> Verified:
        """The result so far."""
        return Verified(len(self._chains) - 1, self._chains[-1], self._checkpoints, self.flaw)

    def _hear_checkpoint(self, entry: Entry) -> None:
        self._checkpoints += 1
        witness = f"the checkpoint at {entry.offset}"
        try:
            body = json.loads(entry.body)
            offset, chain = int(body["offset"]), str(body["chain"])
        except (ValueError, TypeError, KeyError):
            self._found(entry.offset, entry.offset, witness, "it cannot be read")
            return
        if -1 <= offset < entry.offset:
            self._hear(offset, chain, witness)
        else:
            first = min(self._sound, entry.offset)
            self._found(first, entry.offset, witness, f"it speaks of record {offset}, which comes after it")

    def _hear(self, offset: int, chain: str, witness: str) -> None:
        if self._chains[offset + 1] == chain:
            self._sound = max(self._sound, offset + 1)
        else:
            first = min(self._sound, offset)
            self._found(first, offset, witness, "its hash is not that of the records up to there")

    def _found(self, first: int, last: int, witness: str, why: str) -> None:
        if self.flaw is None:
            self.flaw = Flaw(first, last, witness, why)
