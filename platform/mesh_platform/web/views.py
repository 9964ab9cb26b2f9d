"""What each page shows, exactly: the values a `PageReader` hands to the templates.

Times are timezone-aware UTC datetimes. None always means "not known" and is shown as such, never
as zero. Text is untrusted and plain unless a field is called Markdown. URLs are paths of this
platform or https links; anything else is shown as text. One product's page is in `product_view.py`,
a review's in `review_view.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mesh_platform.rights import Rights
from mesh_platform.web.lineage import NOTHING, HealthState, Lineage

Status = Literal["proposed", "draft", "active", "deprecated", "retired"]
Outcome = Literal["passed", "failed", "unknown"]
Verdict = Literal["compatible", "incompatible", "against-policy", "unknown"]
ReviewState = Literal["open", "approved", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who reads the page; an empty name is somebody not signed in."""

    name: str = ""
    csrf: str = ""  #: the session's form token; empty refuses every form
    rights: Rights = frozenset()  #: what they may do


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a product is, and why in one short sentence."""

    state: HealthState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCard:
    """A product as one line of a list."""

    domain: str
    name: str
    purpose: str
    owner: str
    status: Status
    version: str
    health: Health
    events: int | None = None  #: events retained
    last_event: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCard:
    """A domain with its products."""

    name: str
    purpose: str
    owner: str
    products: tuple[ProductCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard:
    """A review as one line of a list."""

    id: str
    title: str
    contract: str
    verdict: Verdict
    state: ReviewState
    proposed_by: str
    proposed_at: datetime
    breaks: int | None = None  #: consumers that would break


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that happened in the mesh."""

    at: datetime
    actor: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The whole mesh at a glance."""

    map: Lineage
    domains: tuple[DomainCard, ...]
    events: int | None = None  #: events retained in all products
    consumers: int | None = None  #: applications with a subscription
    reviews: tuple[ReviewCard, ...] = ()  #: open ones, oldest first
    activity: tuple[Activity, ...] = ()  #: latest first


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainView:
    """One domain: its products and what flows in and out of it."""

    domain: DomainCard
    description: str = ""  #: Markdown
    lineage: Lineage = NOTHING
    reviews: tuple[ReviewCard, ...] = ()
    activity: tuple[Activity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One search result."""

    kind: str  #: "data product", "domain", "property", "review"
    title: str
    url: str
    excerpt: str = ""
    where: str = ""  #: owner or parent
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """What a search found, best first."""

    query: str
    hits: tuple[Hit, ...] = ()
    total: int = 0
    suggestions: tuple[str, ...] = ()  #: other queries that find something
