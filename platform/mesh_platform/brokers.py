"""The brokers that `mesh up` and the tests can start: the embedded one, or real Apache Kafka."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mesh_platform.processes import LOOPBACK, ManagedProcess, Program, claim, json_line


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker that was started here; `processes` has one entry per node, in the order of `bootstrap`."""

    kind: Literal["embedded", "kafka"]
    bootstrap: str
    processes: tuple[ManagedProcess[Any], ...]

    def kill(self, node: int = 0) -> None:
        """End a node at once, as kill -9 does; its files stay."""
        self.processes[node].kill()

    def restart(self, node: int = 0) -> None:
        """Start a node again on its port and files, and wait until it serves; stops it first if it runs."""
        self.processes[node].restart()


@contextlib.contextmanager
def start_embedded(state_dir: Path, port: int | None = None) -> Iterator[RunningBroker]:
    """Run the embedded broker on loopback while the context is open; its events are kept under `state_dir`.

    Raises UnreachableError (MESH-X010 to X014) when it does not come up.
    """
    port = claim(port)
    argv = [sys.executable, "-m", "mesh_platform.broker", "--data", str(state_dir / "broker")]
    argv += ["--host", LOOPBACK, "--port", str(port), "--exit-with-parent"]
    with ManagedProcess(Program(name="broker", argv=argv, state_dir=state_dir), json_line) as process:
        yield RunningBroker("embedded", f"{LOOPBACK}:{port}", (process,))


@contextlib.contextmanager
def start_kafka(state_dir: Path, nodes: int = 1, port: int | None = None) -> Iterator[RunningBroker]:
    """Run Apache Kafka with one or three nodes on loopback; `port` is where the first node listens.

    Raises UnreachableError (MESH-X010 to X014, X020 to X024) when Java, Maven or Kafka stand in the way.
    """
    from mesh_platform.kafka.cluster import prepare

    processes = prepare(state_dir, nodes, port)
    with contextlib.ExitStack() as stack:
        for process in processes:
            process.launch()
            stack.callback(process.stop)
        for process in processes:
            stack.callback(process.terminate)  # all at once: the last of a quorum would wait for the others
        yield RunningBroker("kafka", ",".join([process.wait_ready() for process in processes]), processes)
