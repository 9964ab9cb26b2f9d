"""Plans are the same on every broker: what is asked, what is shown, what is carried out.

The golden files hold the saved plan and what people see of it. `MESH_WRITE_GOLDEN=1` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import cache
from pathlib import Path

import pytest

from mesh.apply import apply
from mesh.connection import Mesh
from mesh.declaration import Declaration
from mesh.errors import PlanError
from mesh.plan import Plan
from mesh.plan.drift import drift
from mesh.plan.saved import document_of, plan_of
from mesh.plan.text import lines
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import platform_on
from tests.conformance.planned_cases import ALL_RISKS, CASES, Estate, drifted

GOLDEN = Path(__file__).parent / "golden" / "plans"


@pytest.fixture(scope="module")
def mesh(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A platform of its own on each broker: names of the cases are fixed, so that plans are."""
    with platform_on(broker.bootstrap, tmp_path_factory.mktemp("plans")) as running:
        yield running


@pytest.fixture(scope="module")
def told(mesh: Mesh) -> Callable[[str], tuple[Estate, Declaration, Plan]]:
    """A case told to its end and planned; each only once."""

    @cache
    def tell(name: str) -> tuple[Estate, Declaration, Plan]:
        case, estate = CASES[name], Estate(mesh, f"plan-{name}")
        desired = case.tell(estate)
        return estate, desired, case.plan(estate, desired)

    return tell


Told = Callable[[str], tuple[Estate, Declaration, Plan]]
BLOCKED = [
    name for name in CASES if name in ("shrink-partitions", "rename-property", "breaking", "destroy-promised")
]
CARRIED_OUT = [name for name in CASES if name not in BLOCKED]


def require_golden(name: str, found: str) -> None:
    if os.environ.get("MESH_WRITE_GOLDEN"):
        (GOLDEN / name).write_text(found, encoding="utf-8")
    assert found == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_saved_plan_of_a_case_is_the_golden_one(told: Told, case: str) -> None:
    document = document_of(told(case)[2])
    require_golden(f"{case}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("case", CASES)
def test_what_people_see_of_a_case_is_the_golden_text(told: Told, case: str) -> None:
    require_golden(f"{case}.txt", "".join(f"{line}\n" for line in lines(told(case)[2])))


@pytest.mark.parametrize("case", CARRIED_OUT)
def test_a_saved_plan_carried_out_leaves_nothing_to_change(told: Told, case: str) -> None:
    estate, desired, made = told(case)
    saved = plan_of(json.dumps(document_of(made)))
    assert len(list(apply(saved, estate.mesh.world(), CASES[case].consent))) == len(made.changes)
    assert estate.plan(desired).changes == ()


@pytest.mark.parametrize("case", BLOCKED)
def test_a_blocked_plan_changes_nothing(told: Told, case: str) -> None:
    estate, desired, made = told(case)
    with pytest.raises(PlanError) as caught:
        list(apply(made, estate.mesh.world(), ALL_RISKS))
    assert caught.value.error_code == "MESH-P010"
    assert CASES[case].plan(estate, desired) == made


@pytest.mark.parametrize("case", ["shrink", "conflict", "destroy"])
def test_what_may_lose_events_is_not_done_without_consent(told: Told, case: str) -> None:
    estate, _, _ = told("create")
    with pytest.raises(PlanError) as caught:
        list(apply(told(case)[2], estate.mesh.world()))
    assert caught.value.error_code == "MESH-P024"


def test_a_plan_is_refused_once_the_world_has_moved(mesh: Mesh) -> None:
    estate = Estate(mesh, "plan-moved")
    made = estate.plan(estate.declared())
    estate.make_topic(2)
    with pytest.raises(PlanError) as caught:
        list(apply(made, mesh.world()))
    assert caught.value.error_code == "MESH-P011"


def test_drift_names_property_declared_and_live(mesh: Mesh) -> None:
    estate = Estate(mesh, "plan-behind")
    desired = drifted(estate)
    found = drift(desired, mesh.world().survey(desired, [estate.domain]))
    require_golden("drift-rows.txt", "".join(f"{' | '.join(astuple(row))}\n" for row in found))


def test_a_topic_that_consumers_still_read_is_not_deleted(mesh: Mesh) -> None:
    estate = Estate(mesh, "plan-read")
    desired = CASES["destroy"].tell(estate)
    estate.commit("reports.monthly")
    blocked = estate.destroying(desired).blocked
    assert [(b.subject, b.why) for b in blocked] == [
        (estate.topic, "they hold positions on it: reports.monthly")
    ]
