"""What the pages of contract reviews show (conventions as in `views.py`), and what their form sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mesh.change import Change
from mesh_platform.web.views import Outcome, ReviewCard

Effect = Literal["breaks", "unaffected", "unknown"]
PolicyState = Literal["refused", "warning", "unknown", "exempt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a verdict is what it is, at a path of the contract."""

    path: str
    text: str
    breaking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedConsumer:
    """What the change means for one consumer."""

    name: str
    owner: str
    effect: Effect
    fields: tuple[str, ...] = ()  #: the changed properties it reads
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One proof, such as the replay of retained events through the new schema."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What one policy says of the change, when it did not simply pass."""

    name: str
    title: str
    state: PolicyState
    messages: tuple[str, ...]
    why: str = ""
    fix: str = ""
    note: str = ""  #: such as until when it is spared


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStep:
    """One entry of a review's history."""

    at: datetime
    actor: str
    action: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """A proposed contract change: what changes for whom, with proof."""

    card: ReviewCard
    domain: str
    product: str
    from_version: str
    to_version: str
    summary: str = ""  #: the verdict in one sentence
    description: str = ""  #: Markdown, the author's words
    changes: tuple[Change, ...] = ()
    reasons: tuple[Reason, ...] = ()
    consumers: tuple[AffectedConsumer, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    policies: tuple[PolicyOutcome, ...] = ()
    policies_passed: tuple[str, ...] = ()  #: names of those that passed
    policies_hash: str = ""  #: of the whole set that was asked; empty when none was
    history: tuple[ReviewStep, ...] = ()  #: oldest first
    may_decide: bool = False
    why_not: str = ""  #: why this visitor may not decide


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsView:
    """All reviews: open ones first, then the latest decided."""

    open: tuple[ReviewCard, ...] = ()
    decided: tuple[ReviewCard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a steward decided, as sent by the review page's form."""

    review: str
    verdict: Literal["approve", "refuse"]
    reason: str
