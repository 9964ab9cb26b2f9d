"""Nemesis: a seeded schedule of ends for platform processes, and the processes, started again after each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from mesh_platform.chaos.kills import Kill, Moments

#: the moments at which tests.faults.registry.process can end itself, and how far into them
MOMENTS = {
    "append": 120,
    "sent": 120,
    "appended": 120,
    "applied": 120,
    "answer": 150,
    "answered": 150,
    "snapshot": 6,
    "replay": 60,
}
SCHEDULES = Moments(MOMENTS, patience=5.0, soonest=0.05, latest=1.0)
_NOWHERE = "127.0.0.1:1"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Log:
    """Where the control log is: a file in the state folder, or a topic of a broker, named anew each time."""

    bootstrap: str = ""
    topic: str = field(default_factory=lambda: f"control-{uuid4().hex[:12]}")

    @property
    def options(self) -> list[str]:
        kind = ["--control-log", "kafka"] if self.bootstrap else []
        return ["--bootstrap", self.bootstrap or _NOWHERE, *kind]

    @property
    def environment(self) -> dict[str, str]:
        return {"MESH_CONTROL_TOPIC": self.topic}


class Platform:
    """One state folder and the process on it, always on the same port."""

    def __init__(self, state: Path, *, log: Log, broken: Sequence[str] = ()) -> None:
        self.state = state
        self.port = 0
        self.starts: list[float] = []
        self.stderr = state.parent / f"{state.name}.stderr"
        self._log = log
        self._broken = [argument for kind in broken for argument in ("--broken", kind)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, kill: Kill | None = None) -> bool:
        """Start and wait until it serves; one that dies before is started again, and the answer is False."""
        self.spawn(kill)
        first = self.ready()
        if not first:
            self.spawn()
            if not self.ready():
                raise RuntimeError(f"the platform does not start: {self.stderr.read_text()[-3000:]}")
        return first

    def spawn(self, kill: Kill | None = None) -> None:
        """Start, and wait for nothing."""
        self.kill()
        if kill is not None and kill.moment == "replay":
            self.forget_snapshot()
        self._began = time.monotonic()
        command = [sys.executable, "-m", "tests.faults.registry.process", *self._broken]
        command += [*(kill.arguments if kill else []), "--", "--state", str(self.state)]
        command += ["--port", str(self.port), "--no-quality", *self._log.options]
        with self.stderr.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | self._log.environment,
            )

    def ready(self) -> bool:
        """Whether it serves in the end; False when it died before."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            self.starts.append(time.monotonic() - self._began)
            self.port = int(json.loads(line)["url"].rpartition(":")[2])
        return bool(line)

    def end(self, kill: Kill) -> str:
        """Wait for its end or bring it about; answers which it was."""
        assert self._process is not None
        try:
            self._process.wait(kill.seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return "clock"
        return str(kill.moment)

    def pause(self) -> None:
        """Stop it where it stands (SIGSTOP), as a long pause of the machine would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def forget_snapshot(self) -> None:
        """The next start replays the whole log."""
        for file in self.state.glob("*.snapshot*"):
            file.unlink()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None


@contextmanager
def platforms(
    folder: Path,
    count: int = 1,
    *,
    first: Kill | None = None,
    log: Log | None = None,
    broken: Sequence[str] = (),
) -> Iterator[list[Platform]]:
    """Platform processes that share one token, each with a state folder of its own; gone at the end.

    `first` is how the first of them is to end.
    """
    made = [Platform(folder / f"platform-{at}", log=log or Log(), broken=broken) for at in range(count)]
    try:
        made[0].start(first)
        for other in made[1:]:
            other.state.mkdir(parents=True, exist_ok=True)
            shutil.copy(made[0].state / "token", other.state / "token")
            other.spawn()
        for other in made[1:]:
            if not other.ready():
                raise RuntimeError(f"the platform does not start: {other.stderr.read_text()[-3000:]}")
        yield made
    finally:
        for platform in made:
            with suppress(subprocess.TimeoutExpired):
                platform.kill()
