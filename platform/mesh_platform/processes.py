"""Start, watch and stop child processes, and nothing else.

A child writes its stdout to `<name>.out` and its stderr to `<name>.log` in a state directory, so no thread
has to drain a pipe. Its stdin is a pipe whose write end only this process holds: however this process goes,
the child reads end of file. Programs that do not watch for that are wrapped by `supervised`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from mesh.errors import MeshError, UnreachableError

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.02
_TAIL_LINES = 20
_TAIL_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and where it leaves its words; `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    state_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None  #: where it runs; None is our own working folder

    @property
    def out(self) -> Path:
        """What the running child wrote to stdout; emptied at each start."""
        return self.state_dir / f"{self.name}.out"

    @property
    def log(self) -> Path:
        """What the child wrote to stderr, over all its starts."""
        return self.state_dir / f"{self.name}.log"


Readiness = Callable[[Program], T | None]
"""Asked again and again while a child starts: None for not yet, anything else is its `ready` value."""


class ManagedProcess(Generic[T]):
    """A child process that can be started, stopped, killed and started again; never outlives this process.

    `ready_within` and `grace` are seconds. Not for use from several threads at once.
    """

    def __init__(
        self, program: Program, ready: Readiness[T], *, ready_within: float = 30.0, grace: float = 5.0
    ) -> None:
        self.program = program
        self._is_ready = ready
        self._ready_within = ready_within
        self._grace = grace
        self._child: subprocess.Popen[bytes] | None = None
        self._ready: T | None = None

    def launch(self) -> None:
        """Start the child without waiting for it; UnreachableError when the program cannot be run at all."""
        program = self.program
        program.state_dir.mkdir(parents=True, exist_ok=True)
        with program.out.open("wb") as out, program.log.open("ab") as log:
            try:
                self._child = subprocess.Popen(
                    list(program.argv),
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=log,
                    env={**os.environ, **program.env},
                    cwd=program.folder,
                    start_new_session=True,  # Ctrl-C in our terminal is for us; we then stop the child
                )
            except OSError as error:
                raise UnreachableError(
                    f"{program.name} cannot be started: {program.argv[0]}: {error.strerror}",
                    code="MESH-X010",
                    why="the program is not installed, or may not be run",
                    fix=f"which {program.argv[0]}",
                ) from error

    def wait_ready(self, within: float | None = None) -> T:
        """The `ready` value, once the child serves; UnreachableError when it dies or takes too long.

        `within` so many seconds, where that is not what was said at first.
        """
        child = self._running()
        within = within or self._ready_within
        deadline = time.monotonic() + within
        while (ready := self._is_ready(self.program)) is None:
            if (code := child.poll()) is not None:
                self._close()
                raise _failure(f"ended before it was ready ({_spoken(code)})", self.program, "MESH-X011")
            if time.monotonic() > deadline:
                self.kill()
                raise late(self.program, within)
            time.sleep(_POLL_SECONDS)
        self._ready = ready
        return ready

    def start(self) -> Self:
        """Start the child and wait until it serves; a child that fails to is left in no state at all."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def terminate(self) -> None:
        """Ask the child to end, without waiting for it; `stop` waits."""
        self._running().terminate()

    def stop(self) -> int:
        """End the child by SIGTERM, after the grace period by SIGKILL; its exit code. Safe to repeat."""
        self.terminate()
        try:
            self._running().wait(self._grace)
        except subprocess.TimeoutExpired:
            return self.kill()
        return self._close()

    def kill(self) -> int:
        """End the child and what it started by SIGKILL; its exit code. Safe to repeat."""
        child = self._running()
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        return self._close()

    def restart(self) -> Self:
        """Stop the child if it runs, and start it again with the same command."""
        self.stop()
        return self.start()

    @property
    def pid(self) -> int:
        """The child's process id, which is also its process group."""
        return self._running().pid

    @property
    def ready(self) -> T:
        """What the readiness check returned for the present child."""
        if self._ready is None:
            raise RuntimeError(f"{self.program.name} has not been waited for")
        return self._ready

    @property
    def running(self) -> bool:
        """Whether the child was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError(f"{self.program.name} was never started")
        return self._child

    def _close(self) -> int:
        child = self._running()
        self._ready = None
        if child.stdin is not None:
            child.stdin.close()
        return child.wait()


def late(program: Program, seconds: float) -> UnreachableError:
    """A child that is not as it should be within its time (MESH-X012)."""
    return _failure(f"was not ready within {seconds:g} s", program, "MESH-X012")


def ended_by_itself(name: str, log: Path, fix: str) -> MeshError:
    """A child that nobody has told to end (MESH-X015)."""
    return MeshError(
        f"the {name} ended by itself", code="MESH-X015", where=str(log), why=tail(log), fix=f"less {log}{fix}"
    )


def supervised(argv: Sequence[str], lock: Path | None = None) -> list[str]:
    """The command that runs `argv` and ends it with us, for programs that do not watch their stdin.

    With `lock`, a file, nothing runs while another process holds it.
    """
    held = [] if lock is None else ["--lock", str(lock)]
    return [sys.executable, "-m", "mesh_platform.supervise", *held, "--", *argv]


def claim(port: int | None) -> int:
    """The port asked for, or a free one; UnreachableError (MESH-X014) when somebody listens on it."""
    if port is None:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only a listener counts
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise UnreachableError(
                f"port {port} on {LOOPBACK} cannot be used: {error.strerror}",
                code="MESH-X014",
                why="another program listens there, perhaps an earlier `mesh up`",
                fix=f"ss -ltnp sport = :{port}",
            ) from error
    return port


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many different free ports."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def answers(port: int) -> bool:
    """Whether something accepts TCP connections on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def json_line(program: Program) -> dict[str, object] | None:
    """A readiness check: the child's first line of stdout, which must be a JSON object."""
    with program.out.open("rb") as out:
        line = out.readline()
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UnreachableError(
            f"{program.name} should say where it serves in one line of JSON",
            code="MESH-X013",
            where=f"{program.out}:1",
            why=f"it said {line[:200]!r}",
            fix=f"less {program.log}",
        )
    return value


def tail(log: Path) -> str:
    """The last lines of a log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])


def _failure(what: str, program: Program, code: str) -> UnreachableError:
    return UnreachableError(
        f"{program.name} {what}",
        code=code,
        where=str(program.log),
        why=tail(program.log) or "it left no message",
        fix=f"less {program.log}",
    )


def _spoken(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
