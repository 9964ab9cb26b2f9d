"""kill -9 of a pipeline at each moment of its transactions: what it makes is what its function says, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import applied, declaration, fresh_name, platform_on
from tests.conformance.readings import BEGAN
from tests.conformance.test_pipelines import publish
from tests.integration.pipeline_worker import MOMENTS, halved

ROOT = Path(__file__).parents[2]
EVENTS = 6_000
SEED = 20261121


def schedule(seed: int, rounds: int) -> list[dict[str, object]]:
    """Every moment in every round, each after one to three transactions, in an order that chance has made."""
    dice = random.Random(seed)
    lives = [{"moment": moment, "number": dice.randint(1, 3)} for moment in MOMENTS for _ in range(rounds)]
    dice.shuffle(lives)
    return lives


def test_a_pipeline_that_is_killed_loses_nothing_and_repeats_nothing(
    embedded_broker: RunningBroker, tmp_path: Path
) -> None:
    with platform_on(embedded_broker.bootstrap, tmp_path) as mesh:
        names = fresh_name(), fresh_name()
        for name in names:
            applied(mesh, declaration(name))
        reads, makes = (f"tests.{name}" for name in names)
        publish(mesh, reads, range(EVENTS))
        told = mesh.settings
        environment = {
            **os.environ,
            "MESH_KAFKA_BOOTSTRAP": told.bootstrap,
            "MESH_PLATFORM_URL": told.platform_url,
            "MESH_TOKEN": told.token,
        }
        argv = [sys.executable, "-m", "tests.integration.pipeline_worker", reads, makes]
        with subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            ends = Counter[int]()
            for life in [*schedule(SEED, 2), {"moment": "never", "number": 0}]:
                worker.stdin.write(json.dumps(life) + "\n")
                worker.stdin.flush()
                ends[int(worker.stdout.readline())] += 1
            worker.stdin.close()
        port = mesh.port(reads)
        read = pa.concat_batches([batch.events for batch in mesh.read(reads).batches()])
        assert port.codec.arrow_schema.names == read.schema.names
        expected = Counter(row["at"] for row in halved(read).events.to_pylist())
        found = Counter(row["at"] for row in mesh.read(makes).rows())
    assert ends == {-signal.SIGKILL: 2 * len(MOMENTS), 0: 1}, f"seed {SEED}: {ends}"
    lost, twice = expected - found, {at: n for at, n in found.items() if n > 1}
    assert (len(lost), len(twice), found.total()) == (0, 0, expected.total()), f"seed {SEED}"
    assert expected.total() == pytest.approx(EVENTS * 2 / 3, rel=0.01)
    assert BEGAN not in found
