"""Workers of a pipeline, each a process, kept alive: who ends is started again, after a pause that grows."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.cli.output import note
from mesh.errors import UsageError

LOOK_SECONDS = 0.1
#: pauses before a worker is started again: the first, and the longest
PAUSES = (0.5, 30.0)
#: whoever worked so long begins with the first pause again
SOUND_SECONDS = 60.0
STOP_SECONDS = 20.0
USAGE = 2


def run_workers(product: str, number: int, port: int, exit_with_parent: bool) -> None:
    """Keep so many workers at work until stopped. Raises UsageError (MESH-U177) when none could ever work."""
    from mesh.cli.run_health import Board, served
    from mesh.cli.stopping import until_stopped

    argv = [sys.executable, "-m", "mesh.cli", "run", product, "--reports", "--exit-with-parent"]
    workers = [Worker(f"worker {index + 1}", argv) for index in range(number)]
    board = Board(
        product,
        lambda: dict(worker.shown() for worker in workers),
        lambda: sum(worker.restarts for worker in workers),
    )
    with until_stopped(exit_with_parent) as going_on, served(board, port):
        try:
            supervise(workers, going_on)
        finally:
            stop(workers)
    total = sum(worker.published for worker in workers)
    note(f"{product}: {total:,} events published")


@dataclass(slots=True)
class Worker:
    """One place for a worker; the process in it may change."""

    place: str
    argv: list[str]
    clock: Callable[[], float] = time.monotonic
    restarts: int = 0
    process: subprocess.Popen[str] | None = None
    _began: float = 0.0
    _due: float = 0.0
    _pause: float = PAUSES[0]
    _heard: tuple[float, dict[str, Any]] | None = None
    _before: int = 0
    _listener: threading.Thread | None = field(default=None, repr=False)

    @property
    def published(self) -> int:
        """By this process and those before it, as far as they told."""
        return self._before + (self._heard[1]["published"] if self._heard else 0)

    def look(self) -> int | None:
        """Start what is to be started; the exit code of a process that has just ended."""
        if self.process is None:
            if self.clock() >= self._due:
                self._start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self._ended()
        return code

    def shown(self) -> tuple[str, Mapping[str, Any] | None]:
        """Its name and what it told last; None where no process is."""
        if self._heard is None or self.process is None:
            return self.place, None
        at, told = self._heard
        report = {name: value for name, value in told.items() if name != "name"}
        return told["name"], {**report, "idle_seconds": report["idle_seconds"] + self.clock() - at}

    def ask_to_stop(self) -> None:
        """Its standard input ends: it sees its transaction to the end and goes."""
        if self.process is not None and self.process.stdin is not None:
            # Nothing was ever written to it, so nothing is left to be.
            self.process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and end it at once when the time is over: what is open comes to nothing."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._listener is not None:
            self._listener.join(1.0)

    def _start(self) -> None:
        self._began, self._heard = self.clock(), None
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._heard = self.clock(), json.loads(line)

    def _ended(self) -> None:
        self.ask_to_stop()
        if self._listener is not None:
            self._listener.join(1.0)
        self._before, self._heard, self.process = self.published, None, None
        if self.clock() - self._began > SOUND_SECONDS:
            self._pause = PAUSES[0]
        self._due = self.clock() + self._pause
        self._pause = min(self._pause * 2, PAUSES[1])
        self.restarts += 1


def supervise(workers: list[Worker], going_on: Callable[[], bool]) -> None:
    """Look after workers for as long as `going_on`."""
    while going_on():
        for worker in workers:
            code = worker.look()
            if code == USAGE:
                raise UsageError(
                    "the workers cannot work",
                    code="MESH-U177",
                    where=worker.place,
                    why="the first of them says above why",
                    fix="correct that, then run again",
                )
            if code is not None:
                note(f"{worker.place} ended with {code}; it is started again")
        time.sleep(LOOK_SECONDS)


def stop(workers: list[Worker]) -> None:
    """Stop all at once, and wait until each has ended."""
    for worker in workers:
        worker.ask_to_stop()
    end = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.wait(end - time.monotonic())
