"""The disk that events may take: a bound on all logs together.

Behaviour
* A claim beyond the bound is refused before anything is written.
* `used` is a running total. Claims add to it; counting the logs anew corrects it when retention, compaction
  or a deletion made room: in every round of upkeep, and before a refusal at most every 50 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

from mesh_platform.broker import journal
from mesh_platform.broker.sizes import told

_COUNT_SECONDS = 0.05


class DiskFull(Exception):
    """There is no room for these bytes."""


class Disk:
    """`used` bytes of `most`; without a bound `most` is None."""

    def __init__(self, most: int | None, count: Callable[[], int]) -> None:
        self.most = most
        self.batches = 0
        self.bytes = 0
        self.refused = 0
        self.used = count()
        self._count = count
        self._counted = time.monotonic()
        self._full = False

    def recount(self) -> None:
        counted, before = self._count(), self.used
        self.used, self._counted = counted, time.monotonic()
        if self._full and counted < before:
            self._full = False
            journal.note("disk has room", used=counted, most=self.most)

    def claim(self, size: int) -> None:
        """Take room for one batch that is about to be written. Raises DiskFull."""
        if self.most is not None and not self._fits(size):
            self._refuse(size, self.most)
        self.used += size
        self.bytes += size
        self.batches += 1

    def _refuse(self, size: int, most: int) -> NoReturn:
        self.refused += 1
        if not self._full:
            journal.note("disk full", used=self.used, most=most)
        self._full = True
        raise DiskFull(
            f"{told(size)} more than the {told(self.used)} in use would exceed --max-disk, {told(most)}: "
            "lower retention.ms or retention.bytes, delete topics, or start it with a larger --max-disk"
        )

    def _fits(self, size: int) -> bool:
        assert self.most is not None
        if self.used + size > self.most and time.monotonic() - self._counted >= _COUNT_SECONDS:
            self.recount()
        return self.used + size <= self.most
