"""What a domain writes to keep totals of events: values of pure functions, free of Kafka and Faust."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from mesh.errors import MeshError, UsageError

Totals = TypeVar("Totals")
Id = TypeVar("Id", bound=Hashable)


class Stop(Protocol):
    """Tells a running worker to come to its end; `threading.Event` fits."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Stateful(ABC, Generic[Id, Totals]):
    """Events of one product added up to totals, which are published as the events of another.

    `summarise` gets a batch of events and each of the `tables` as it stands, and says the batch's totals.
    `merge` must be associative: batches are cut where throughput wants it. Events of one partition come in
    order, those of several in any order: across partitions it must be commutative too. `totals` is a
    dataclass of JSON values; it is what survives a crash. An event for which `summarise` raises EventError is
    set aside as a dead letter; any other error ends the worker.
    """

    product: str  #: `<domain>.<product>` that publishes the totals
    reads: str  #: `<domain>.<product>` whose events are added up
    tables: tuple[str, ...] = ()  #: products to look things up in: the latest event of each key
    totals: type[Totals]
    summarise: Callable[..., Mapping[Id, Totals]]
    merge: Callable[[Totals, Totals], Totals]
    to_event: Callable[[Id, Totals], dict[str, Any]]
    concurrency: int = 1  #: how many handle the events of one worker; one, or it is refused

    def __post_init__(self) -> None:
        if not dataclasses.is_dataclass(self.totals):
            raise UsageError(
                f"{self.totals.__name__} is not a dataclass",
                code="MESH-U070",
                where=self.product,
                why="the totals are kept as the JSON of their fields",
            )
        if self.concurrency != 1:
            raise UsageError(
                f"a concurrency of {self.concurrency} is refused",
                code="MESH-K042",
                where=self.product,
                why="with several handlers Faust commits past events in flight (faust-streaming/faust#606), "
                "and two could add to the same totals at once",
                fix="leave concurrency at 1; a second worker (mesh run, once more) stands by to take over",
            )

    @abstractmethod
    def name(self, what: Id) -> str:
        """The name under which totals are kept."""

    def closes(self, name: str) -> datetime | None:  # noqa: ARG002
        """When the kept totals of this name take nothing more, by event time; None for never."""
        return None

    def over_before(self, newest: datetime) -> datetime | None:  # noqa: ARG002
        """What closed by then is forgotten, when the newest totals close at `newest`; None for nothing."""
        return None

    @abstractmethod
    def published(
        self, changed: Iterable[Id], kept: Callable[[str], Totals | None], since: datetime | None
    ) -> list[dict[str, Any]]:
        """The events that say how changed totals stand; what closed before `since` is not said again."""

    def to_state(self, totals: Totals) -> dict[str, Any]:
        """Totals as the JSON object that is kept."""
        return {name: getattr(totals, name) for name in self._fields()}

    def from_state(self, state: Any) -> Totals:
        """Totals as they were kept; raises MeshError (MESH-M070) when their fields have changed since."""
        found = list(state) if isinstance(state, Mapping) else []
        if set(found) != set(self._fields()):
            raise MeshError(
                f"the kept totals have other fields than {self.totals.__name__}",
                code="MESH-M070",
                where=self.product,
                why=f"kept: {', '.join(found) or 'an earlier form'}; wanted: {', '.join(self._fields())}",
                fix=f"delete the topic {self.product}-windows-changelog: all is counted again",
            )
        return self.totals(**state)

    def _fields(self) -> list[str]:
        return [field.name for field in dataclasses.fields(self.totals)]  # type: ignore[arg-type]
