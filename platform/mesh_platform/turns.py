"""Who may change the views: one thread at a time, and once an event loop serves them, its own only.

Requests read views in the loop's thread without a lock. Changed there too, and a record at a time, they
are never seen half changed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

_LOOK_SECONDS = 0.1


class Turns:
    """Runs work that changes views where nobody reads them meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = threading.Event()

    def belong_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on work runs in this loop's thread."""
        with self._lock:
            self._loop = loop

    def take(self, work: Callable[[], None]) -> None:
        """Returns when the work is done, or when there is nobody left to do it for; raises what it raises."""
        with self._lock:
            loop = self._loop
            if loop is None or loop is _running():
                work()
                return
        done: Future[None] = Future()

        def turn() -> None:
            try:
                work()
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        try:
            loop.call_soon_threadsafe(turn)
        except RuntimeError:
            return  # the loop has been closed
        while not done.done() and not self._closed.is_set():
            wait([done], timeout=_LOOK_SECONDS)
        if done.done():
            done.result()

    def close(self) -> None:
        """Let go of whoever waits for a turn."""
        self._closed.set()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
