"""Ending long-running commands: by Ctrl-C, by SIGTERM, or with the process that started them."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def until_stopped(exit_with_parent: bool) -> Iterator[Callable[[], bool]]:
    """A question to ask in a loop: may I go on? False after SIGTERM, Ctrl-C, or the end of standard input."""
    stop = threading.Event()

    def asked(_number: int, _frame: object) -> None:
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    if exit_with_parent:
        # The parent holds the other end of this pipe: however it goes, we read its end.
        threading.Thread(target=_wait_for_parent, args=[stop], daemon=True).start()
    try:
        yield lambda: not stop.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_parent(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
