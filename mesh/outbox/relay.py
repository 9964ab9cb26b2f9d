"""The relay of an outbox: publishes what waits, at least once, in order, with the ids that events have.

An event leaves the table only when the broker has acknowledged it. A relay that is killed leaves it there,
so it comes again. After a failure nothing later of its partition gets through before it: the sender must be
one that leaves no gaps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from types import TracebackType

from mesh.errors import MeshError, NotAcknowledged, UnreachableError
from mesh.interfaces import Sender
from mesh.outbox.rows import Row
from mesh.outbox.stores import Store

MOST = 1_000
LOOK_SECONDS = 0.1
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 15.0)


class Relay:
    """Publishes one database's outbox. Use `with`, or close it."""

    def __init__(self, store: Store, sender: Sender) -> None:
        self._store = store
        self._sender = sender

    def step(self, most: int = MOST) -> int:
        """Publish what waits, at most so many events; how many it were: 0 while another relay is at work.

        Raises NotAcknowledged and UnreachableError, and loses nothing.
        """
        if not self._store.hold():
            return 0
        rows = self._store.take(most)
        if rows:
            for topic, some in groupby(rows, lambda row: row.topic):
                self._send(topic, list(some))
            self._sender.flush()
            self._store.done(rows)
        return len(rows)

    def run(
        self,
        going_on: Callable[[], bool],
        told: Callable[[MeshError], None],
        wait: Callable[[float], object] = time.sleep,
    ) -> Iterator[int]:
        """Publish for as long as `going_on`; how many each step was. A failure is told, and tried again."""
        failures = 0
        while going_on():
            try:
                count = self.step()
            except (NotAcknowledged, UnreachableError) as error:
                told(error)
                _wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)], going_on, wait)
                failures += 1
                continue
            failures = 0
            if count:
                yield count
            else:
                wait(LOOK_SECONDS)

    def close(self) -> None:
        """Let go of database and broker."""
        self._store.close()
        self._sender.close()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, topic: str, rows: Sequence[Row]) -> None:
        headers = [row.unpacked() for row in rows]
        now = [0] * len(rows)
        self._sender.send(topic, [row.key for row in rows], [row.value for row in rows], headers, now)


def _wait(seconds: float, going_on: Callable[[], bool], wait: Callable[[float], object]) -> None:
    while seconds > 0 and going_on():
        wait(LOOK_SECONDS)
        seconds -= LOOK_SECONDS
