"""Total queue: what was attempted, acknowledged and read in the end, as Jepsen counts it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mesh_platform.chaos.checks import History
from mesh_platform.chaos.final import Final


@dataclass(frozen=True, slots=True)
class Queue:
    """Counts of values. `recovered` were never acknowledged and are there; `copies` are more than one."""

    attempted: int
    acknowledged: int
    lost: int
    unexpected: int
    recovered: int
    copies: int

    def figures(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def total_queue(history: History, final: Final) -> Queue:
    """Count what `send` attempted and was told, and what is there."""
    attempted: set[str | None] = set()
    acknowledged: set[str | None] = set()
    for line in history:
        if line.f == "send" and line.type in ("invoke", "ok"):
            told = attempted if line.type == "invoke" else acknowledged
            told.update(value for _, value in line.events)
    there: set[str | None] = set()
    records = 0
    for found in final.records.values():
        records += len(found)
        there.update(record.value for record in found)
    return Queue(
        attempted=len(attempted),
        acknowledged=len(acknowledged),
        lost=len(acknowledged - there),
        unexpected=len(there - attempted),
        recovered=len((there & attempted) - acknowledged),
        copies=records - len(there),
    )
