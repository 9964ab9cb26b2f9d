"""SIGTERM as a wish: what is in hand is finished first. Only where the program has not said otherwise.

A second SIGTERM ends the process, as it would have without us.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_stops: list[Callable[[], None]] = []


@contextmanager
def drained_on_sigterm(stop: Callable[[], None]) -> Iterator[None]:
    """While the block runs, SIGTERM calls `stop`; a handler that the program has set itself stays."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, _asked):
        yield
        return
    _stops.append(stop)
    signal.signal(signal.SIGTERM, _asked)
    try:
        yield
    finally:
        _stops.remove(stop)
        if not _stops and signal.getsignal(signal.SIGTERM) is _asked:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _asked(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    for stop in _stops:
        stop()
