"""What is there and not declared any more: named, kept, and removed only on request and with consent."""

from __future__ import annotations

import pytest

from mesh.apply import apply
from mesh.errors import PlanError
from mesh.plan import Consent, make_plan
from mesh.plan.actual import SubjectFacts
from tests.unit.contract_kit import CONTRACT, contract_text, declared, field, product_text, replaced
from tests.unit.plan_kit import EVERYTHING, SUBJECT, TOPIC, applied, destruction, plan, renamed
from tests.unit.twins import WorldTwin

RETIRED = ("status: active", "status: retired")


def left() -> WorldTwin:
    """A retired product whose files are gone, with one event."""
    twin = applied()
    twin.platform.approve(replaced(CONTRACT, RETIRED))
    twin.broker.ages[TOPIC] = [1]
    return twin


def test_what_is_not_declared_any_more_is_named_and_kept() -> None:
    made = plan(renamed(), applied())
    assert [(kept.kind, kept.name) for kept in made.kept] == [
        ("product", "ops.flights"),
        ("contract", TOPIC),
        ("subject", SUBJECT),
        ("topic", TOPIC),
        ("topic", f"{TOPIC}.dlq"),
    ]
    assert not any(change.mark == "-" for change in made.changes)


def test_what_other_domains_hold_is_not_this_plans_business() -> None:
    twin = applied()
    fleet = contract_text([field("a")], contract_id="fleet.aircraft.v1")
    other = declared(fleet, product_text("fleet.aircraft"))
    list(apply(plan(other.require(), twin), twin.world))
    assert all(kept.name.startswith("ops.") for kept in plan(renamed(), twin).kept)


def test_a_plan_of_some_files_says_nothing_about_the_rest() -> None:
    twin = applied()
    assert make_plan(renamed(), twin.world.actual(renamed())).kept == ()


def test_names_that_the_mesh_does_not_give_are_never_its_own() -> None:
    twin = applied()
    twin.broker.create_topic("ops.flights-changelog", 1, {})
    twin.registry.found["ops.something"] = SubjectFacts("NONE", ())
    assert "ops.flights-changelog" not in [kept.name for kept in plan(renamed(), twin).kept]
    assert "ops.something" not in [kept.name for kept in plan(renamed(), twin).kept]


def test_a_retired_product_goes_whole_once_its_topics_are_confirmed() -> None:
    twin = left()
    list(apply(destruction(renamed(), twin), twin.world, EVERYTHING))
    assert plan(renamed(), twin).changes == plan(renamed(), twin).kept == ()
    assert sorted(twin.broker.found) == ["ops.rides.v1", "ops.rides.v1.dlq"]


def test_removals_come_last_and_topics_after_everything_else() -> None:
    verbs = [change.verb for change in destruction(renamed(), left()).changes]
    assert verbs[-5:] == [
        "remove product",
        "remove contract",
        "delete subject",
        "delete topic",
        "delete topic",
    ]


@pytest.mark.parametrize("consent", [Consent(), Consent(kinds=["lossy", "adopt"]), Consent(names=[TOPIC])])
def test_each_topic_needs_its_own_name(consent: Consent) -> None:
    twin = left()
    with pytest.raises(PlanError) as caught:
        list(apply(destruction(renamed(), twin), twin.world, consent))
    assert caught.value.error_code == "MESH-P024"
    assert TOPIC in twin.broker.found


def test_a_contract_that_still_promises_something_is_not_removed() -> None:
    (blocked,) = destruction(renamed(), applied()).blocked
    assert (blocked.subject, blocked.what) == (TOPIC, "a contract that is active is not removed")


def test_a_contract_that_a_product_reads_is_not_removed() -> None:
    twin = left()
    reader = declared(
        contract_text([field("a")], contract_id="fleet.aircraft.v1"),
        product_text("fleet.aircraft", reads=[TOPIC]),
    )
    twin.platform.declare_product("a.odps.yaml", reader.products["fleet.aircraft"].document.text)
    (blocked,) = destruction(renamed(), twin).blocked
    assert blocked.why == "an input port names it: fleet.aircraft"


def test_a_topic_that_groups_read_is_not_deleted() -> None:
    twin = left()
    twin.broker.positions[TOPIC] = ("finance.report",)
    (blocked,) = destruction(renamed(), twin).blocked
    assert blocked.why == "they hold positions on it: finance.report"


def test_a_contract_that_nobody_can_read_today_is_not_removed() -> None:
    twin = left()
    facts = twin.platform.held_contracts[TOPIC]
    twin.platform.held_contracts[TOPIC] = type(facts)(
        facts.id, facts.version, facts.sha256, "not: yaml: at all"
    )
    (blocked,) = destruction(renamed(), twin).blocked
    assert blocked.what == "a contract that is unknown is not removed"


def test_a_topic_without_a_contract_may_go() -> None:
    twin = WorldTwin()
    twin.broker.create_topic("ops.old.v1", 1, {})
    made = destruction(renamed(), twin)
    assert made.blocked == ()
    assert [risk.name for risk in made.risks] == ["ops.old.v1"]
