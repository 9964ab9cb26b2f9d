"""Races and kill -9: one winner, one id, nothing acknowledged lost; a registry that fails at it is found out.

A slice of `python -m tests.faults registry`, which has 200 kills and 100 rounds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_platform.chaos.kills import Kill
from mesh_platform.log import SqliteLog
from tests.faults.registry.campaign import campaign
from tests.faults.registry.nemesis import MOMENTS, SCHEDULES, platforms
from tests.faults.registry.races import race

pytestmark = pytest.mark.xdist_group("faults")

SOON = Kill("answered", 60, 20.0)


def test_of_64_rivals_one_wins_and_64_twins_get_one_id(tmp_path: Path) -> None:
    with platforms(tmp_path) as running:
        races = race(tmp_path, running, rivals=4, twins=2)
    assert races.winners == [1] * 4
    assert races.refusals == {409: 252}
    assert races.ids == [1] * 2
    assert races.findings == []


def test_nothing_acknowledged_is_lost_by_kills_at_moments_of_every_kind(tmp_path: Path) -> None:
    kills = [Kill(moment, 2 if moment == "snapshot" else 40, 20.0) for moment in MOMENTS]
    report = campaign(tmp_path, seed=5, kills=kills)
    assert report.findings == []
    assert set(report.ends) >= set(MOMENTS)
    assert report.acknowledged > 100
    assert _chain(tmp_path) is None


@pytest.mark.parametrize(
    ("broken", "actors", "kill", "found"),
    [
        ("forget-the-tail", ("grower", "remover"), SOON, "divergence"),
        ("answer-before-the-log", ("grower",), Kill("append", 28, 20.0), "id-loss"),  # six at a time
        ("count-again", ("remover", "twin"), SOON, "id-reuse"),
        ("decide-by-the-process", ("grower",), SOON, "divergence"),
    ],
)
def test_a_registry_that_forgets_is_found_out(
    tmp_path: Path, broken: str, actors: tuple[str, ...], kill: Kill, found: str
) -> None:
    report = campaign(tmp_path, seed=5, kills=[kill], actors=actors, broken=[broken])
    assert found in report.found


def test_a_registry_that_decides_wrongly_is_found_out_fault_by_fault(tmp_path: Path) -> None:
    faults = {
        "judge-before-the-log": "incompatible-pair",
        "an-id-for-each-subject": "split-id",
        "open-gate": "unapproved-live",
        "forget-deletions": "undeleted",
    }
    report = campaign(tmp_path, seed=5, kills=[Kill("answered", 150, 30.0)], broken=list(faults))
    assert set(report.found) >= set(faults.values())


def test_a_seed_gives_the_same_kills_again() -> None:
    assert SCHEDULES.schedule(3, 40) == SCHEDULES.schedule(3, 40) != SCHEDULES.schedule(4, 40)


def _chain(folder: Path) -> int | None:
    log = SqliteLog(folder / "platform-0" / "control.db")
    broken_at = log.verify()
    log.close()
    return broken_at
