"""A slice of the long run: mutated requests of every family, and nobody else notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_platform.broker.versions import ADVERTISED
from tests.fuzz.campaign import attack, clean, resident, sockets
from tests.fuzz.healthy import Healthy
from tests.unit.broker_kit import broker

REQUESTS = 150
SEED = 7
_MIB = 1 << 20


def settled(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


@pytest.mark.timeout(300)
def test_mutated_requests_of_every_family_disturb_nobody(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        clean(process)
        at_first, memory = sockets(process), resident(process)
        with Healthy(process.bootstrap) as healthy:
            tallies = [attack(process, key, requests=REQUESTS, seed=SEED) for key in sorted(ADVERTISED)]
        told = (tmp_path / "data.stderr").read_text()
        assert process.popen.poll() is None
        assert [line for line in told.splitlines() if '"failed"' in line] == []
        assert [wrong for tally in tallies for wrong in tally.wrong] == []
        assert {tally.told.total() for tally in tallies} == {REQUESTS}
        assert all(tally.told["answered"] + tally.told["refused"] for tally in tallies)
        assert (healthy.errors, healthy.seen) == ([], healthy.sent)
        assert settled(lambda: sockets(process) <= at_first)
        assert resident(process) - memory < 100 * _MIB
