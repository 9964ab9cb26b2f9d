"""The example mesh as the pages' views: products, domains, lineage and what happened."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from mesh_platform.web import views as v
from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


HEALTHY = v.Health(state="healthy", reason="All checks passed 2 minutes ago.")
HEALTH = {
    "departures": v.Health(
        state="failing", reason="2,512 events lack a tail number; the contract allows none."
    ),
    "observations": v.Health(state="warning", reason="22 duplicate hours in the last window."),
    "route-delays": v.Health(state="unknown", reason="No check has finished since the start."),
}
PURPOSE = {
    "departures": (
        "operations",
        "Every flight that left a New York airport, once it has taken off.",
        328_521,
    ),
    "cancellations": ("operations", "Every scheduled flight that never left.", 8_255),
    "aircraft": ("fleet", "The latest known facts about each plane, by tail number.", 3_322),
    "airports": ("network", "Where each airport is, by FAA code.", 1_458),
    "carriers": ("network", "The name behind each two-letter carrier code.", 16),
    "observations": ("weather", "Hourly weather at the three New York airports.", 26_115),
    "delay-causes": (
        "punctuality",
        "Departures with the weather and the plane that may explain their delay.",
        328_521,
    ),
    "route-delays": ("punctuality", "Mean delay per route and hour.", None),
}
OWNER = {
    "operations": "Flight Operations",
    "fleet": "Fleet Engineering",
    "network": "Network Planning",
    "weather": "Meteorology",
    "punctuality": "Punctuality Office",
}


def card(name: str) -> v.ProductCard:
    domain, purpose, events = PURPOSE[name]
    return v.ProductCard(
        domain=domain,
        name=name,
        purpose=purpose,
        owner=OWNER[domain],
        status="draft" if name == "route-delays" else "active",
        version="1.2.0" if name == "departures" else "1.0.0",
        health=HEALTH.get(name, HEALTHY),
        events=events,
        last_event=None if events is None else before(minutes=3 + len(name)),
    )


def domain(name: str) -> v.DomainCard:
    return v.DomainCard(
        name=name,
        purpose=f"What {OWNER[name]} knows, offered to everyone.",
        owner=OWNER[name],
        products=tuple(card(product) for product in PURPOSE if PURPOSE[product][0] == name),
    )


def node(name: str, current: str = "") -> LineageNode:
    domain_name, _, events = PURPOSE[name]
    return LineageNode(
        id=f"{domain_name}.{name}",
        domain=domain_name,
        name=name,
        health=card(name).health.state,
        url=f"/products/{domain_name}/{name}",
        detail="" if events is None else f"{events:,}",
        current=name == current,
    )


def application(domain_name: str, name: str) -> LineageNode:
    return LineageNode(id=f"{domain_name}/{name}", domain=domain_name, name=name, kind="application")


def edge(source: str, target: str, kind: Any = "declared") -> LineageEdge:
    known = {name: f"{PURPOSE[name][0]}.{name}" for name in PURPOSE}
    return LineageEdge(source=known.get(source, source), target=known.get(target, target), kind=kind)


EDGES = (
    edge("departures", "delay-causes"),
    edge("observations", "delay-causes"),
    edge("aircraft", "delay-causes"),
    edge("departures", "route-delays"),
    edge("airports", "route-delays"),
    edge("carriers", "route-delays", "observed"),
)
MAP = Lineage(nodes=tuple(node(name) for name in PURPOSE), edges=EDGES)
OPEN = v.ReviewCard(
    id="rv-014",
    title="Rename dep_delay to departure_delay",
    contract="operations.departures.v1",
    verdict="incompatible",
    state="open",
    proposed_by="ana@operations",
    proposed_at=before(hours=5),
    breaks=2,
)
DECIDED = dataclasses.replace(
    OPEN,
    id="rv-013",
    title="Add gust speed",
    contract="weather.observations.v1",
    verdict="compatible",
    state="approved",
    breaks=0,
    proposed_at=before(days=3),
)
UNKNOWN = dataclasses.replace(
    OPEN,
    id="rv-015",
    title="Tighten the range of air_time",
    verdict="unknown",
    breaks=None,
    proposed_at=before(hours=1),
)
ACTIVITY = (
    v.Activity(
        at=before(minutes=2),
        actor="quality",
        text="operations.departures fails a check",
        url="/products/operations/departures#quality",
    ),
    v.Activity(
        at=before(hours=1),
        actor="ben@operations",
        text="Proposed: tighten the range of air_time",
        url="/reviews/rv-015",
    ),
    v.Activity(
        at=before(hours=5), actor="ana@operations", text="Proposed: rename dep_delay", url="/reviews/rv-014"
    ),
    v.Activity(
        at=before(days=2),
        actor="mesh apply",
        text="weather.observations 1.1.0 is active",
        url="/products/weather/observations",
    ),
    v.Activity(
        at=before(days=2, hours=3), actor="steward", text="Approved: add gust speed", url="/reviews/rv-013"
    ),
)
HOME = v.HomeView(
    map=MAP,
    domains=tuple(domain(name) for name in OWNER),
    events=696_208,
    consumers=4,
    reviews=(OPEN, UNKNOWN),
    activity=ACTIVITY,
)
