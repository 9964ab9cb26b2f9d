"""What plans over a thousand contracts cost as whole processes: on an empty mesh, and on one that has all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mesh.adapters.workspace import FOLDERS, read_sources
from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.declaration import declare
from mesh.plan import make_plan
from mesh_platform.up import Wanted, bring_up
from tests.bench.estate import CONTRACTS, write_estate
from tests.bench.measuring import Figure, duration

ROUNDS = 3
TARGET = "≤ 5 s"


def plans(folder: Path) -> list[Figure]:
    """Figures of `mesh check`, `mesh plan` and `mesh drift` over the made-up estate."""
    write_estate(folder)
    with bring_up(Wanted(folder / ".mesh", "embedded", quality=False), lambda _text: None) as up:
        reached = {"MESH_KAFKA_BOOTSTRAP": up.bootstrap, "MESH_PLATFORM_URL": up.url, "MESH_TOKEN": up.token}

        def measured(what: str, *argv: str) -> Figure:
            command = [sys.executable, "-m", "mesh.cli", *argv]
            return duration(
                "plans",
                f"{what}, {CONTRACTS:,} contracts",
                lambda: subprocess.run(
                    command, check=True, cwd=folder, env={**os.environ, **reached}, capture_output=True
                ),
                TARGET,
                ROUNDS,
            )

        figures = [measured("mesh check", "check"), measured("mesh plan on an empty mesh", "plan")]
        desired = declare(read_sources([folder / name for name in FOLDERS], folder)).require()
        with Mesh(Settings(up.bootstrap, up.url, f"{up.url}/registry", up.token)) as mesh:
            world = mesh.world()
            for _ in apply(make_plan(desired, world.actual(desired)), world):
                pass
        return [*figures, measured("mesh plan with nothing to do", "plan"), measured("mesh drift", "drift")]
