"""kill -9 under load: nothing acknowledged is lost, doubled or torn; and a broker that does so is found out.

One round of twelve kills, most within its file operations; `python -m tests.faults --kills 100` is the long
one, and test_faults_chaos.py has thirty kills of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mesh_platform.chaos.kills import Kill
from tests.faults.campaign import campaign
from tests.faults.nemesis import SCHEDULES

pytestmark = pytest.mark.xdist_group("faults")

CLOCK = [Kill(None, 0, 0.8)] * 3
WRITTEN = [Kill("write", 2 * number, 4.0) for number in (60, 90, 120)]  # written, and not yet answered


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_doubled_or_torn_by_kills_within_file_operations(tmp_path: Path) -> None:
    report = campaign(tmp_path, seed=11, kills=SCHEDULES.schedule(11, 12, latest=0.8))
    assert report.findings == []
    assert report.kills == 12
    assert report.acknowledged > 10_000
    assert report.said["txn ok"] > 40
    assert report.ends.keys() >= {"write", "roll", "replace", "unlink", "sync", "statement"}


@pytest.mark.parametrize(
    ("broken", "worker", "kills", "found"),
    [
        ("ack-before-write", "sender", CLOCK, "lost"),
        ("drop-every-1000th", "sender", CLOCK, "lost"),
        ("append-again", "sender", WRITTEN, "duplicated"),
        ("forget-the-tail", "sender", CLOCK, "lost"),
        ("show-aborted", "transactor", CLOCK, "aborted_read"),
        ("commit-by-halves", "transactor", CLOCK, "torn"),
    ],
)
def test_a_broken_broker_is_found_out(
    tmp_path: Path, broken: str, worker: str, kills: Sequence[Kill], found: str
) -> None:
    report = campaign(tmp_path, seed=5, kills=kills, workers=[worker], broken=broken)
    assert found in report.found


def test_a_seed_gives_the_same_kills_again() -> None:
    assert SCHEDULES.schedule(3, 40) == SCHEDULES.schedule(3, 40) != SCHEDULES.schedule(4, 40)
