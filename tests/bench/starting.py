"""What a person waits for: the command line's start, the mesh's start, the demo."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from mesh_platform.up import Wanted, bring_up
from tests.bench.measuring import Figure, duration
from tests.bench.peers.running import ROOT

CONTRACT = "contracts/operations/departures.v1.odcs.yaml"


def starting(state: Path) -> list[Figure]:
    """P13 of the targets."""

    def run(*argv: str) -> None:
        subprocess.run([sys.executable, "-m", "mesh.cli", *argv], check=True, cwd=ROOT, capture_output=True)

    def up() -> None:
        wanted = Wanted(state / f"up-{time.monotonic_ns()}", "embedded", quality=False)
        with bring_up(wanted, lambda _text: None):
            pass

    def demo() -> None:
        run("demo", "--no-serve", "--state", str(state / "demo"))

    return [
        duration("start", "mesh --help", lambda: run("--help"), "≤ 0.15 s"),
        duration("start", "mesh check, one contract", lambda: run("check", CONTRACT), "≤ 0.3 s"),
        duration("start", "mesh up, until it serves (and stops)", up, "≤ 3 s"),
        duration("demo", "the whole year, start to end", demo, "≤ 90 s", 1),
    ]
