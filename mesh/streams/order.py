"""Reading on from where the totals stand, whatever the group's committed offset says.

Faust acknowledges what it skips while a group rebalances, and what a stopped agent still holds. Its committed
offset may therefore stand beyond events that no one has counted. The kept position is the truth: the first
event of every generation must not stand beyond it, or the reading goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar


class Placed(Protocol):
    """A record as far as its place matters."""

    def partition(self) -> int: ...
    def offset(self) -> int: ...


R = TypeVar("R", bound=Placed)


@dataclass(slots=True)
class Resumption:
    """Lets through records that continue from the position; says where to go back to otherwise."""

    position: Callable[[int], int | None]
    _generation: int | None = None
    _sure: set[int] = field(default_factory=set)
    _awaited: dict[int, int] = field(default_factory=dict)

    def sift(self, records: Iterable[R], generation: int) -> tuple[list[R], dict[int, int]]:
        """`(records to handle, partition → offset to go back to)`; what comes before a return is dropped."""
        if generation != self._generation:
            self._generation = generation
            self._sure.clear()
            self._awaited.clear()
        kept: list[R] = []
        back: dict[int, int] = {}
        for record in records:
            partition, offset = record.partition(), record.offset()
            if partition in self._sure:
                kept.append(record)
            elif partition in self._awaited:
                # Whatever was on its way stands behind the record that gave the gap away.
                if offset <= self._awaited[partition]:
                    del self._awaited[partition]
                    self._sure.add(partition)
                    kept.append(record)
            else:
                want = self.position(partition)
                if want is None or offset <= want:
                    self._sure.add(partition)
                    kept.append(record)
                else:
                    self._awaited[partition] = offset
                    back[partition] = want
        return kept, back
