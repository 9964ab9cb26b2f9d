"""Totals per window of time: tumbling, or hopping when windows begin more often than they are long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, TypeVar

from mesh.errors import UsageError
from mesh.streams.model import Stateful

Totals = TypeVar("Totals")

#: (what the window is about, its start in UTC)
Key = tuple[str, datetime]


@dataclass(frozen=True, kw_only=True)
class WindowedStream(Stateful[Key, Totals]):
    """Events of one product added up in windows, which are the events of another.

    `summarise` names each stretch of time by its start: a multiple of `every`, which is the window's length
    unless it is given. Each event is added once, to its stretch; a window is the merger of the stretches it
    covers. With `keep`, what ended so long before the newest event is forgotten, and events that come even
    later are left out and counted; without, every window is kept for ever.
    """

    window: timedelta
    every: timedelta | None = None
    keep: timedelta | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window <= timedelta(0):
            raise UsageError("the window has no length", code="MESH-U071", where=self.product)
        if self.every is not None and (self.every <= timedelta(0) or self.window % self.every):
            raise UsageError(
                f"windows of {self.window} cannot begin every {self.every}",
                code="MESH-K043",
                where=self.product,
                why="a window is made of whole stretches between two beginnings",
                fix="choose an `every` of which `window` is a multiple",
            )
        if self.keep is not None and self.keep < timedelta(0):
            raise UsageError(
                "a window cannot be forgotten before it ends", code="MESH-K044", where=self.product
            )

    @property
    def stretch(self) -> timedelta:
        """The time between the beginnings of two windows."""
        return self.every or self.window

    def name(self, what: Key) -> str:
        """`window/<start>/<group>`."""
        group, start = what
        return f"window/{start.isoformat()}/{group}"

    def closes(self, name: str) -> datetime:
        """The end of the last window that covers the stretch."""
        return datetime.fromisoformat(name.split("/", 2)[1]) + self.window

    def over_before(self, newest: datetime) -> datetime | None:
        """`keep` before the newest stretch begins."""
        return None if self.keep is None else newest - self.window - self.keep

    def published(
        self, changed: Iterable[Key], kept: Callable[[str], Totals | None], since: datetime | None
    ) -> list[dict[str, Any]]:
        """One event for each open window that covers a changed stretch, ordered by what it is about."""
        back = [self.stretch * steps for steps in range(self.window // self.stretch)]
        windows = {(group, start - step) for group, start in changed for step in back}
        events = []
        for group, start in sorted(windows):
            if since is not None and start + self.window <= since:
                continue
            stretches = (kept(self.name((group, start + step))) for step in back)
            totals = reduce(self.merge, (found for found in stretches if found is not None))
            events.append(self.to_event((group, start), totals))
        return events
