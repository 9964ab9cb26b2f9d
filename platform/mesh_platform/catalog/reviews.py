"""Reviews as the pages show them: what changes for whom, and who decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mesh import naming
from mesh.change import Change
from mesh.versioning import Version
from mesh_platform.governance.policies import standing_in_the_way
from mesh_platform.governance.state import GovernanceState, Proposal
from mesh_platform.rights import Right
from mesh_platform.web.review_view import (
    AffectedConsumer,
    Effect,
    Evidence,
    PolicyOutcome,
    PolicyState,
    Reason,
    ReviewStep,
    ReviewsView,
    ReviewView,
)
from mesh_platform.web.views import Outcome, ReviewCard, ReviewState, Visitor

_STATES: dict[str, ReviewState] = {
    "open": "open",
    "approved": "approved",
    "refused": "refused",
    "superseded": "withdrawn",
}


def card(proposal: Proposal) -> ReviewCard:
    """A review as one line of a list."""
    compatible = proposal.verdict["compatible"]
    against = compatible and any(standing_in_the_way(proposal.verdict))
    return ReviewCard(
        id=str(proposal.number),
        title=proposal.reason or f"{proposal.contract_id} {proposal.version}",
        contract=proposal.contract_id,
        verdict="against-policy" if against else "compatible" if compatible else "incompatible",
        state=_STATES[proposal.status],
        proposed_by=proposal.proposed_by,
        proposed_at=datetime.fromisoformat(proposal.proposed_at),
        breaks=None if compatible else sum(1 for r in proposal.verdict["readers"] if r["affected"]),
    )


def open_cards(governance: GovernanceState) -> tuple[ReviewCard, ...]:
    """Open reviews, oldest first."""
    return tuple(card(p) for _, p in sorted(governance.proposals.items()) if p.status == "open")


def all_reviews(governance: GovernanceState) -> ReviewsView:
    """Open ones first, then the latest decided."""
    decided = [p for _, p in sorted(governance.proposals.items(), reverse=True) if p.status != "open"]
    return ReviewsView(open=open_cards(governance), decided=tuple(card(p) for p in decided))


def review_page(governance: GovernanceState, proposal: Proposal, visitor: Visitor) -> ReviewView:
    """One review whole."""
    verdict = proposal.verdict
    topic = naming.parse_topic(proposal.topic)
    before = next(
        (
            v.version
            for v in governance.contracts.get(proposal.contract_id, ())
            if v.sha256 == proposal.base_sha256
        ),
        "",
    )
    compatible = verdict["compatible"]
    asked = verdict.get("policies", {})
    is_open = proposal.status == "open"
    return ReviewView(
        card=card(proposal),
        domain=topic.domain,
        product=topic.product,
        from_version=before,
        to_version=proposal.version,
        summary=_summary(proposal),
        description=proposal.reason,
        changes=tuple(map(Change.from_data, verdict["changes"])),
        reasons=tuple(Reason(path=path, text=text, breaking=True) for path, text in _reasons(proposal)),
        consumers=tuple(
            AffectedConsumer(
                name=r["name"],
                owner=r["name"].split(".")[0],
                effect=_effect(compatible, r),
                fields=tuple(r["fields"]),
                detail=r["verdict"],
            )
            for r in verdict["readers"]
        ),
        evidence=(
            Evidence(
                name=f"{verdict['level']} compatibility",
                outcome=_outcome(verdict),
                detail=f"checked against {verdict['judged_against']} registered schemas",
            ),
            *_version(verdict),
        ),
        policies=tuple(map(_policy, asked.get("outcomes", ()))),
        policies_passed=tuple(asked.get("passed", ())),
        policies_hash=asked.get("sha256", ""),
        history=tuple(_history(proposal)),
        may_decide=is_open and Right.APPROVE in visitor.rights,
        why_not="Your token was made without the right to approve." if is_open else "",
    )


def _effect(compatible: bool, reader: Mapping[str, Any]) -> Effect:
    if not reader["affected"]:
        return "unaffected"
    # A compatible change of what it reads (a bound, a meaning) is for its owner to judge.
    return "unknown" if compatible else "breaks"


def _policy(outcome: Mapping[str, Any]) -> PolicyOutcome:
    exempt, refuses = outcome["verdict"] == "exempt", outcome["severity"] == "error"
    state: PolicyState
    match outcome["verdict"]:
        case "exempt":
            state, note = "exempt", f"until {outcome['exempt_until']}"
        case "unknown":
            state, note = "unknown", "not passed, so it refuses" if refuses else ""
        case _:
            state, note = "refused" if refuses else "warning", ""
    return PolicyOutcome(
        name=outcome["policy"],
        title=outcome["title"],
        state=state,
        messages=tuple(outcome["messages"]),
        why=outcome["why"],
        fix="" if exempt else outcome["fix"],
        note=note,
    )


def _summary(proposal: Proposal) -> str:
    verdict = proposal.verdict
    against = list(standing_in_the_way(verdict))
    if verdict["compatible"] and against:
        return f"Compatible ({verdict['level']}), but refused by policy: " + "; ".join(against[:2])
    if verdict["compatible"]:
        count = len(verdict["readers"])
        return f"Compatible ({verdict['level']}): {count} known readers go on as they are."
    breaks = verdict.get("version", {"level": "major"})["level"] == "major"
    return f"{'Would break readers' if breaks else 'Does not hold'}: " + "; ".join(verdict["problems"][:2])


def _outcome(verdict: Mapping[str, Any]) -> Outcome:
    """What was found of the schema; a verdict of an earlier platform told nothing else."""
    if not verdict["judged_against"]:
        return "unknown"
    found: Outcome = verdict.get("avro", "passed" if verdict["compatible"] else "failed")
    return found


def _version(verdict: Mapping[str, Any]) -> Iterator[Evidence]:
    """Whether the version rises far enough; a verdict of an earlier platform does not say."""
    found = verdict.get("version")
    if found is not None:
        says, needed = Version.parse(found["says"]), Version.parse(found["needed"])
        yield Evidence(
            name=f"Version {says}",
            outcome="passed" if says >= needed else "failed",
            detail=f"what changes is {found['level']} and needs {needed} or higher",
        )


def _reasons(proposal: Proposal) -> Iterator[tuple[str, str]]:
    details = proposal.verdict["details"]
    explained = {d["explanation"] for d in details}
    for detail in details:
        yield detail["path"], detail["explanation"]
    for problem in proposal.verdict["problems"]:
        if problem not in explained:
            yield "contract", problem


def _history(proposal: Proposal) -> Iterator[ReviewStep]:
    opened = datetime.fromisoformat(proposal.proposed_at)
    yield ReviewStep(at=opened, actor=proposal.proposed_by, action="proposed", text=proposal.reason)
    if proposal.decided_at:
        decided = datetime.fromisoformat(proposal.decided_at)
        yield ReviewStep(
            at=decided, actor=proposal.decided_by, action=proposal.status, text=proposal.decision_reason
        )
