"""The page of operations.departures, with a check of every outcome and a masked property."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mesh_platform.web import product_view as p
from mesh_platform.web.lineage import Lineage
from tests.e2e.sample_mesh import OPEN, application, before, card, edge, node

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
    description=(
        "One event per flight, published **when the plane leaves the gate**. "
        "Cancelled flights are in [cancellations](/products/operations/cancellations)."
    ),
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
