"""Decisions taken on the review page, handed to governance as the API hands them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mesh.errors import ReviewError
from mesh_platform.control import ControlPlane
from mesh_platform.governance.state import Refused
from mesh_platform.web.review_view import Decision
from mesh_platform.web.views import Visitor


def decider(control: ControlPlane) -> Callable[[Visitor, Decision], Awaitable[None]]:
    """A function that decides a review for a visitor; raises ReviewError when governance refuses."""

    async def decide(visitor: Visitor, decision: Decision) -> None:
        number = int(decision.review) if decision.review.isdecimal() else 0
        proposal = control.governance.proposals.get(number)
        if proposal is None:
            raise ReviewError("there is no such review", code="MESH-G012", fix="open /reviews")
        if not decision.reason:
            raise ReviewError(
                "a decision needs a reason",
                code="MESH-G016",
                why="whoever reads it later was not here",
                fix="write one sentence",
            )
        body = {
            "number": number,
            "decision": decision.verdict,
            "reason": decision.reason,
            "sha256": proposal.sha256,
        }
        outcome = await control.submit("proposal.decide", body, visitor.name)
        if isinstance(outcome, Refused):
            raise ReviewError(outcome.what, code=outcome.code, why=outcome.why, fix=outcome.fix)

    return decide
