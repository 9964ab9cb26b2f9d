"""Ending long-running commands: by Ctrl-C, by SIGTERM, or with the process that started them."""

from __future__ import annotations

import os
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
        when_parent_ends(stop.set)
    try:
        yield lambda: not stop.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def when_parent_ends(then: Callable[[], None]) -> None:
    """Call `then` once standard input ends: whoever started us holds the other end of that pipe."""

    def wait() -> None:
        # Unbuffered: a thread that sleeps inside a buffered reader would abort the interpreter's exit.
        while os.read(sys.stdin.fileno(), 4_096):
            pass
        then()

    threading.Thread(target=wait, name="until the parent ends", daemon=True).start()
