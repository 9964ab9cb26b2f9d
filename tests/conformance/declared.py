"""A mesh to test on: a platform over a given broker, and one declared product with a fresh name."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from mesh.apply import apply
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.declaration import Declaration, SourceFile, declare
from mesh.plan import make_plan
from mesh_platform.processes import ManagedProcess, Program, json_line

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: tests.{name}.v1
name: {name}
version: {version}
status: active
domain: tests
description: {{purpose: Readings of a sensor.}}
schema:
  - name: readings
    physicalName: tests.{name}.v1
    physicalType: topic
    customProperties:
      - {{property: partitions, value: 2}}
      - {{property: eventTime, value: at}}
    properties:
      - {{name: sensor, logicalType: string, primaryKey: true, required: true, description: Which one.}}
      - {{name: at, logicalType: timestamp, required: true, description: When.}}
      - name: celsius
        logicalType: number
        required: true
        description: What it measured.
        logicalTypeOptions: {{minimum: -90, maximum: 60}}
{more}"""
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: tests.{name}
name: {name}
version: 1.0.0
status: active
domain: tests
outputPorts:
  - {{name: readings, contractId: tests.{name}.v1}}
"""
NOTE = "      - {name: note, logicalType: string, description: What somebody noted.}\n"


def declaration(name: str, version: str = "1.0.0", more: str = "") -> Declaration:
    """Contract and product of that name."""
    files = {
        f"contracts/tests/{name}.v1.odcs.yaml": CONTRACT.format(name=name, version=version, more=more),
        f"domains/tests/{name}.odps.yaml": PRODUCT.format(name=name),
    }
    return declare(SourceFile(file, text.encode()) for file, text in files.items()).require()


def applied(mesh: Mesh, desired: Declaration) -> None:
    """Make the mesh as declared."""
    world = mesh.world()
    for _ in apply(make_plan(desired, world.actual(desired)), world):
        pass


def fresh_name() -> str:
    """A product name that nobody used."""
    return f"r-{uuid4().hex[:12]}"


@contextlib.contextmanager
def platform_on(bootstrap: str, folder: Path) -> Iterator[Mesh]:
    """A platform process of its own, and a client connected to it."""
    state = folder / "state"
    argv = [sys.executable, "-m", "mesh.cli", "serve", "--state", str(state), "--port", "0", "--no-quality"]
    argv += ["--bootstrap", bootstrap, "--exit-with-parent"]
    with ManagedProcess(Program(name="platform", argv=argv, state_dir=folder), json_line) as process:
        url = str(process.ready["url"])
        token = (state / "token").read_text().strip()
        with Mesh(Settings(bootstrap, url, f"{url}/registry", token)) as mesh:
            yield mesh
