"""Governance as a pure state: declaring, proposing, deciding; the same records give the same state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_platform.governance.state import ApprovedVersion, GovernanceState, Proposal, Refused
from mesh_platform.log import Record

ID, TOPIC = "ops.flights.v1", "ops.flights.v1"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def facts(text: str, **more: Any) -> dict[str, Any]:
    return {
        "contract_id": ID,
        "version": "1.0.0",
        "sha256": sha(text),
        "file": "f.yaml",
        "text": text,
        "topic": TOPIC,
        "schema": f"schema of {text}",
        **more,
    }


@dataclass
class Chamber:
    """A state and the records it was given."""

    state: GovernanceState = field(default_factory=GovernanceState)
    records: list[Record] = field(default_factory=list)

    def send(self, kind: str, body: dict[str, Any], actor: str = "ann") -> Any:
        record = Record(len(self.records), f"t{len(self.records)}", actor, kind, body)
        self.records.append(record)
        return self.state.apply(record)

    def declare(self, text: str = "one", **more: Any) -> Any:
        return self.send("contract.declare", facts(text, **more))

    def propose(self, text: str = "two", base: str = "one", *, compatible: bool = True) -> Any:
        verdict = {"compatible": compatible, "problems": [] if compatible else ["field x is gone"]}
        return self.send(
            "proposal.open", facts(text, base_sha256=sha(base), reason="because", verdict=verdict)
        )

    def decide(
        self, number: int = 1, decision: str = "approve", text: str = "two", actor: str = "gov"
    ) -> Any:
        return self.send(
            "proposal.decide",
            {"number": number, "decision": decision, "sha256": sha(text), "reason": "ok"},
            actor,
        )

    def text_in_force(self) -> str:
        found = self.state.in_force(ID)
        return found.text if found else ""


@pytest.fixture
def chamber() -> Chamber:
    return Chamber()


def refused(outcome: object, code: str) -> Refused:
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert outcome.what
    assert outcome.why
    assert outcome.fix
    return outcome


def test_a_contract_that_cannot_be_read_today_is_not_let_go_of(chamber: Chamber) -> None:
    chamber.declare("no contract by any rule")
    found = refused(chamber.send("contract.remove", {"contract_id": ID}), "MESH-G022")
    assert "unknown" in found.why
    assert chamber.state.in_force(ID) is not None


def test_what_the_text_yields_stays_with_the_approved_version(chamber: Chamber) -> None:
    yielded = {"rule_set": {"domainRules": [{"name": "r"}]}, "level": "FULL"}
    chamber.declare(**yielded)
    verdict = {"compatible": True, "problems": []}
    chamber.send("proposal.open", facts("two", base_sha256=sha("one"), reason="", verdict=verdict, **yielded))
    chamber.decide()
    versions = chamber.state.contracts[ID]
    assert [(v.rule_set, v.level) for v in versions] == [(yielded["rule_set"], "FULL")] * 2


def test_records_of_releases_without_rule_sets_still_replay(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    chamber.decide()
    assert [(v.rule_set, v.level) for v in chamber.state.contracts[ID]] == [(None, None)] * 2


def test_a_first_version_is_accepted_and_owns_its_topic(chamber: Chamber) -> None:
    made = chamber.declare()
    assert isinstance(made, ApprovedVersion)
    assert (made.approved_at, chamber.state.owner_of(TOPIC)) == ("t0", ID)


def test_declaring_the_same_text_again_answers_the_same(chamber: Chamber) -> None:
    assert chamber.declare() is chamber.declare()
    assert len(chamber.state.contracts[ID]) == 1


def test_declaring_another_text_is_refused_and_leads_to_a_proposal(chamber: Chamber) -> None:
    chamber.declare()
    outcome = refused(chamber.declare("two"), "MESH-G010")
    assert (outcome.status, outcome.fix) == (409, "mesh propose f.yaml")
    assert chamber.text_in_force() == "one"


def test_an_approved_proposal_is_in_force_by_the_name_of_its_judge(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    decided = chamber.decide(actor="gov")
    assert isinstance(decided, Proposal)
    assert (decided.status, decided.decided_by, decided.decided_at) == ("approved", "gov", "t2")
    found = chamber.state.in_force(ID)
    assert found is not None
    assert (found.text, found.approved_by) == ("two", "gov")


def test_a_refused_proposal_changes_nothing_in_force(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    assert chamber.decide(decision="refuse").status == "refused"
    assert chamber.text_in_force() == "one"


def test_proposing_on_a_stale_base_is_refused(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    chamber.decide()
    refused(chamber.propose("three", base="one"), "MESH-G011")


def test_proposing_what_was_never_declared_is_refused(chamber: Chamber) -> None:
    refused(chamber.propose(), "MESH-G011")


def test_deciding_on_another_text_than_the_proposed_one_is_refused(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    refused(chamber.decide(text="another"), "MESH-G014")
    assert chamber.text_in_force() == "one"


def test_an_incompatible_proposal_cannot_be_approved(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose(compatible=False)
    assert refused(chamber.decide(), "MESH-G015").why == "field x is gone"
    assert chamber.text_in_force() == "one"


def test_an_incompatible_proposal_can_be_refused(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose(compatible=False)
    assert chamber.decide(decision="refuse").status == "refused"


def test_there_is_no_deciding_on_a_proposal_that_is_not_there(chamber: Chamber) -> None:
    assert refused(chamber.decide(7), "MESH-G012").status == 404


def test_proposing_the_same_text_again_answers_the_same_proposal(chamber: Chamber) -> None:
    chamber.declare()
    assert chamber.propose() is chamber.propose()


def test_a_newer_proposal_supersedes_the_open_one(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    newer = chamber.propose("three")
    assert (newer.number, chamber.state.proposals[1].status) == (2, "superseded")
    refused(chamber.decide(1), "MESH-G013")


def test_the_same_decision_again_answers_the_same(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    assert chamber.decide() is chamber.decide()
    assert len(chamber.state.contracts[ID]) == 2


def test_the_other_decision_afterwards_is_refused(chamber: Chamber) -> None:
    chamber.declare()
    chamber.propose()
    chamber.decide()
    refused(chamber.decide(decision="refuse"), "MESH-G013")


PRODUCT = {"full_name": "ops.flights", "sha256": "s", "file": "f", "text": "one"}


def test_a_product_is_not_declared_on_a_contract_that_was_removed_meanwhile(chamber: Chamber) -> None:
    refused(chamber.send("product.declare", {**PRODUCT, "offers": ["ops.gone.v1"]}), "MESH-G020")
    assert not chamber.state.products


def test_a_subscription_to_a_product_that_was_removed_meanwhile_is_refused(chamber: Chamber) -> None:
    body = {"product": "ops.flights", "group": "g", "fields": ["a"], "purpose": "p"}
    refused(chamber.send("subscription.put", body), "MESH-G026")
    assert not chamber.state.subscriptions


def test_a_subscription_keeps_the_day_it_began(chamber: Chamber) -> None:
    chamber.send("product.declare", PRODUCT)
    body = {"product": "ops.flights", "group": "g", "fields": ["a"], "purpose": "p"}
    first = chamber.send("subscription.put", body)
    again = chamber.send("subscription.put", {**body, "fields": ["b"]})
    assert (again.since, again.fields) == (first.since, ("b",))
    assert len(chamber.state.subscriptions) == 1


def test_a_product_declared_again_is_replaced(chamber: Chamber) -> None:
    chamber.send("product.declare", PRODUCT)
    chamber.send("product.declare", {**PRODUCT, "text": "two"})
    assert chamber.state.products["ops.flights"].text == "two"


def test_a_kind_from_a_later_release_is_passed_over(chamber: Chamber) -> None:
    assert chamber.send("something.new", {"x": 1}) is None


steps = st.one_of(
    st.tuples(st.just("declare"), st.sampled_from(["one", "two"])),
    st.tuples(
        st.just("propose"),
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from(["one", "two"]),
        st.booleans(),
    ),
    st.tuples(
        st.just("decide"),
        st.integers(0, 4),
        st.sampled_from(["approve", "refuse"]),
        st.sampled_from(["one", "two", "three"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=12))
def test_replay_gives_the_same_state_and_nothing_is_in_force_without_approval(taken: list[Any]) -> None:
    chamber = Chamber()
    for name, *values in taken:
        if name == "propose":
            chamber.propose(values[0], values[1], compatible=values[2])
        else:
            getattr(chamber, name)(*values)
    replayed = GovernanceState()
    for record in chamber.records:
        replayed.apply(record)
    assert vars(replayed) == vars(chamber.state)
    approved = {
        p.sha256
        for p in chamber.state.proposals.values()
        if p.status == "approved" and p.verdict["compatible"]
    }
    assert {v.sha256 for v in chamber.state.contracts.get(ID, [])[1:]} <= approved
    assert sum(1 for p in chamber.state.proposals.values() if p.status == "open") <= 1
