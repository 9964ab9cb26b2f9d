"""A page reader with the example mesh's facts, so that the pages can be seen without a platform."""

# ruff: noqa: ARG002 — the interface names arguments that constants do not need
from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from mesh.errors import ReviewError
from mesh_platform.web import product_view as p
from mesh_platform.web import review_view as r
from mesh_platform.web import views as v
from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode
from starlette.requests import Request

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TOKEN = "sample-token"
View = TypeVar("View")


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
AVRO = json.dumps(
    {
        "type": "record",
        "name": "Departures",
        "namespace": "operations",
        "fields": [
            {"name": "flight_id", "type": "string"},
            {"name": "departed_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "tail_number", "type": ["null", "string"], "default": None},
            {"name": "dep_delay", "type": ["null", "int"], "default": None},
        ],
    }
)
PROPERTIES = (
    p.PropertyRow(
        name="flight_id",
        type="string",
        required=True,
        key=True,
        classification="public",
        description="Carrier, number and scheduled day, such as `UA1545-2013-01-01-EWR`.",
        rules=("unique in a window", "matches [A-Z0-9]{2}[0-9]+-.*"),
    ),
    p.PropertyRow(
        name="departed_at",
        type="timestamp",
        required=True,
        classification="public",
        description="When the plane left the gate, **UTC**.",
    ),
    p.PropertyRow(
        name="carrier",
        type="string",
        required=True,
        classification="public",
        description="See [carriers](/products/network/carriers).",
        rules=("exactly 2 characters",),
    ),
    p.PropertyRow(
        name="origin", type="string", required=True, classification="public", rules=("one of EWR, JFK, LGA",)
    ),
    p.PropertyRow(
        name="tail_number",
        type="string",
        classification="confidential",
        description="The plane, where it is known.",
        rules=("at most 6 characters", "no nulls in a window"),
    ),
    p.PropertyRow(
        name="dep_delay",
        type="integer (32 bit)",
        classification="internal",
        description="Minutes late; negative when early.",
        rules=("at least -60", "at most 1,440"),
    ),
)
CHECKS = (
    p.Check(
        name="Tail number is present",
        rule="tail_number has no nulls",
        outcome="failed",
        checked=328_521,
        failed=2_512,
        window_from=datetime(2013, 1, 1, tzinfo=UTC),
        window_to=datetime(2014, 1, 1, tzinfo=UTC),
        ran_at=before(minutes=2),
        detail="First at partition 2, offset 14.",
        history=(1.0, 1.0, 1.0, 0.999, 1.0, None, 1.0, 1.0, 0.995, 0.99, 0.992, 0.9924),
    ),
    p.Check(
        name="Flights are unique",
        rule="flight_id has no duplicates",
        outcome="passed",
        checked=328_521,
        failed=0,
        window_from=datetime(2013, 1, 1, tzinfo=UTC),
        window_to=datetime(2014, 1, 1, tzinfo=UTC),
        ran_at=before(minutes=2),
        history=(1.0,) * 24,
    ),
    p.Check(
        name="A day has flights",
        rule="between 500 and 1,200 rows a day",
        outcome="unknown",
        ran_at=before(hours=26),
        detail="The check stopped: no answer within 30 seconds.",
        history=(1.0, 1.0, 1.0, None, None),
    ),
)
EVENTS = p.EventTable(
    columns=("departed_at", "carrier", "origin", "dest", "tail_number", "dep_delay"),
    rows=tuple(
        p.EventRow(
            partition=index % 3,
            offset=109_507 - index,
            at=datetime(2013, 12, 31, 23, 59 - index, tzinfo=UTC),
            key=p.Cell(text=f"B6{745 + index}-2013-12-31-JFK"),
            cells=(
                p.Cell(text=f"2013-12-31T23:{59 - index}:00Z"),
                p.Cell(text="B6"),
                p.Cell(text="JFK"),
                p.Cell(text="PSE"),
                p.Cell(text="N6••••", masked=True),
                p.Cell(text=str(index - 4)),
            ),
        )
        for index in range(8)
    ),
)
DEPARTURES = p.ProductView(
    card=card("departures"),
    topic="operations.departures.v1",
    connection=p.Connection(bootstrap="localhost:9092", registry="http://localhost:8081"),
    contract=p.Contract(
        id="operations.departures.v1",
        version="1.2.0",
        properties=PROPERTIES,
        file_url="/api/contracts/operations.departures.v1",
    ),
    description="One event per flight, published **when the plane leaves the gate**. Cancelled flights are in [cancellations](/products/operations/cancellations).",
    schema=p.SchemaFacts(
        subject="operations.departures.v1-value",
        id=7,
        version=3,
        compatibility="BACKWARD",
        avro=AVRO,
        registered_at=before(days=12),
    ),
    checks=CHECKS,
    lineage=Lineage(
        nodes=(
            *(node(name, "departures") for name in ("departures", "delay-causes", "route-delays")),
            application("planning", "planning.dashboards"),
            application("punctuality", "punctuality.reports"),
        ),
        edges=(
            edge("departures", "delay-causes"),
            edge("departures", "route-delays"),
            edge("departures", "planning/planning.dashboards", "granted"),
            edge("delay-causes", "punctuality/punctuality.reports", "observed"),
        ),
    ),
    consumers=(
        p.Consumer(
            name="punctuality.delay-causes",
            purpose="Explain delays",
            fields=("flight_id", "tail_number", "dep_delay"),
            lag=0,
        ),
        p.Consumer(name="planning.dashboards", purpose="Weekly route report", lag=1_204),
        p.Consumer(name="punctuality.route-delays", purpose="", fields=("origin", "dep_delay")),
    ),
    events=EVENTS,
    promises=(
        p.Promise(
            name="Latency",
            target="at most 5 minutes",
            measured="41 s (p95)",
            outcome="passed",
            source="broker timestamps",
        ),
        p.Promise(
            name="Retention",
            target="400 days",
            measured="180 days",
            outcome="failed",
            source="topic settings",
        ),
        p.Promise(name="Availability", target="99.5 %"),
    ),
    team=(
        p.Person(name="Ana Duarte", role="owner"),
        p.Person(name="Ben Okafor", role="engineer", url="mailto:ben@example.com"),
    ),
    support=(
        p.Channel(name="#flight-ops-data", tool="Slack", url="https://example.com/slack/flight-ops-data"),
    ),
    versions=(
        p.ProductVersion(
            version="1.2.0",
            at=before(days=12),
            by="ana@operations",
            summary="tail_number is confidential",
            url="/reviews/rv-011",
        ),
        p.ProductVersion(version="1.1.0", at=before(days=40), by="ben@operations", summary="dep_delay added"),
        p.ProductVersion(version="1.0.0", at=before(days=90), by="ana@operations", summary="first version"),
    ),
    reviews=(OPEN,),
    facts=(
        p.Fact(label="Partitions", value="3", source="broker", seen=before(seconds=20)),
        p.Fact(
            label="Retention", value="180 days (contract: 400 days)", source="broker", seen=before(seconds=20)
        ),
        p.Fact(label="Events retained", value="328,521", source="broker offsets", seen=before(seconds=20)),
        p.Fact(label="Bytes", value="41.2 MB", source="broker log", seen=before(minutes=4)),
        p.Fact(label="Replication", value=None, source="broker"),
    ),
)
REVIEW = r.ReviewView(
    card=OPEN,
    domain="operations",
    product="departures",
    from_version="1.2.0",
    to_version="1.3.0",
    summary="Two of three consumers would stop working, and retained events would lose the value.",
    description="The short name confuses new readers. `departure_delay` says what it is.",
    changes=(
        r.PropertyChange(path="dep_delay", kind="removed", before="integer, optional", after=None),
        r.PropertyChange(path="departure_delay", kind="added", before=None, after="integer, optional"),
        r.PropertyChange(
            path="carrier.description", kind="changed", before="Carrier code", after="IATA carrier code"
        ),
    ),
    reasons=(
        r.Reason(
            path="dep_delay",
            text="The property goes without an alias, so readers of version 1.2.0 get no value.",
            breaking=True,
        ),
        r.Reason(path="carrier.description", text="Only the text changes.", breaking=False),
    ),
    consumers=(
        r.AffectedConsumer(
            name="punctuality.delay-causes",
            owner="Punctuality Office",
            effect="breaks",
            fields=("dep_delay",),
            detail="Read 41 s ago.",
        ),
        r.AffectedConsumer(
            name="punctuality.route-delays",
            owner="Punctuality Office",
            effect="breaks",
            fields=("dep_delay",),
            detail="Read 2 minutes ago.",
        ),
        r.AffectedConsumer(
            name="planning.dashboards",
            owner="Planning",
            effect="unknown",
            detail="Its subscription names no properties.",
        ),
    ),
    evidence=(
        r.Evidence(
            name="Replay of retained events",
            outcome="failed",
            detail="328,521 of 328,521 events lose dep_delay when read with 1.3.0.",
        ),
        r.Evidence(
            name="Generated events",
            outcome="passed",
            detail="1,000 of 1,000 events of 1.3.0 pass the new rules.",
        ),
        r.Evidence(name="Quality suite", outcome="unknown", detail="Did not finish within 30 seconds."),
    ),
    history=(
        r.ReviewStep(at=before(hours=5), actor="ana@operations", action="proposed 1.3.0"),
        r.ReviewStep(
            at=before(hours=4),
            actor="kim@punctuality",
            action="asked for an alias",
            text="We read dep_delay in two places. Could it stay as an alias until March?",
        ),
    ),
    may_decide=True,
)
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
    """Answers from the constants above; `payload` poisons every text, `on_change` says what changed."""

    def __init__(self) -> None:
        self.payload = ""
        self.home_view = HOME
        self.pending: list[str] = []

    def _shown(self, view: View) -> View:
        return poisoned(view, self.payload) if self.payload else view

    async def home(self, visitor: v.Visitor) -> v.HomeView:
        return self._shown(self.home_view)

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
        while True:
            while self.pending:
                yield self.pending.pop(0)
            await asyncio.sleep(0.05)


class SampleDoor:
    """Lets everybody read; the sample token opens a steward's session."""

    def __init__(self) -> None:
        self.decisions: list[r.Decision] = []

    async def visitor(self, request: Request) -> v.Visitor | None:
        if "session-1" in request.headers.get("cookie", ""):
            return v.Visitor(name="steward", csrf="form-token")
        return v.Visitor()

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
