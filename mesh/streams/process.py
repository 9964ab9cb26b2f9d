"""A worker as a process: when it stops, what it says, how it ends."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from mesh.errors import MeshError
from mesh.streams.model import Stop

EXIT_WITH_PARENT = "--exit-with-parent"
STOP_SECONDS = 9.5
REPEAT_SECONDS = 10.0
REMEMBERED = 1_000


def run_process(
    run: Callable[[list[str], Stop], None], arguments: list[str], patience: float = STOP_SECONDS
) -> NoReturn:
    """Run until SIGTERM, SIGINT or, with --exit-with-parent, the end of stdin; then end the process.

    Exit code 0 after a clean stop, an error's own otherwise, 1 for an error that is none of the mesh's, and
    for a stop that took longer than `patience` because the broker does not answer. What is counted is safe in
    any case.
    """
    # Tens of thousands of events wait in buffers; to look through them every 700 allocations takes a third
    # of the time.
    gc.set_threshold(50_000, 20, 100)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().handlers[0].addFilter(_Repeats())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if EXIT_WITH_PARENT in arguments:
        threading.Thread(target=_until_stdin_ends, args=(stop,), daemon=True).start()
    threading.Thread(target=_end_in_time, args=(stop, patience), daemon=True).start()
    code = _outcome(run, [argument for argument in arguments if argument != EXIT_WITH_PARENT], stop)
    sys.stdout.flush()
    sys.stderr.flush()
    # Faust's threads wait for a broker that may be gone; nothing of theirs still counts.
    os._exit(code)


def _outcome(run: Callable[[list[str], Stop], None], arguments: list[str], stop: Stop) -> int:
    try:
        run(arguments, stop)
    except MeshError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception:
        logging.getLogger("mesh.streams").exception("the stream ended")
        return 1
    return 0


def _end_in_time(stop: threading.Event, patience: float) -> None:
    stop.wait()
    time.sleep(patience)
    # Nobody may read what we say: a full pipe would hold us for ever.
    threading.Timer(0.2, os._exit, (1,)).start()
    print("the stream did not stop in time; it goes on where its totals stand", file=sys.stderr, flush=True)
    os._exit(1)


class _Repeats(logging.Filter):
    """Says the same thing once in a while: without a broker, its clients complain fifty times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, message = time.monotonic(), record.getMessage()
        if now < self._said.get(message, 0.0):
            return False
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[message] = now + REPEAT_SECONDS
        return True


def _until_stdin_ends(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
