"""A whole mesh for tests: a platform of its own over a tests' broker, and what is declared applied to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mesh.apply import apply
from mesh.config import TOKEN_FILE, Settings
from mesh.connection import Mesh
from mesh.errors import UnreachableError
from mesh.plan import make_plan
from mesh.testing.broker import Broker
from mesh.testing.declared import declaration_around
from mesh.testing.readiness import first_line

_STOP_SECONDS = 10.0
_TOLD_BYTES = 2_000


@contextlib.contextmanager
def start_mesh(broker: Broker, folder: Path, *, declared: Path | None = None) -> Iterator[Mesh]:
    """Run a platform over a broker while the context is open, with its files in `folder`, and connect to it.

    What is declared around `declared`, by default the working folder, is applied. Raises UnreachableError
    (MESH-X043) when the platform does not come up, DeclarationError for declarations that do not hold.
    """
    state, log = folder / "state", folder / "platform.log"
    command = [sys.executable, "-P", "-m", "mesh.cli", "serve", "--state", str(state), "--port", "0"]
    command += ["--bootstrap", broker.bootstrap, "--no-quality", "--exit-with-parent"]
    desired = declaration_around(declared)

    def failure(what: str) -> UnreachableError:
        told = log.read_text(encoding="utf-8", errors="replace")[-_TOLD_BYTES:].strip()
        return UnreachableError(
            f"the tests' platform does not start: {what}",
            code="MESH-X043",
            where=str(log),
            why=told or "it left no message",
            fix=f"less {log}",
        )

    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the tests; the platform ends with them
        )
    try:
        url = str(json.loads(first_line(child, failure))["url"])
        token = (state / TOKEN_FILE).read_text(encoding="utf-8").strip()
        with Mesh(Settings(broker.bootstrap, url, f"{url}/registry", token)) as mesh:
            world = mesh.world()
            for _ in apply(make_plan(desired, world.actual(desired)), world):
                pass
            yield mesh
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
