"""Everything that works on events works without the fast engine: suites run once more, with it declined."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mesh.codec import codec_for, fast
from tests.unit.codec_cases import record

#: By hand, on any suite: `python -m pytest -p tests.unit.test_reference_engine tests/conformance`
ME = "tests.unit.test_reference_engine"
OTHERS = ["-k", "not suites_pass"]
SUITES = [
    "tests/unit/test_codec_rows.py",
    "tests/unit/test_codec_resolution.py",
    "tests/unit/test_publishing.py",
    "tests/unit/test_rows.py",
    "tests/unit/test_dead_letter_waiting.py",
]


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin: the fast engine takes no schema."""
    fast.declines = lambda schema: "the reference engine alone"


def test_the_data_plane_s_suites_pass_with_the_reference_engine_alone() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-qx",
            "-p",
            "no:cacheprovider",
            "-p",
            ME,
            *SUITES,
            __file__,
            *OTHERS,
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:]


def test_the_engine_is_the_one_that_is_meant(request: pytest.FixtureRequest) -> None:
    alone = request.config.pluginmanager.has_plugin(ME) and fast.declines(record("string")) is not None
    assert codec_for(record("string")).engine == ("fastavro" if alone else "pyruhvro")
