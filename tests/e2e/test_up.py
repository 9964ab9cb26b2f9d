"""`mesh up` and the commands of a day: apply, run, read, status, down, on both brokers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).resolve().parents[2]
TABLES = ("contracts/network", "domains/network")


class Terminal:
    """Commands on one state folder, as somebody in the repository would type them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")}
        self.env = {**clean, "MESH_STATE": str(state)}

    def start(self, *argv: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "mesh.cli", *argv]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=subprocess.PIPE, text=True, **quiet)

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mesh.cli", *argv],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def terminal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A mesh that is up; stopped by `mesh down`, which must leave nothing running."""
    if request.param == "kafka":
        request.getfixturevalue("java")
    terminal = Terminal(tmp_path_factory.mktemp("up") / "state")
    up = terminal.start("up", "--broker", request.param, "--port", "0")
    deadline = time.monotonic() + 120
    while not (terminal.state / "run.json").exists():
        assert up.poll() is None, up.stderr.read() if up.stderr else ""
        assert time.monotonic() < deadline, "it did not come up"
        time.sleep(0.05)
    yield terminal
    assert terminal.run("down").returncode == 0
    _, said = up.communicate(timeout=60)
    assert up.returncode == 0, said
    assert "Traceback" not in said
    assert not (terminal.state / "run.json").exists()


def test_it_says_where_it_is(terminal: Terminal) -> None:
    facts = json.loads(terminal.run("status", "--json").stdout)
    assert facts["platform"].startswith("http://127.0.0.1:")
    assert facts["bootstrap"].startswith("127.0.0.1:")


def test_what_is_declared_is_applied_run_and_read(terminal: Terminal) -> None:
    applied = terminal.run("apply", "--yes", *TABLES)
    assert applied.returncode == 0, applied.stderr
    assert terminal.run("plan", "--detailed-exitcode", *TABLES).returncode == 0
    run = terminal.run("run", "network.carriers")
    assert "16 events published" in run.stderr
    rows = [json.loads(line) for line in terminal.run("read", "network.carriers").stdout.splitlines()]
    assert len(rows) == 16
    assert any("United Air Lines Inc." in row.values() for row in rows)


def test_a_second_mesh_on_the_same_state_is_refused(terminal: Terminal) -> None:
    second = terminal.run("up", "--port", "0")
    assert second.returncode == 2
    assert "MESH-U060" in second.stderr


def test_the_token_is_printed_for_its_owner_only(terminal: Terminal) -> None:
    assert len(terminal.run("token").stdout.strip()) >= 32
    assert (terminal.state / "token").stat().st_mode & 0o077 == 0
