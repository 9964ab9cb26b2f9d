"""Clients that nobody here wrote do their whole round on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mesh_platform.brokers import RunningBroker
from tests.conftest import require

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Told = Mapping[str, Any]


def told(broker: RunningBroker, argv: Sequence[str], **env: str) -> Told:
    """What a script saw; it must end well, and the broker must have had nothing to complain of."""
    before = len(complaints(broker))
    done = subprocess.run(
        [*argv, broker.bootstrap],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        cwd=ROOT,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert complaints(broker)[before:] == []
    facts: Told = json.loads(done.stdout.splitlines()[-1])
    return facts


def complaints(broker: RunningBroker) -> list[str]:
    """Requests that the embedded broker could not read or not answer; Apache Kafka keeps another journal."""
    lines = broker.processes[0].program.log.read_text().splitlines() if broker.kind == "embedded" else []
    return [line for line in lines if json.loads(line)["event"] in ("bad frame", "failed")]
