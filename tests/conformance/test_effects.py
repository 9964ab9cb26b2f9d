"""Effectively once: a handler with an inbox is killed again and again, and each event has one effect."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mesh.connection import Mesh
from tests.conformance.declared import applied, declaration, fresh_name
from tests.conformance.readings import publish, reading
from tests.integration.effects_worker import opened

STAGES = ("before the handler", "in the transaction", "after the effect", "before the commit")
EVENTS = 300
KILLS = 12


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "tests.integration.effects_worker"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"ready": True}
        try:
            yield process
        finally:
            process.stdin.close()


def ended(worker: subprocess.Popen[str], spec: dict[str, Any]) -> int:
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(json.dumps(spec), file=worker.stdin, flush=True)
    return int(json.loads(worker.stdout.readline())["ended"])


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where effects and inbox are: a file, or a server without either of them."""
    if request.param == "sqlite":
        return str(tmp_path / "effects.db")
    url = str(request.getfixturevalue("postgres"))
    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists effects, mesh_inbox")
    return url


def test_each_event_has_one_effect_however_often_its_handler_is_killed(
    mesh: Mesh, worker: subprocess.Popen[str], database: str
) -> None:
    name = fresh_name()
    applied(mesh, declaration(name))
    publish(mesh, f"tests.{name}", [reading(number) for number in range(EVENTS)])
    draw = random.Random(20_261_121)
    spec = {
        "settings": asdict(mesh.settings),
        "product": f"tests.{name}",
        "group": f"tests.{name}",
        "database": database,
        "until": EVENTS,
    }
    kills = 0
    for number in range(KILLS):
        stage = STAGES[number % len(STAGES)]
        most = 3 if stage == "before the commit" else 40
        status = ended(worker, {**spec, "stage": stage, "count": draw.randint(1, most)})
        assert status in (0, -signal.SIGKILL)
        kills += status != 0
    assert ended(worker, {**spec, "stage": "", "count": 0}) == 0
    with closing(opened(database)[0]) as connection:
        effects = connection.execute("select event, key, seq from effects order by number").fetchall()
    assert kills >= KILLS // 2
    assert len(effects) == len({event for event, _, _ in effects}) == EVENTS
    by_key: dict[bytes, list[float]] = {}
    for _, key, at in effects:
        by_key.setdefault(key, []).append(at)
    assert all(times == sorted(times) for times in by_key.values())
