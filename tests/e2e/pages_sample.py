"""A page reader and a door over the sample facts, so that the pages can be seen without a platform."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from starlette.requests import Request

from mesh.errors import ReviewError
from mesh_platform.rights import EVERY_RIGHT, Right, held
from mesh_platform.web import product_view as p
from mesh_platform.web import review_view as r
from mesh_platform.web import views as v
from tests.e2e.sample_mesh import (
    ACTIVITY,
    DECIDED,
    HEALTH,
    HOME,
    MAP,
    OPEN,
    OWNER,
    PURPOSE,
    UNKNOWN,
    card,
    domain,
)
from tests.e2e.sample_product import DEPARTURES, PROPERTIES
from tests.e2e.sample_review import REVIEW

TOKEN = "sample-token"
PAGES = {
    "home": "/",
    "domain": "/domains/punctuality",
    "product": "/products/operations/departures",
    "empty product": "/products/network/airports",
    "reviews": "/reviews",
    "review": "/reviews/rv-014",
    "search": "/search?q=delay",
    "empty search": "/search?q=nothing",
    "sign-in": "/signin",
    "missing": "/no-such-page",
}
View = TypeVar("View")

HITS = (
    v.Hit(
        kind="data product",
        title="operations.departures",
        url="/products/operations/departures",
        excerpt=PURPOSE["departures"][1],
        where="Flight Operations",
        health=HEALTH["departures"],
    ),
    v.Hit(
        kind="property",
        title="dep_delay",
        url="/products/operations/departures#contract",
        excerpt="Minutes late; negative when early.",
        where="operations.departures",
    ),
    v.Hit(kind="domain", title="punctuality", url="/domains/punctuality", where="Punctuality Office"),
)


def poisoned(view: View, payload: str) -> View:
    """The same view with the payload in front of every text, and instead of every URL."""
    if not dataclasses.is_dataclass(view) or isinstance(view, type):
        if isinstance(view, tuple):
            return tuple(poisoned(item, payload) for item in view)  # type: ignore[return-value]
        return view
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(view):
        value = getattr(view, field.name)
        if field.type in ("str", "str | None") and isinstance(value, str):
            changed[field.name] = payload if field.name.endswith("url") else payload + value
        elif field.type == "tuple[str, ...]":
            changed[field.name] = tuple(payload + text for text in value)
        else:
            changed[field.name] = poisoned(value, payload)
    return dataclasses.replace(view, **changed)


class SampleReader:
    """Answers from the constants above; `payload` poisons every text, `changed` is what open pages hear."""

    def __init__(self) -> None:
        self.payload = ""
        self.home_events = HOME.events
        self.changed: list[str] = []

    def _shown(self, view: View) -> View:
        return poisoned(view, self.payload) if self.payload else view

    async def home(self, visitor: v.Visitor) -> v.HomeView:
        return self._shown(dataclasses.replace(HOME, events=self.home_events))

    async def domain(self, visitor: v.Visitor, domain_name: str) -> v.DomainView | None:
        if domain_name not in OWNER:
            return None
        return self._shown(
            v.DomainView(
                domain=domain(domain_name),
                description="Facts from *the ramp*.",
                lineage=MAP,
                reviews=(OPEN,),
                activity=ACTIVITY,
            )
        )

    async def product(self, visitor: v.Visitor, domain_name: str, product: str) -> p.ProductView | None:
        if (domain_name, product) == ("operations", "departures"):
            return self._shown(DEPARTURES)
        if product not in PURPOSE or PURPOSE[product][0] != domain_name:
            return None
        topic = f"{domain_name}.{product}.v1"
        contract = p.Contract(id=topic, version="1.0.0", properties=PROPERTIES[:1])
        return p.ProductView(
            card=card(product), topic=topic, connection=DEPARTURES.connection, contract=contract
        )

    async def reviews(self, visitor: v.Visitor) -> r.ReviewsView:
        return self._shown(r.ReviewsView(open=(OPEN, UNKNOWN), decided=(DECIDED,)))

    async def review(self, visitor: v.Visitor, review_id: str) -> r.ReviewView | None:
        shown = dataclasses.replace(REVIEW, may_decide=bool(visitor.name))
        return self._shown(shown) if review_id == "rv-014" else None

    async def search(self, visitor: v.Visitor, query: str) -> v.SearchView:
        if query == "nothing":
            return v.SearchView(query=query, suggestions=("delay", "weather"))
        return self._shown(v.SearchView(query=query, hits=HITS, total=3))

    async def changes(self, visitor: v.Visitor) -> AsyncIterator[str]:
        told = len(self.changed)
        while True:
            while told < len(self.changed):
                yield self.changed[told]
                told += 1
            await asyncio.sleep(0.05)


class SampleDoor:
    """Lets everybody read; the sample token opens a steward's session."""

    def __init__(self) -> None:
        self.decisions: list[r.Decision] = []

    async def visitor(self, request: Request) -> v.Visitor | None:
        if "session-1" in request.headers.get("cookie", ""):
            return v.Visitor(name="steward", csrf="form-token", rights=EVERY_RIGHT)
        return v.Visitor(rights=held([Right.READ]))

    async def sign_in(self, token: str) -> str | None:
        return "session-1" if token == TOKEN else None

    async def sign_out(self, session: str) -> None:
        return None

    async def decide(self, visitor: v.Visitor, decision: r.Decision) -> None:
        if len(decision.reason) < 10:
            raise ReviewError(
                "The reason is too short", why="an audit needs a sentence", fix="write why you decide so"
            )
        self.decisions.append(decision)
