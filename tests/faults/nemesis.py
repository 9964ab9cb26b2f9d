"""Nemesis: a seeded schedule of ends for one broker process, and the process, started again after each."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh_platform.chaos.kills import Kill, Moments

#: the kinds of moments at which tests.faults.broker can end itself, and how far into them
POINTS = {"write": 200, "marker": 30, "roll": 8, "replace": 30, "unlink": 8, "sync": 40, "statement": 200}
SCHEDULES = Moments(POINTS, patience=2.5, soonest=0.1, latest=1.2)


class Broker:
    """One data folder and the process on it, always on the same port."""

    def __init__(self, data: Path, broken: str | None = None) -> None:
        self.data = data
        self.port = 0
        self.starts: list[float] = []
        self.recovered: list[Any] = []
        self.stderr = data.parent / "broker.stderr"
        self._broken = ["--broken", broken] if broken else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, kill: Kill | None = None) -> None:
        """Start and wait until it serves; one that dies before is started again, with no kill point."""
        for arguments in (kill.arguments if kill else [], []):
            began = time.monotonic()
            line = self._spawn(arguments)
            if line:
                self.starts.append(time.monotonic() - began)
                ready = json.loads(line)
                self.port = ready["port"]
                self.recovered += ready["recovered"]
                return
        raise RuntimeError(f"the broker does not start: {self.stderr.read_text()[-3000:]}")

    def _spawn(self, arguments: Sequence[str]) -> bytes:
        self._reap()
        command = [sys.executable, "-m", "tests.faults.broker", *self._broken, *arguments, "--"]
        command += ["--data", str(self.data), "--port", str(self.port)]
        with self.stderr.open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def start_at_rest(self) -> None:
        """Start without upkeep."""
        if not self._spawn(["--rest"]):
            raise RuntimeError(f"the broker does not start: {self.stderr.read_text()[-3000:]}")

    def end(self, kill: Kill) -> str:
        """Wait for its end or bring it about; answers which it was."""
        assert self._process is not None
        try:
            self._process.wait(kill.seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return "clock"
        return str(kill.moment)

    def kill(self) -> None:
        self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
