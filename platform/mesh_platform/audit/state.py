"""The hash chain as a pure state: every replica computes it from the same records, and checks the others.

A log with several writers cannot chain at append. So who applies a record extends the chain, and every
`CHECKPOINT_EVERY` records one of the writers appends what it has computed (`audit.checkpoint`). A checkpoint
that differs from one's own chain is evidence: a record before it was edited, deleted or moved.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh_platform.log.entry import entry_of
from mesh_platform.log.record import GENESIS, Record

CHECKPOINT: Final = "audit.checkpoint"
CHECKPOINT_EVERY: Final = 100
#: A paused process may append a checkpoint of long ago; one older than this is left to `mesh audit verify`.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A checkpoint that says otherwise than the records before it."""

    at: int  #: offset of the checkpoint
    offset: int  #: of the last record it speaks of
    stated: str
    computed: str


class AuditState:
    """The chain up to the last record applied, and whether the checkpoints agree with it."""

    def __init__(self) -> None:
        self.head = (-1, GENESIS)  #: the last record and its hash: one value, so that every thread sees both
        self.disagreements: list[Disagreement] = []
        self.unsealed = 0  #: records since the last checkpoint
        self._known: OrderedDict[int, str] = OrderedDict({-1: GENESIS})

    def apply(self, record: Record) -> None:
        """Extend the chain; a checkpoint is compared first."""
        if record.kind == CHECKPOINT:
            self._compare(record.offset, record.body)
            self.unsealed = 0
        else:
            self.unsealed += 1
        self.head = (record.offset, entry_of(record).after(self.chain))
        self._known[self.offset] = self.chain
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    @property
    def offset(self) -> int:
        """The last record applied; -1 before the first."""
        return self.head[0]

    @property
    def chain(self) -> str:
        """The hash of all records applied."""
        return self.head[1]

    @property
    def due(self) -> bool:
        """Whether the next to write appends a checkpoint."""
        return self.unsealed >= CHECKPOINT_EVERY

    def checkpoint(self) -> Mapping[str, Any]:
        """The body of a checkpoint as of now."""
        offset, chain = self.head
        return {"offset": offset, "chain": chain}

    def chain_at(self, offset: int) -> str | None:
        """The chain hash of a recent record; -1 stands before the first."""
        return self._known.get(offset)

    def snapshot(self) -> list[object]:
        """What goes on from here needs: where the chain stands, what was found wrong."""
        found = [[one.at, one.offset, one.stated, one.computed] for one in self.disagreements]
        return [self.offset, self.chain, self.unsealed, found]

    def restore(self, part: Iterable[Any]) -> None:
        """Go on from a snapshot."""
        offset, chain, self.unsealed, found = part
        self.head = (offset, chain)
        self.disagreements = [Disagreement(*one) for one in found]
        self._known = OrderedDict({self.offset: self.chain})

    def recall(self, before: str, records: Sequence[Record]) -> str:
        """Remember the hashes of records that a snapshot covers; `before` is that before the first of them.

        Returns the hash they lead to.
        """
        chain = before
        for record in records:
            self._known[record.offset - 1] = chain
            chain = entry_of(record).after(chain)
        return chain

    def _compare(self, at: int, body: Mapping[str, Any]) -> None:
        offset, stated = body.get("offset"), body.get("chain")
        if not isinstance(offset, int) or not isinstance(stated, str):
            return  # of another release, or of no sense: `mesh audit verify` says so
        computed = self.chain_at(offset)
        if computed is not None and computed != stated:
            self.disagreements.append(Disagreement(at, offset, stated, computed))
