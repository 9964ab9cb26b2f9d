"""Plans: golden files per case, convergence, and what apply refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.apply import apply
from mesh.declaration import Declaration
from mesh.errors import PlanError
from mesh.plan import Change, Plan, make_plan
from mesh.plan.actual import SubjectFacts
from mesh.plan.changes import Blocked
from mesh.plan.saved import document_of
from mesh.plan.scope import scope_of
from tests.unit.contract_kit import CONTRACT, PRODUCT, contract_text, declared, field, product_text, replaced
from tests.unit.twins import WorldTwin

GOLDEN = Path(__file__).parent / "golden" / "plans"


def desired(*pairs: tuple[str, str]) -> Declaration:
    return declared(replaced(CONTRACT, *pairs), PRODUCT).require()


def plan(wanted: Declaration, twin: WorldTwin) -> Plan:
    return make_plan(wanted, twin.world.actual(wanted))


def applied(wanted: Declaration, twin: WorldTwin | None = None) -> WorldTwin:
    twin = twin or WorldTwin()
    list(apply(plan(wanted, twin), twin.world))
    return twin


MORE_EVENTS = ("value: P400D", "value: P800D")
MORE_PARTITIONS = ("value: 3", "value: 6")
FEWER_PARTITIONS = ("value: 3", "value: 2")
ANOTHER_TYPE = (
    "logicalType: integer\n        logicalTypeOptions: {format: i32, minimum: -60}",
    "logicalType: boolean",
)


def approved(*pairs: tuple[str, str]) -> tuple[Declaration, WorldTwin]:
    """The sample applied, then changed and approved by governance, but not applied."""
    twin = applied(desired())
    twin.platform.approve(replaced(CONTRACT, *pairs))
    return desired(*pairs), twin


CASES = {
    "empty-world": lambda: (desired(), WorldTwin()),
    "nothing-to-do": lambda: (desired(), applied(desired())),
    "altered-retention": lambda: approved(MORE_EVENTS),
    "more-partitions": lambda: approved(MORE_PARTITIONS),
    "fewer-partitions-blocked": lambda: approved(FEWER_PARTITIONS),
    "unapproved-contract-blocked": lambda: (desired(MORE_EVENTS), applied(desired())),
    "incompatible-schema-blocked": lambda: approved(ANOTHER_TYPE),
}


@pytest.mark.parametrize("case", CASES)
def test_the_plan_of_a_case_is_the_golden_one(case: str) -> None:
    found = json.dumps(document_of(plan(*CASES[case]())), indent=2, ensure_ascii=False) + "\n"
    assert found == (GOLDEN / f"{case}.json").read_text()


def test_every_golden_plan_belongs_to_a_case() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(CASES)


def test_after_apply_the_second_plan_is_empty() -> None:
    assert plan(desired(), applied(desired())).changes == ()


@pytest.mark.parametrize("change", [MORE_EVENTS, MORE_PARTITIONS])
def test_after_applying_an_approved_change_the_next_plan_is_empty(change: tuple[str, str]) -> None:
    wanted, twin = approved(change)
    assert plan(wanted, applied(wanted, twin)).changes == ()


def test_a_contract_back_in_an_earlier_text_needs_no_schema_again() -> None:
    wider = (
        "      - name: departed_at",
        "      - name: note\n        logicalType: string\n      - name: departed_at",
    )
    wanted, twin = approved(wider)
    applied(wanted, twin)
    twin.platform.approve(CONTRACT)
    assert plan(desired(), twin).changes == ()


def test_a_failing_step_leaves_the_steps_before_it_done_and_the_next_plan_shows_the_rest() -> None:
    twin = WorldTwin()
    first, *rest = plan(desired(), twin).changes
    next(iter(apply(plan(desired(), twin), twin.world)))
    assert plan(desired(), twin).changes == tuple(rest)
    assert first.subject == "ops.flights.v1"


@pytest.mark.parametrize("case", [name for name in CASES if name.endswith("-blocked")])
def test_apply_refuses_a_blocked_plan_before_its_first_step(case: str) -> None:
    wanted, twin = CASES[case]()
    before = twin.world.actual(wanted)
    with pytest.raises(PlanError) as caught:
        next(iter(apply(plan(wanted, twin), twin.world)))
    assert caught.value.error_code == "MESH-P010"
    assert caught.value.why
    assert caught.value.fix
    assert twin.world.actual(wanted) == before


def test_apply_refuses_a_plan_of_another_world() -> None:
    twin = WorldTwin()
    stale = plan(desired(), twin)
    twin.broker.create_topic("ops.flights.v1", 3, {})
    with pytest.raises(PlanError) as caught:
        next(iter(apply(stale, twin.world)))
    assert (caught.value.error_code, caught.value.fix) == ("MESH-P011", "mesh plan")


def test_what_another_team_declares_meanwhile_does_not_make_a_plan_stale() -> None:
    twin = WorldTwin()
    made = plan(desired(), twin)
    other = contract_text([field("a")], contract_id="fleet.aircraft.v1")
    applied(declared(other, product_text("fleet.aircraft")).require(), twin)
    assert len(list(apply(made, twin.world))) == len(made.changes)


def test_a_topic_of_nobody_is_left_alone() -> None:
    twin = applied(desired())
    twin.broker.create_topic("somebody.elses", 1, {})
    assert plan(desired(), twin).changes == ()


def test_a_level_set_by_hand_is_set_back() -> None:
    twin = applied(desired())
    twin.registry.set_level("ops.flights.v1-value", "NONE")
    (change,) = plan(desired(), twin).changes
    assert (change.verb, change.detail) == ("set compatibility", "NONE → BACKWARD")


def test_a_lost_dead_letter_topic_is_created_again() -> None:
    twin = applied(desired())
    del twin.broker.found["ops.flights.v1.dlq"]
    (change,) = plan(desired(), twin).changes
    assert (change.verb, change.subject) == ("create topic", "ops.flights.v1.dlq")


def test_a_subject_emptied_by_hand_is_registered_again() -> None:
    twin = applied(desired())
    twin.registry.found["ops.flights.v1-value"] = SubjectFacts("BACKWARD", ())
    (change,) = plan(desired(), twin).changes
    assert change.verb == "register schema and rules"


def test_a_plan_never_depends_on_the_order_in_which_the_world_is_listed() -> None:
    twin = applied(desired())
    twin.broker.found = dict(reversed(twin.broker.found.items()))
    assert plan(desired(), twin).base == plan(desired(), applied(desired())).base


class Dance(Change):
    """A change that nobody knows."""

    verb = "dance"


def test_a_change_without_a_way_to_carry_it_out_is_refused() -> None:
    twin = WorldTwin()
    base = plan(desired(), twin).base
    with pytest.raises(PlanError) as caught:
        list(apply(Plan((Dance("x"),), base, scope_of(desired())), twin.world))
    assert caught.value.error_code == "MESH-P012"


names = st.sampled_from(["aa", "bb-cc", "dd"])
kinds = st.sampled_from(["string", "integer", "date", "timestamp", "boolean"])


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    texts = []
    for name in draw(st.lists(names, unique=True, min_size=1)):
        properties = [
            field(n, draw(kinds), required=draw(st.booleans()))
            for n in draw(st.lists(names.map(lambda n: n.replace("-", "_")), unique=True, min_size=1))
        ]
        custom = {
            "partitions": draw(st.integers(1, 3)),
            "retention": draw(st.sampled_from(["P1D", "forever", "P0D"])),
            "compatibility": draw(st.sampled_from(["BACKWARD", "FULL_TRANSITIVE", "NONE"])),
        }
        texts.append(contract_text(properties, contract_id=f"ops.{name}.v1", custom=custom))
        texts.append(product_text(f"ops.{name}"))
    return declared(*texts).require()


@settings(max_examples=60, deadline=None)
@given(st.lists(declarations(), min_size=1, max_size=3))
def test_from_any_world_a_plan_is_blocked_or_leads_to_an_empty_one(wanted: list[Declaration]) -> None:
    twin = WorldTwin()
    for each in wanted:
        for contract in each.contracts.values():
            if contract.id in twin.platform.held_contracts:
                twin.platform.approve(contract.document.text)
        made = plan(each, twin)
        if made.blocked:
            assert all(isinstance(b, Blocked) and b.why and b.fix for b in made.blocked)
        else:
            outcomes = list(apply(made, twin.world))
            assert tuple(outcome.change for outcome in outcomes) == made.changes
            assert plan(each, twin).changes == ()
