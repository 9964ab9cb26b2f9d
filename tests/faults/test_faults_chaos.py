"""Everything dies by kill -9: nothing is lost or doubled; and actors that lose or double are found out.

A slice of `mesh chaos`, whose long run is in docs/chaos.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_platform.chaos.campaign import campaign
from mesh_platform.chaos.kills import Kill
from mesh_platform.chaos.plan import NODE, Wish
from mesh_platform.chaos.report import Report

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(300)]

#: by fault: the check that must name it, and the death that shows it
FAULTS: dict[str, tuple[str, list[Kill]]] = {
    "forget-on-crash": ("unfinished", [Kill("sent", 2, 30.0)]),
    "acknowledge-at-once": ("lost", [Kill("acknowledged", 3, 30.0)]),
    "new-ids": ("duplicated", [Kill("acknowledged", 2, 30.0)]),
    "no-idempotence": ("duplicated", []),
    "turn-round": ("inverted_order", []),
    "commit-before-handling": ("effect_missing", [Kill("taken", 2, 30.0)]),
    "forget-the-inbox": ("effect_twice", [Kill("handled", 2, 30.0)]),
    "inbox-before-effect": ("effect_missing", [Kill("handling", 2, 30.0)]),
    "offsets-outside": ("effect_twice", [Kill("deriving", 2, 30.0)]),
}


def silent(_: str) -> None:
    """A campaign that nobody watches."""


def test_nothing_is_lost_or_doubled_by_thirty_kills_of_every_kind(tmp_path: Path) -> None:
    report = campaign(tmp_path, Wish(seed=11, kills=30, events=10_000, rate=1_500), silent)
    assert report.findings == []
    assert report.verdict == "valid"
    assert report.kills == 30
    assert {end.partition(" ")[0] for end in report.ends} == {"node", "publisher", "consumer", "pipeline"}
    assert report.acknowledged >= 10_000


@pytest.fixture(scope="module")
def found_out(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One campaign in which every actor is broken, each in its own way."""
    wish = Wish(seed=5, kills=0, events=4_000, rate=1_500, broken=tuple(FAULTS))
    schedules = {name: kills for name, (_, kills) in FAULTS.items()} | {NODE: []}
    return campaign(tmp_path_factory.mktemp("broken"), wish, silent, schedules)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_actor_is_found_out_by_the_check_that_names_its_fault(found_out: Report, fault: str) -> None:
    check, _ = FAULTS[fault]
    assert [f.what for f in found_out.findings if f.check == check and f.what.startswith(fault)] != []
