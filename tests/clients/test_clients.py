"""Clients that nobody here wrote do their whole round on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mesh_platform.brokers import RunningBroker
from tests.clients.facts import FACTS
from tests.clients.report import Report
from tests.conftest import require, unavailable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "reference" / "clients.md"
NEEDS = {"kcat_script": ["kcat"], "java_tools": ["java", "mvn"], "kafkajs/script.js": ["node", "npm"]}
Told = Mapping[str, Any]


@pytest.fixture(scope="module", params=FACTS)
def script(request: pytest.FixtureRequest) -> str:
    """The name of each script in turn; the programs that it needs are there."""
    for program in NEEDS.get(request.param, ()):
        require(program)
    if request.param == "aiokafka_script" and find_spec("cramjam") is None:
        unavailable("cramjam is not installed, and aiokafka has but one codec without it")
    return str(request.param)


@pytest.fixture(scope="module")
def told(broker: RunningBroker, script: str) -> Told:
    """What a script says that it saw; it ended well, and the broker had nothing to complain of."""
    before = len(complaints(broker))
    argv, env = [sys.executable, "-m", f"tests.clients.{script}"], dict(os.environ)
    if script.endswith(".js"):
        argv, env["NODE_PATH"] = [require("node"), str(HERE / script)], str(node_modules())
    done = subprocess.run(
        [*argv, broker.bootstrap],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        cwd=ROOT,
        env=env,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert complaints(broker)[before:] == []
    facts: Told = json.loads(done.stdout.splitlines()[-1])
    return facts


def complaints(broker: RunningBroker) -> list[str]:
    """Requests that the embedded broker could not read or not answer; Apache Kafka keeps another journal."""
    lines = broker.processes[0].program.log.read_text().splitlines() if broker.kind == "embedded" else []
    return [line for line in lines if json.loads(line)["event"] in ("bad frame", "failed")]


def node_modules() -> Path:
    """kafkajs and what it needs, installed once for these versions."""
    package = HERE / "kafkajs" / "package.json"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mesh"
    folder = cache / f"kafkajs-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            shutil.copy(package, made)
            argv = [
                require("npm"),
                "install",
                "--no-package-lock",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
            ]
            done = subprocess.run(argv, cwd=made, capture_output=True, text=True, timeout=120)
            if done.returncode:
                unavailable(f"kafkajs cannot be installed: {done.stderr[-500:]}")
            with contextlib.suppress(OSError):  # another worker was faster
                made.rename(folder)
    return folder / "node_modules"


def test_a_client_sees_what_it_should(script: str, told: Told) -> None:
    assert {fact: seen for fact, seen in told.items() if fact not in ("client", "version")} == FACTS[script]


def test_the_page_of_clients_names_the_version_that_is_tested(told: Told) -> None:
    assert f"| {told['client']} | {told['version']} |" in PAGE.read_text(encoding="utf-8")


def test_a_script_ends_at_the_first_thing_it_did_not_want_to_see() -> None:
    with pytest.raises(SystemExit, match="counted: saw 2, wanted 3"):
        Report("a client", "1").saw("counted", 2, 3)
