"""One transactional id: who holds it, and how far its transaction is.

    Empty ──► Ongoing ──commit──► PrepareCommit ──markers written──► CompleteCommit ──► Ongoing …
                  └─────abort───► PrepareAbort ──markers written──► CompleteAbort ──► Ongoing …

Prepare is the decision: once it is saved, the transaction ends so, whatever happens to the process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from kio.schema.errors import ErrorCode

LAST_EPOCH = 2**15 - 2  # the one after is kept to fence with


class State(Enum):
    """The names are Kafka's."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"


class TransactionRefusal(Exception):
    """The request's answer is this error."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transactional id's state. Times in milliseconds; `partitions` are (topic, partition)."""

    id: str
    producer_id: int
    epoch: int
    timeout_ms: int
    last_epoch: int = -1  #: the one its holder named when it asked for this epoch, so that it may ask again
    state: State = State.EMPTY
    started: int = -1
    updated: int = -1
    partitions: frozenset[tuple[str, int]] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def is_ongoing(self) -> bool:
        return self.state is State.ONGOING

    @property
    def is_ending(self) -> bool:
        return self.state in (State.PREPARE_COMMIT, State.PREPARE_ABORT)

    @property
    def commits(self) -> bool:
        """Whether its last decision was to commit."""
        return self.state in (State.PREPARE_COMMIT, State.COMPLETE_COMMIT)

    def is_overdue(self, now: int) -> bool:
        return self.is_ongoing and now - self.started > self.timeout_ms

    def adding(self, partitions: Sequence[tuple[str, int]], groups: Sequence[str], now: int) -> Transaction:
        """Also in these partitions and groups; a transaction that was over begins anew."""
        fresh = self if self.is_ongoing else replace(self, partitions=frozenset(), groups=frozenset())
        return replace(
            fresh,
            state=State.ONGOING,
            started=self.started if self.is_ongoing else now,
            updated=now,
            partitions=fresh.partitions.union(partitions),
            groups=fresh.groups.union(groups),
        )

    def fenced(self, *, by_itself: bool) -> Transaction:
        """Of the epoch after; only who was fenced by nobody else may take that epoch for its own."""
        return replace(self, epoch=self.epoch + 1, last_epoch=self.epoch if by_itself else -1)

    def deciding(self, *, commits: bool, now: int) -> Transaction:
        return replace(self, state=State.PREPARE_COMMIT if commits else State.PREPARE_ABORT, updated=now)

    def completed(self, now: int) -> Transaction:
        """Over; it is in no partition any more."""
        state = State.COMPLETE_COMMIT if self.commits else State.COMPLETE_ABORT
        return replace(self, state=state, updated=now, partitions=frozenset(), groups=frozenset())

    def dump(self) -> str:
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(
            values
            | {
                "state": self.state.value,
                "partitions": sorted(self.partitions),
                "groups": sorted(self.groups),
            }
        )

    @classmethod
    def load(cls, dumped: str) -> Transaction:
        values = json.loads(dumped)
        values["state"] = State(values["state"])
        values["partitions"] = frozenset((topic, partition) for topic, partition in values["partitions"])
        values["groups"] = frozenset(values["groups"])
        return cls(**values)
