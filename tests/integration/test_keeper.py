"""A worker beside the platform is started again when it ends, and ends with the platform."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_platform import keeper
from mesh_platform.keeper import Keeper
from mesh_platform.processes import ManagedProcess, Program


def kept(folder: Path, program: str) -> Keeper:
    """A keeper of a Python program that may append to `starts` in the folder."""
    argv = [sys.executable, "-c", f"import sys, time; open('starts', 'a').write('x'); {program}"]
    return Keeper(ManagedProcess(Program(name="worker", argv=argv, state_dir=folder, folder=folder), bool))


def starts(folder: Path) -> int:
    file = folder / "starts"
    return len(file.read_text()) if file.exists() else 0


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass within 15 s"
        time.sleep(0.05)


def test_a_worker_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.01)
    watched = kept(tmp_path, "sys.exit(1)")
    watched.start()
    soon(lambda: starts(tmp_path) >= 3)
    watched.stop()
    assert watched.restarts >= 2


def test_stopping_ends_a_worker_that_runs(tmp_path: Path) -> None:
    watched = kept(tmp_path, "time.sleep(600)")
    watched.start()
    soon(lambda: starts(tmp_path) == 1)
    watched.stop()
    assert not watched._process.running


def test_nothing_is_started_after_stopping(tmp_path: Path) -> None:
    watched = kept(tmp_path, "sys.exit(0)")
    watched.start()
    soon(lambda: starts(tmp_path) >= 1)
    watched.stop()
    before = starts(tmp_path)
    time.sleep(0.5)
    assert starts(tmp_path) == before
