"""Counting moments down to the one at which the process ends itself by SIGKILL."""

from __future__ import annotations

import os
import signal


class Countdown:
    """Counts moments of one kind, and ends the process at the last."""

    def __init__(self, point: str, number: int) -> None:
        self._point, self._left = point, number

    def moment(self, *points: str) -> bool:
        """Whether this is the last moment."""
        if self._point in points:
            self._left -= 1
        return self._left == 0

    def pass_by(self, *points: str) -> None:
        if self.moment(*points):
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
