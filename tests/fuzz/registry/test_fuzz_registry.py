"""A slice of the long run: mutated requests are answered, none with a fault, and nobody else notices."""

from __future__ import annotations

from pathlib import Path

from tests.faults.registry.nemesis import platforms
from tests.fuzz.registry.campaign import attack

REQUESTS = 800
_MIB = 1 << 20


def test_mutated_requests_are_refused_and_disturb_nobody(tmp_path: Path) -> None:
    with platforms(tmp_path) as (platform,):
        tally = attack(platform, tmp_path, requests=REQUESTS, seed=7)
    assert tally.wrong == []
    assert tally.told["200"] > 50
    assert tally.told["422"] > 50
    assert tally.memory[-1] - tally.memory[0] < 80 * _MIB
