"""What a domain writes to derive windows from events: a value of pure functions, free of Kafka and Faust."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import pyarrow as pa

from mesh.errors import MeshError, UsageError

Totals = TypeVar("Totals")

#: (what the window is about, its start in UTC)
Key = tuple[str, datetime]


class Stop(Protocol):
    """Tells a running worker to come to its end; `threading.Event` fits."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowedStream(Generic[Totals]):
    """Events of one product summed up in windows, which are the events of another.

    `merge` must be associative and commutative: batches are cut where throughput wants it, and events of
    several partitions come in any order. `totals` is a dataclass of JSON values; it is what survives a crash.
    """

    product: str  #: `<domain>.<product>` that publishes the windows
    reads: str  #: `<domain>.<product>` whose events are summed up
    window: timedelta
    totals: type[Totals]
    summarise: Callable[[pa.RecordBatch], Mapping[Key, Totals]]
    merge: Callable[[Totals, Totals], Totals]
    to_event: Callable[[Key, Totals], dict[str, Any]]

    def __post_init__(self) -> None:
        if not dataclasses.is_dataclass(self.totals):
            raise UsageError(
                f"{self.totals.__name__} is not a dataclass",
                code="MESH-U070",
                where=self.product,
                why="the totals of a window are kept as the JSON of their fields",
            )
        if self.window <= timedelta(0):
            raise UsageError("the window has no length", code="MESH-U071", where=self.product)

    def to_state(self, totals: Totals) -> dict[str, Any]:
        """Totals as the JSON object that is kept."""
        return {name: getattr(totals, name) for name in self._fields()}

    def from_state(self, state: Mapping[str, Any]) -> Totals:
        """Totals as they were kept; raises MeshError (MESH-M070) when their fields have changed since."""
        if state.keys() != set(self._fields()):
            raise MeshError(
                f"the kept totals have other fields than {self.totals.__name__}",
                code="MESH-M070",
                where=self.product,
                why=f"kept: {', '.join(state)}; wanted: {', '.join(self._fields())}",
                fix="count again from the beginning under a new group",
            )
        return self.totals(**state)

    def _fields(self) -> list[str]:
        return [field.name for field in dataclasses.fields(self.totals)]  # type: ignore[arg-type]
