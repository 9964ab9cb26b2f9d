"""A broker for a test must be there at once, so its process imports little."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "confluent_kafka",
    "fastapi",
    "httpx2",
    "hypothesis",
    "jinja2",
    "pyarrow",
    "pydantic",
    "rich",
    "typer",
]


@pytest.mark.parametrize("module", ["mesh_platform.broker.__main__", "mesh.testing.broker"])
def test_a_start_imports_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*(name for name, loaded in sys.modules.items() if loaded))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [name for name in HEAVY if name in done.stdout.split()] == []
