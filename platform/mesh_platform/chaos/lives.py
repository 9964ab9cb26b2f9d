"""Lives: a process under test, started again after each of its ends; and the nodes of a broker."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.errors import MeshError
from mesh_platform.chaos.kills import Kill
from mesh_platform.processes import ManagedProcess, ended_by_itself, late

_FINISH_SECONDS = 200.0
#: long, because a start that is cut short on a busy machine has to be made again
_HEAL_SECONDS = 300.0


class Life:
    """One actor through all its lives; what it says to stderr goes to `<name>.log`."""

    def __init__(
        self, folder: Path, role: str, name: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.role, self.name = role, name
        self.history = folder / f"{name}.history"
        self._log = folder / f"{name}.log"
        self._command = [sys.executable, "-m", "mesh_platform.chaos.actor", role, "--name", name]
        self._command += ["--history", str(self.history), *arguments]
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, kill: Kill | None = None) -> None:
        """Begin a life that ends as told."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *(kill.arguments if kill else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in our terminal is for us
            )

    def end(self, kill: Kill) -> str:
        """Wait for its end or bring it about; answers which. Raises MeshError (MESH-X015) when it failed."""
        process = self._running()
        assert process.stdout is not None
        process.stdout.readline()  # the clock begins when its work does
        try:
            if process.wait(kill.seconds) >= 0:
                raise self.failure()
        except subprocess.TimeoutExpired:
            self.kill()
            return "clock"
        self.kill()
        return str(kill.moment)

    def finish(self) -> None:
        """Let it end in peace; raises MeshError (MESH-X015) when it does not."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        try:
            if process.wait(_FINISH_SECONDS):
                raise self.failure()
        except subprocess.TimeoutExpired:
            self.kill()
            raise self.failure() from None

    def kill(self) -> None:
        """End it by SIGKILL. Safe to repeat."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            for pipe in filter(None, (self._process.stdin, self._process.stdout)):
                pipe.close()

    def failure(self) -> MeshError:
        """What it said last."""
        return ended_by_itself(f"{self.role} {self.name}", self._log, "")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process


class Nodes:
    """The nodes of a broker: one is killed at a time, and let back in before the next one is."""

    def __init__(self, processes: Sequence[ManagedProcess[Any]], bootstrap: str, dice: random.Random) -> None:
        self._processes, self._bootstrap, self._dice = processes, bootstrap, dice
        self.starts: list[float] = []

    def die(self, kill: Kill) -> str:
        """Kill a node after so long, start it after as long again, wait until nothing lags; answers which."""
        number = self._dice.randrange(len(self._processes))
        node = self._processes[number]
        time.sleep(kill.seconds)
        node.kill()
        time.sleep(self._dice.uniform(0, kill.seconds))
        began = time.monotonic()
        node.launch()
        node.wait_ready(_HEAL_SECONDS)
        self.starts.append(time.monotonic() - began)
        self._heal()
        return f"node {number + 1}"

    def _heal(self) -> None:
        """Wait until every replica is in sync again, so that another node may go."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 0})
        deadline = time.monotonic() + _HEAL_SECONDS
        while time.monotonic() < deadline:
            try:
                topics = admin.list_topics(timeout=5).topics.values()
            except KafkaException:
                continue
            partitions = [partition for topic in topics for partition in topic.partitions.values()]
            if partitions and all(len(part.isrs) == len(part.replicas) for part in partitions):
                return
            time.sleep(0.2)
        raise late(self._processes[0].program, _HEAL_SECONDS)
