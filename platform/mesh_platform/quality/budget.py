"""A time budget for code that may hang: after it, the code is interrupted wherever it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Overtime(BaseException):
    """The budget is spent; not an Exception, so that no library in between takes it for its own failure."""


@contextmanager
def time_budget(seconds: float) -> Iterator[None]:
    """Raise Overtime inside the block after `seconds`; for the main thread only, blocks do not nest."""

    def spent(_number: int, _frame: object) -> None:
        raise Overtime(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, spent)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
