"""When an event that a handler could not take is tried again, and when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh.errors import EventError, NotAcknowledged, UnreachableError, UsageError

#: five seconds, a minute, ten minutes: a restart, a deployment, an incident
WAITS = (5.0, 60.0, 600.0)
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Retries:
    """After the n-th failure an event waits `waits[n]` seconds; after the last one it is a dead letter."""

    waits: Sequence[float] = WAITS
    never: tuple[type[Exception], ...] = (EventError,)  #: no wait mends these: a dead letter at once
    stops: tuple[type[Exception], ...] = (UnreachableError,)  #: no event's fault: the run ends with them
    most_waiting: int = MOST_WAITING  #: with so many events waiting, no new ones are taken

    def __post_init__(self) -> None:
        if any(wait < 0 for wait in self.waits) or self.most_waiting < 1:
            raise UsageError(
                "these retries cannot be kept",
                code="MESH-U171",
                why="a wait is a number of seconds, 0 or more, and at least one event must be able to wait",
                fix="Retries(waits=(5, 60, 600))",
            )

    def after(self, failures: int, error: Exception) -> float | None:
        """How long to wait after so many failures, this one included; None when it was the last."""
        hopeless = isinstance(error, self.never) and not isinstance(error, NotAcknowledged)
        if hopeless or failures > len(self.waits):
            return None
        return float(self.waits[failures - 1])
