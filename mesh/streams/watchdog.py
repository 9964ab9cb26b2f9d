"""A worker that has events to handle and handles none is dead, whatever it says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import MeshError

PATIENCE_SECONDS = 60.0
#: after so long what was handed over and not handled is read again: a stream may have skipped it
AGAIN_SECONDS = 10.0
LOOK_EVERY_SECONDS = 5.0
ANSWER_SECONDS = 5.0


class StuckError(MeshError):
    """Events wait, and none is handled."""

    code = "MESH-M071"
    exit_code = 70


@dataclass(slots=True)
class Watchdog:
    """Compares the end of the source topic with what is handled. Call `look` often; it asks seldom."""

    app: Any
    topic: str
    position: Callable[[int], int | None]
    patience: float = PATIENCE_SECONDS
    clock: Callable[[], float] = time.monotonic
    lag: int = field(default=0, init=False)  #: events that were not handled when it last looked
    partitions: int = field(default=0, init=False)
    _asked: float = float("-inf")
    _moved: float = field(init=False)
    _last: dict[int, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._moved = self.clock()

    async def look(self) -> None:
        """Raises StuckError when events have waited for `patience` seconds while no position moved."""
        now = self.clock()
        if now - self._asked < LOOK_EVERY_SECONDS:
            return
        self._asked = now
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                waiting = await self._waiting()
        except Exception:
            # A consumer that does not answer has not handled anything either.
            waiting = True
        positions = {partition: self.position(partition) for partition in self._last}
        if not waiting or positions != self._last:
            self._moved, self._last = now, positions
        elif now - self._moved >= self.patience:
            raise StuckError(
                f"events wait on {self.topic}, and none was handled for {self.patience:.0f} s",
                where=self.topic,
                why="the consumer or the stream hangs",
                fix="start the worker again; it goes on where its totals stand",
            )
        elif now - self._moved >= AGAIN_SECONDS:
            self.app.consumer.read_again()

    async def _waiting(self) -> bool:
        consumer = self.app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic == self.topic]
        for tp in mine:
            self._last.setdefault(tp.partition, None)
        self.partitions, self.lag = len(mine), 0
        if not mine:
            return False
        ends = await consumer.highwaters(*mine)
        self.lag = sum(max(ends[tp] - (self.position(tp.partition) or 0), 0) for tp in mine)
        for tp in mine:
            # Markers of transactions move the end and the fetch position, but are never handed over.
            fetched = await consumer.position(tp)
            handed = consumer.handed.get(tp.partition)
            handled = self.position(tp.partition) or 0
            if (fetched or 0) < ends[tp] or (handed is not None and handed >= handled):
                return True
        return False
