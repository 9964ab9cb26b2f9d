"""`mesh up`: broker, platform and quality worker as one thing that starts and stops together."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mesh_platform.brokers import start_embedded, start_kafka
from mesh_platform.log.choice import LogKind
from mesh_platform.processes import LOOPBACK, ManagedProcess, Program, json_line
from mesh_platform.running import Running, forget

BrokerKind = Literal["embedded", "kafka", "external"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; a port of 0 is any free one."""

    state: Path
    broker: BrokerKind
    port: int = 0
    nodes: int = 1
    bootstrap: str = ""
    quality: bool = True
    control_log: LogKind = "sqlite"


@dataclass(frozen=True, slots=True)
class Up:
    """A mesh that is up."""

    bootstrap: str
    url: str
    token: str
    state: Path
    processes: tuple[ManagedProcess[Any], ...]

    def environment(self) -> dict[str, str]:
        """What other processes need to find it, and where they may keep their own state."""
        return {
            "MESH_KAFKA_BOOTSTRAP": self.bootstrap,
            "MESH_PLATFORM_URL": self.url,
            "MESH_TOKEN": self.token,
            "MESH_STATE": str(self.state.resolve()),
        }

    def dead(self) -> ManagedProcess[Any] | None:
        """The first process that ended by itself."""
        return next((process for process in self.processes if not process.running), None)


@contextlib.contextmanager
def bring_up(wanted: Wanted, tell: Callable[[str], None]) -> Iterator[Up]:
    """Start everything, in order; stop it in reverse order when the context closes."""
    with contextlib.ExitStack() as stack:
        bootstrap, processes = _broker(wanted, stack, tell)
        platform = stack.enter_context(_platform(wanted, bootstrap))
        url = str(platform.ready["url"])
        token = (wanted.state / "token").read_text().strip()
        processes = (*processes, platform)
        Running(os.getpid(), wanted.broker, bootstrap, url).write(wanted.state)
        stack.callback(forget, wanted.state)
        yield Up(bootstrap, url, token, wanted.state, processes)


def child(
    name: str, argv: list[str], state: Path, env: dict[str, str], folder: Path | None = None
) -> ManagedProcess[dict[str, object]]:
    """A program of ours that ends with us; ready when it says so in a line of JSON."""
    program = Program(name=name, argv=[*argv, "--exit-with-parent"], state_dir=state, env=env, folder=folder)
    return ManagedProcess(program, json_line)


def _broker(
    wanted: Wanted, stack: contextlib.ExitStack, tell: Callable[[str], None]
) -> tuple[str, tuple[ManagedProcess[Any], ...]]:
    if wanted.broker == "external":
        return wanted.bootstrap, ()
    if wanted.broker == "kafka":
        from mesh_platform.kafka import jars

        if jars.remembered() is None:
            tell("fetching Apache Kafka with Maven, once")
        running = stack.enter_context(start_kafka(wanted.state, wanted.nodes))
    else:
        running = stack.enter_context(start_embedded(wanted.state))
    return running.bootstrap, running.processes


def _platform(wanted: Wanted, bootstrap: str) -> ManagedProcess[dict[str, object]]:
    argv = [sys.executable, "-m", "mesh.cli", "serve", "--state", str(wanted.state), "--host", LOOPBACK]
    argv += ["--port", str(wanted.port), "--bootstrap", bootstrap]
    argv += ["--quality" if wanted.quality else "--no-quality", "--control-log", wanted.control_log]
    return child("platform", argv, wanted.state, {})
