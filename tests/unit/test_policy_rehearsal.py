"""A rehearsal names exactly those who would fail, over what is declared and over what a platform holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh.cli.plan_policies import foretold
from mesh.cli.policies import deployed_estate
from mesh.plan import make_plan
from mesh.plan.actual import Actual
from mesh.plan.changes import Blocked
from mesh.policy import changed, subjects
from mesh.policy.rehearsal import Row, rehearse
from tests.unit.contract_kit import contract_text, declared, product_text
from tests.unit.contract_kit import field as prop
from tests.unit.policy_kit import TODAY, policy, shelf
from tests.unit.twins import PlatformTwin

TAGGED = policy(
    name="tagged",
    appliesTo=["contract", "product"],
    require={"path": "tags", "exists": True},
    message="no tags",
)


def contract(contract_id: str, **more: Any) -> str:
    return contract_text([prop("a")], contract_id=contract_id, **more)


def test_a_rehearsal_names_exactly_the_three_that_would_fail() -> None:
    estate = declared(
        contract("ops.flights.v1"),
        contract("ops.crews.v1", tags=["x"]),
        contract("sea.ships.v1"),
        contract("sea.ports.v1", tags=["x"]),
        product_text("sea.ships"),
    )
    found = rehearse([TAGGED], list(subjects(estate)), TODAY)
    assert [(row.domain, row.fails) for row in found.rows] == [
        ("ops", ["ops.flights.v1"]),
        ("sea", ["sea.ships.v1", "sea.ships"]),
    ]
    assert found.subjects == 5


def test_a_policy_that_is_off_is_not_rehearsed() -> None:
    off = policy(enabled=False)
    found = rehearse([off], list(subjects(declared(contract("ops.flights.v1")))), TODAY)
    assert (found.policies, found.rows) == (0, ())


@dataclass
class PlatformWithReviews(PlatformTwin):
    """A platform that remembers what was proposed."""

    reviews: list[Mapping[str, Any]] = field(default_factory=list)

    def proposals(self) -> Sequence[Mapping[str, Any]]:
        return [{"number": number} for number in range(len(self.reviews), 0, -1)]

    def proposal(self, number: int) -> Mapping[str, Any]:
        return {"number": number, **self.reviews[number - 1]}


def test_past_proposals_are_rehearsed_with_the_text_they_were_made_against() -> None:
    platform = PlatformWithReviews()
    old = contract("ops.flights.v1")
    platform.declare_contract("c.odcs.yaml", old)
    platform.declare_product("p.odps.yaml", product_text())
    for status in ("draft", "active"):
        new = contract("ops.flights.v1", version="1.0.1", status=status)
        platform.reviews.append({"file": "c.odcs.yaml", "base_text": old, "text": new})
    made = rehearse(shelf().policies.of("change"), deployed_estate(platform), TODAY)
    assert made.rows == (Row("status-goes-forward", "ops", fails=["ops.flights.v1 (review 1)"]),)


def test_what_changed_between_two_declarations_is_asked_as_a_change() -> None:
    old = declared(contract("ops.flights.v1"), contract("ops.crews.v1"))
    new = declared(contract("ops.flights.v1", version="1.0.1"), contract("ops.crews.v1"))
    assert [(one.kind, one.name, one.fact("bump")) for one in changed(old, new)] == [
        ("change", "ops.flights.v1", "patch")
    ]


def planned(*texts: str) -> list[tuple[str, str]]:
    """Verb and subject of the first steps of a plan on an empty world, policies asked."""
    desired = declared(*texts)
    nothing = Actual(topics={}, subjects={}, contracts={}, products={})
    made = foretold(make_plan(desired, nothing), desired, shelf(), TODAY)
    return [(step.verb, step.subject) for step in made.changes if step.subject == "ops.flights.v1"]


def test_a_plan_foretells_that_policies_refuse_a_new_contract() -> None:
    personal = contract_text([prop("email")], contract_id="ops.flights.v1")
    assert planned(personal)[0] == (Blocked.verb, "ops.flights.v1")


def test_a_plan_is_not_stopped_by_warnings() -> None:
    assert planned(contract("ops.flights.v1"))[0] == ("declare contract", "ops.flights.v1")
