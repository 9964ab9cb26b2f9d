"""The pytest plugin is loaded in every session of everybody who has mesh: it must be as good as absent."""

from __future__ import annotations

import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

from mesh.testing import plugin, start_broker

ROOT = Path(__file__).resolve().parents[2]
OURS = {"mesh", "mesh.testing", "mesh.testing.plugin"}


def test_loading_the_plugin_imports_nothing_that_pytest_has_not() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules); import mesh.testing.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == OURS


def test_the_entry_point_bears_the_name_of_its_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {plugin.__name__: plugin.__name__}


def test_no_fixture_acts_unasked() -> None:
    fixtures = [value for value in vars(plugin).values() if hasattr(value, "_fixture_function_marker")]
    assert len(fixtures) == 4
    assert not any(fixture._fixture_function_marker.autouse for fixture in fixtures)


def test_every_setting_is_an_argument_of_start_broker() -> None:
    class Config:
        def getini(self, name: str) -> str:
            return name

    options = plugin.kafka_options.__wrapped__(Config())
    assert set(options) <= set(inspect.signature(start_broker).parameters)
    assert set(options.values()) == {f"mesh_kafka_{name}" for name in options}
