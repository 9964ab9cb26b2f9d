"""`mesh run PRODUCT --workers 2`: one is killed, nothing is lost or repeated, and a stop is clean."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mesh.connection import Mesh
from mesh.declaration import SourceFile, declare
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import CONTRACT, PRODUCT, applied, fresh_name, platform_on
from tests.conformance.test_pipelines import numbers, publish

ROOT = Path(__file__).parents[2]
CODE = """
import pyarrow as pa
from mesh.pipelines import pipeline

@pipeline("tests.{makes}", reads="tests.{reads}")
def same(batch):
    return pa.table(batch)
"""
IMPLEMENTED = "customProperties:\n  - {{property: implementation, value: 'derived_here:same'}}\n"


def written(folder: Path, reads: str, makes: str) -> list[SourceFile]:
    """A mesh of two products on disk, the second with code behind it."""
    files = {
        f"contracts/tests/{name}.v1.odcs.yaml": CONTRACT.format(name=name, version="1.0.0", more="")
        for name in (reads, makes)
    }
    files[f"domains/tests/{reads}.odps.yaml"] = PRODUCT.format(name=reads)
    files[f"domains/tests/{makes}.odps.yaml"] = PRODUCT.format(name=makes) + IMPLEMENTED.format()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "derived_here.py").write_text(CODE.format(reads=reads, makes=makes))
    return [SourceFile(name, text.encode()) for name, text in files.items()]


class Running:
    """A `mesh run` and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._told = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            self._told.set()

    @property
    def address(self) -> str:
        assert self._told.wait(30), "nothing was said"
        found = re.search(r"(http://127\.0\.0\.1:\d+)/health", self.said[0])
        assert found is not None, self.said
        return found[1]

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.address}/health") as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                found = json.load(refusal)
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(40)
        self._reader.join(5)
        return code


@contextmanager
def running(mesh: Mesh, folder: Path, *arguments: str) -> Iterator[Running]:
    told = mesh.settings
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "MESH_KAFKA_BOOTSTRAP": told.bootstrap,
        "MESH_PLATFORM_URL": told.platform_url,
        "MESH_TOKEN": told.token,
        "MESH_STATE": str(folder / ".mesh"),
    }
    argv = [sys.executable, "-m", "mesh.cli", "run", *arguments]
    with subprocess.Popen(argv, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def wait_for(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, what
        threading.Event().wait(0.1)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_workers_share_the_work_and_one_that_is_killed_comes_back(
    embedded_broker: RunningBroker, tmp_path: Path
) -> None:
    reads, makes = fresh_name(), fresh_name()
    with platform_on(embedded_broker.bootstrap, tmp_path / "platform") as mesh:
        applied(mesh, declare(written(tmp_path, reads, makes)).require())
        publish(mesh, f"tests.{reads}", range(1_000))
        with running(mesh, tmp_path, f"tests.{makes}", "--workers", "2") as run:
            wait_for(lambda: len(numbers(mesh, f"tests.{makes}")) == 1_000, "the first events do not come")
            wait_for(lambda: run.health()["healthy"], "it does not become well")
            os.kill(children(run.process.pid)[0], signal.SIGKILL)
            publish(mesh, f"tests.{reads}", range(1_000, 2_000))
            wait_for(lambda: run.health()["restarts"] == 1, "the end of a worker goes unnoticed")
            wait_for(lambda: run.health()["healthy"], "it does not become well again")
            wait_for(lambda: len(numbers(mesh, f"tests.{makes}")) == 2_000, "the others do not come")
            with urllib.request.urlopen(f"{run.address}/metrics") as answer:
                assert "mesh_pipeline_restarts_total 1.0" in answer.read().decode()
            assert run.stop() == 0, run.said
        assert numbers(mesh, f"tests.{makes}") == list(range(2_000))
        assert any("ended with -9; it is started again" in line for line in run.said)
