"""Policies at governance: asked once, on the day of the proposal; the outcome travels in its record."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from mesh.policy import Shelf
from mesh_platform.catalog.reviews import review_page
from mesh_platform.governance.policies import ask_policies, standing_in_the_way
from mesh_platform.web.review_view import ReviewView
from mesh_platform.web.views import Visitor
from tests.unit.contract_kit import contract
from tests.unit.policy_kit import TODAY, policy_text, shelf
from tests.unit.test_governance_state import Chamber, refused

VERDICT = {"level": "BACKWARD", "changes": [], "readers": [], "details": [], "judged_against": 1}
DEPRECATED = ("status: active", "status: deprecated")
STRICT = policy_text(
    name="needs-purpose",
    require={"path": "description.purpose", "exists": True},
    message="it has no purpose",
)


def asked(*pairs: tuple[str, str], policies: Shelf | None = None, today: date = TODAY) -> dict[str, Any]:
    return ask_policies(policies or shelf(), contract(), contract(*pairs), (), None, today)


def outcomes(found: dict[str, Any], verdict: str) -> dict[str, str]:
    return {o["policy"]: o["severity"] for o in found["outcomes"] if o["verdict"] == verdict}


def test_a_change_policy_that_fails_stands_in_the_way() -> None:
    (against,) = standing_in_the_way({"policies": asked(DEPRECATED)})
    assert against.startswith("deprecation-has-end: ops.flights.v1 becomes deprecated without a day")


def test_a_warning_is_told_and_stands_in_nobodys_way() -> None:
    found = asked()
    assert outcomes(found, "failed")["owner-present"] == "warning"
    assert list(standing_in_the_way({"policies": found})) == []


def test_an_error_in_grace_stands_in_nobodys_way_until_its_day() -> None:
    graceful = shelf(STRICT + "grace: '2026-12-01'\n")
    assert list(standing_in_the_way({"policies": asked(policies=graceful)})) == []
    later = asked(policies=graceful, today=date(2026, 12, 1))
    assert list(standing_in_the_way({"policies": later})) == ["needs-purpose: it has no purpose"]


def test_an_exempt_contract_is_told_until_when() -> None:
    entry = "exemptions: [{subject: ops.*, reason: it moves, expires: '2026-12-31'}]\n"
    found = asked(policies=shelf(STRICT + entry))
    (outcome,) = [o for o in found["outcomes"] if o["policy"] == "needs-purpose"]
    assert (outcome["verdict"], outcome["exempt_until"]) == ("exempt", "2026-12-31")
    assert list(standing_in_the_way({"policies": found})) == []


def test_what_cannot_be_told_stands_in_the_way() -> None:
    odd = policy_text(name="odd", require={"path": "status", "atLeast": 1})
    found = asked(policies=shelf(odd))
    assert outcomes(found, "unknown") == {"odd": "error"}
    assert len(list(standing_in_the_way({"policies": found}))) == 1


def test_a_policy_file_that_does_not_hold_stands_in_the_way() -> None:
    (against,) = standing_in_the_way({"policies": asked(policies=shelf("- nothing\n"))})
    assert "the file holds no policy" in against


def test_the_evidence_names_the_day_the_set_and_who_passed() -> None:
    found = asked()
    assert (found["day"], found["sha256"]) == ("2026-11-21", shelf().policies.sha256)
    assert "status-goes-forward" in found["passed"]


def test_a_new_contract_has_no_change_to_ask_about() -> None:
    found = ask_policies(shelf(), None, contract(), (), None, TODAY)
    assert "status-goes-forward" not in found["passed"]


@pytest.fixture
def chamber() -> Chamber:
    made = Chamber()
    made.declare()
    return made


def propose(chamber: Chamber, policies: dict[str, Any]) -> None:
    verdict = {"compatible": True, "problems": [], "policies": policies}
    text = {
        "text": "two",
        "sha256": "2" * 64,
        "base_sha256": chamber.state.contracts["ops.flights.v1"][0].sha256,
    }
    body = {**chamber.records[0].body, **text, "reason": "because", "verdict": verdict}
    chamber.send("proposal.open", body)


def decide(chamber: Chamber, decision: str) -> Any:
    body = {"number": 1, "decision": decision, "sha256": "2" * 64, "reason": "ok"}
    return chamber.send("proposal.decide", body)


def test_a_proposal_that_a_policy_refuses_cannot_be_approved(chamber: Chamber) -> None:
    propose(chamber, asked(DEPRECATED))
    outcome = refused(decide(chamber, "approve"), "MESH-G017")
    assert "deprecation-has-end" in outcome.why
    assert chamber.text_in_force() == "one"


def test_a_proposal_that_a_policy_refuses_can_be_refused(chamber: Chamber) -> None:
    propose(chamber, asked(DEPRECATED))
    assert decide(chamber, "refuse").status == "refused"


def test_a_proposal_that_only_warns_can_be_approved(chamber: Chamber) -> None:
    propose(chamber, asked())
    assert decide(chamber, "approve").status == "approved"


def test_replay_asks_the_record_and_no_policy(chamber: Chamber) -> None:
    propose(chamber, asked(DEPRECATED))
    decide(chamber, "approve")
    again = Chamber()
    for record in chamber.records:
        again.state.apply(record)
    assert vars(again.state) == vars(chamber.state)


def test_a_proposal_of_before_there_were_policies_is_decided_as_then() -> None:
    verdict = {"compatible": True, "problems": []}
    assert list(standing_in_the_way(verdict)) == []


def page(chamber: Chamber, policies: dict[str, Any]) -> ReviewView:
    propose(chamber, policies)
    proposal = replace(chamber.state.proposals[1], proposed_at="2026-11-21T08:00:00+00:00")
    proposal = replace(proposal, verdict={**VERDICT, **proposal.verdict})
    return review_page(chamber.state, proposal, Visitor())


def test_the_review_page_shows_who_refuses_who_warns_and_who_passed(chamber: Chamber) -> None:
    shown = page(chamber, asked(DEPRECATED, policies=shelf(STRICT)))
    states = {policy.name: policy.state for policy in shown.policies}
    assert states == {"deprecation-has-end": "refused", "needs-purpose": "refused"}
    assert "status-goes-forward" in shown.policies_passed
    assert shown.summary.startswith("Compatible (BACKWARD), but refused by policy: ")


def test_the_review_page_tells_the_exempt_and_the_unknown_from_the_passed(chamber: Chamber) -> None:
    odd = policy_text(name="odd", require={"path": "status", "atLeast": 1})
    entry = "exemptions: [{subject: ops.*, reason: it moves, expires: '2026-12-31'}]\n"
    shown = page(chamber, asked(policies=shelf(odd, STRICT + entry)))
    notes = {policy.name: (policy.state, policy.note) for policy in shown.policies}
    assert notes["odd"] == ("unknown", "not passed, so it refuses")
    assert notes["needs-purpose"] == ("exempt", "until 2026-12-31")
    assert notes["owner-present"] == ("warning", "")


def test_the_review_page_of_before_there_were_policies_has_no_such_part(chamber: Chamber) -> None:
    assert page(chamber, {}).policies_hash == ""
