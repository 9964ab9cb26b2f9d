"""What the page of a review shows of a verdict: changes with reasons, and whether the version is enough."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh_platform.catalog.reviews import review_page
from mesh_platform.governance.state import ApprovedVersion, GovernanceState, Proposal
from mesh_platform.governance.verdict import judge
from mesh_platform.web.review_view import ReviewView
from mesh_platform.web.views import Visitor
from tests.unit.contract_kit import contract_of, field

A = field("a", required=True)
NOW = "2026-01-01T00:00:00+00:00"
OLD = contract_of([A])


def page_of(new: Contract, verdict: dict[str, Any]) -> ReviewView:
    governance = GovernanceState()
    text, schema = OLD.document.text, avro_schema(OLD).text
    first = ApprovedVersion(OLD.id, "1.0.0", OLD.sha256, "f", text, OLD.topic, schema, "policy", NOW, "")
    governance.contracts[OLD.id] = [first]
    proposal = Proposal(
        number=1,
        contract_id=new.id,
        version=str(new.version),
        sha256=new.sha256,
        base_sha256=OLD.sha256,
        file="f",
        text=new.document.text,
        topic=new.topic,
        schema=avro_schema(new).text,
        reason="because",
        verdict=verdict,
        proposed_by="ana",
        proposed_at=NOW,
    )
    return review_page(governance, proposal, Visitor())


def page(version: str, *properties: dict[str, Any]) -> ReviewView:
    new = contract_of(list(properties), version=version)
    return page_of(new, judge(OLD, new, [avro_schema(OLD)], [], {}))


@pytest.mark.parametrize(
    ("version", "properties", "summary", "outcomes"),
    [
        ("1.1.0", (A, field("b")), "Compatible", ["passed", "passed"]),
        ("1.0.1", (A, field("b")), "Does not hold", ["passed", "failed"]),
        ("1.1.0", (field("b"),), "Would break readers", ["passed", "failed"]),
        ("1.1.0", (A, field("b", required=True)), "Would break readers", ["failed", "failed"]),
    ],
)
def test_the_page_tells_a_break_from_a_version_that_is_too_low(
    version: str, properties: tuple[dict[str, Any], ...], summary: str, outcomes: list[str]
) -> None:
    shown = page(version, *properties)
    assert shown.summary.startswith(summary)
    assert [proof.outcome for proof in shown.evidence] == outcomes


def test_changes_come_with_their_reasons() -> None:
    (change,) = page("1.1.0", A, field("b")).changes
    assert (change.subject, str(change.level), len(change.reasons)) == ("b", "minor", 1)


def test_a_compatible_change_that_a_policy_refuses_is_listed_as_against_it() -> None:
    new = contract_of([A, field("b")], version="1.1.0")
    verdict = judge(OLD, new, [avro_schema(OLD)], [], {})
    outcome = {
        "policy": "owner",
        "title": "It has an owner",
        "verdict": "failed",
        "severity": "error",
        "messages": ["nobody owns it"],
        "why": "",
        "fix": "",
        "exempt_until": "",
    }
    asked = {"sha256": "", "day": "2026-01-01", "passed": [], "outcomes": [outcome]}
    assert page_of(new, {**verdict, "policies": asked}).card.verdict == "against-policy"
    warned = {**asked, "outcomes": [{**outcome, "severity": "warning"}]}
    assert page_of(new, {**verdict, "policies": warned}).card.verdict == "compatible"


def test_a_verdict_of_an_earlier_platform_is_still_shown() -> None:
    new = contract_of([A, field("b")], version="1.1.0")
    verdict = judge(OLD, new, [avro_schema(OLD)], [], {})
    plain = {"kind": "added", "subject": "b", "before": "", "after": "string, optional"}
    earlier = {key: value for key, value in verdict.items() if key not in ("version", "outcome", "avro")}
    shown = page_of(new, {**earlier, "changes": [plain]})
    assert [proof.outcome for proof in shown.evidence] == ["passed"]
    assert [change.subject for change in shown.changes] == ["b"]
