"""One product's page: contract, schema, quality, lineage, events, promises, facts with their sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh import naming
from mesh.contract import durations
from mesh.contract.model import Contract, Property
from mesh.contract.record_rules import record_rules
from mesh_platform.catalog import reviews
from mesh_platform.catalog.index import Entry
from mesh_platform.catalog.observed import LatestEvent, Observation
from mesh_platform.control import ControlPlane
from mesh_platform.quality.view import ProductQuality
from mesh_platform.registry.kinds import Kind
from mesh_platform.web import product_view as page
from mesh_platform.web.lineage import Lineage
from mesh_platform.web.views import ProductCard

MASKED = frozenset({"confidential", "restricted", "personal", "secret"})
MASK = "••••"
OWN_GROUPS = "mesh."  #: the platform's own readers, such as the quality worker


@dataclass(frozen=True, slots=True)
class PageSources:
    """Where a page's values come from."""

    control: ControlPlane
    observation: Observation
    quality: ProductQuality
    latest: Sequence[LatestEvent]
    connection: page.Connection


def product_page(entry: Entry, card: ProductCard, lineage: Lineage, sources: PageSources) -> page.ProductView:
    """Everything about one product."""
    contract, product = entry.contract, entry.product
    governance = sources.control.governance
    parts = [product.purpose or contract.purpose, _part("Usage", contract.usage)]
    return page.ProductView(
        card=card,
        topic=contract.topic,
        connection=sources.connection,
        contract=page.Contract(
            id=contract.id,
            version=str(contract.version),
            properties=tuple(_properties(contract)),
            file_url=f"/contracts/{contract.id}.odcs.yaml",
        ),
        description="\n\n".join(p for p in [*parts, _part("Limits", contract.limitations)] if p),
        schema=_schema(contract, sources.control),
        checks=tuple(_checks(sources.quality)),
        lineage=lineage,
        consumers=tuple(_consumers(entry, sources)),
        events=_events(contract, sources.latest),
        promises=tuple(_promises(contract, sources.observation)),
        team=tuple(
            page.Person(name=m.name or m.username, role=m.role) for m in product.team or contract.team
        ),
        support=tuple(
            page.Channel(name=s["channel"], tool=s.get("tool", ""), url=s.get("url", ""))
            for s in product.support or contract.support
        ),
        versions=tuple(
            page.ProductVersion(
                version=v.version,
                at=datetime.fromisoformat(v.approved_at),
                by=v.approved_by,
                summary=v.reason,
            )
            for v in reversed(governance.contracts[contract.id])
        ),
        reviews=tuple(r for r in reviews.open_cards(governance) if r.contract == contract.id),
        facts=tuple(_facts(entry, sources.observation)),
    )


def _part(title: str, text: str) -> str:
    return f"**{title}.** {text}" if text else ""


def _properties(contract: Contract) -> Iterator[page.PropertyRow]:
    sentences: dict[str, list[str]] = {}
    for rule in record_rules(contract):
        sentences.setdefault(rule.path, []).append(rule.sentence)
    for prop in contract.properties:
        yield from _property(prop, prop.name, sentences)


def _property(prop: Property, path: str, sentences: dict[str, list[str]]) -> Iterator[page.PropertyRow]:
    yield page.PropertyRow(
        name=path,
        type=prop.logical_type,
        required=prop.required or prop.primary_key is not None,
        key=prop.primary_key is not None,
        classification=prop.classification,
        description=prop.description,
        rules=tuple(sentences.get(path, ())),
    )
    for nested in prop.properties:
        yield from _property(nested, f"{path}.{nested.name}", sentences)
    if prop.items is not None:
        for nested in prop.items.properties:
            yield from _property(nested, f"{path}[].{nested.name}", sentences)


def _schema(contract: Contract, control: ControlPlane) -> page.SchemaFacts | None:
    subject = naming.value_subject(contract.topic)
    live = control.registry.subjects.live(subject)
    if not live:
        return None
    latest = live[-1]
    if latest.content.kind is not Kind.AVRO:
        return None
    return page.SchemaFacts(
        subject=subject,
        id=latest.id,
        version=latest.version,
        compatibility=contract.compatibility,
        avro=json.dumps(json.loads(latest.content.text), indent=2, ensure_ascii=False),
        registered_at=datetime.fromisoformat(latest.time),
    )


def _checks(quality: ProductQuality) -> Iterator[page.Check]:
    # What needs attention comes first; within a kind, the contract's order.
    for check in sorted(quality.checks, key=lambda c: ("failed", "unknown", "passed").index(c.status)):
        yield page.Check(
            name=check.name,
            rule=check.threshold,
            outcome=check.status,
            checked=check.rows,
            failed=check.failed_rows,
            window_from=check.window_start,
            window_to=check.window_end,
            ran_at=check.checked_at,
            detail="" if check.status == "passed" else check.message,
            history=check.history,
        )


def _consumers(entry: Entry, sources: PageSources) -> Iterator[page.Consumer]:
    lags = {g.group: g.lag for g in sources.observation.groups if g.topic == entry.contract.topic}
    declared = [
        s for s in sources.control.governance.subscriptions.values() if s.product == entry.product.full_name
    ]
    for subscription in sorted(declared, key=lambda s: s.group):
        yield page.Consumer(
            name=subscription.group,
            purpose=subscription.purpose,
            fields=subscription.fields,
            lag=lags.pop(subscription.group, None),
        )
    for group, lag in sorted(lags.items()):
        if group.startswith(OWN_GROUPS):
            continue
        derived = group in sources.control.governance.products
        purpose = "derives this product" if derived else "seen on the broker, not declared"
        yield page.Consumer(name=group, purpose=purpose, lag=lag)


def _events(contract: Contract, latest: Sequence[LatestEvent]) -> page.EventTable:
    columns = tuple(p.name for p in contract.properties)
    masked = {p.name for p in contract.properties if p.classification.lower() in MASKED}
    hidden_key = bool(masked.intersection(contract.key))
    rows = tuple(
        page.EventRow(
            partition=event.partition,
            offset=event.offset,
            at=event.at,
            key=_cell(event.key, hidden_key),
            cells=tuple(_cell(_text(event.row.get(name)), name in masked) for name in columns),
        )
        for event in latest
    )
    return page.EventTable(columns=columns, rows=rows)


def _cell(text: str, masked: bool) -> page.Cell:
    return page.Cell(text=MASK, masked=True) if masked else page.Cell(text=text)


def _text(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _promises(contract: Contract, observation: Observation) -> Iterator[page.Promise]:
    """What was promised; only retention can be measured from here, the others stay unknown."""
    for level in contract.service_levels:
        target = f"{level.value} {level.unit}".strip()
        topic = observation.topics.get(contract.topic)
        live = topic.config.get("retention.ms", "") if topic else ""
        if level.property.lower() not in ("retention", "re") or not live.lstrip("-").isdigit():
            yield page.Promise(name=level.property, target=target)
            continue
        promised = durations.from_unit(level.value, level.unit)
        kept = int(live) < 0 or int(live) >= promised > 0
        yield page.Promise(
            name=level.property,
            target=target,
            measured=durations.words(int(live)),
            outcome="passed" if kept else "failed",
            source="broker",
        )


def _facts(entry: Entry, observation: Observation) -> Iterator[page.Fact]:
    contract, settings = entry.contract, entry.contract.settings
    topic, seen = observation.topics.get(contract.topic), observation.seen
    approved = datetime.fromisoformat(entry.approved.approved_at)
    yield page.Fact(
        label="Partitions, declared", value=str(settings.partitions), source="contract", seen=approved
    )
    yield page.Fact(
        label="Retention, declared",
        value=durations.words(settings.retention_ms),
        source="contract",
        seen=approved,
    )
    if topic is None:
        yield page.Fact(label="Topic", value=None, source="broker", seen=seen)
        return
    retention = topic.config.get("retention.ms", "")
    live = durations.words(int(retention)) if retention.lstrip("-").isdigit() else None
    yield page.Fact(label="Partitions", value=str(topic.partitions), source="broker", seen=seen)
    yield page.Fact(label="Retention", value=live, source="broker", seen=seen)
    yield page.Fact(label="Cleanup", value=topic.config.get("cleanup.policy"), source="broker", seen=seen)
    yield page.Fact(label="Offsets retained", value=f"{topic.events:,}", source="broker", seen=seen)
    dead = observation.topics.get(naming.dead_letter_topic(contract.topic))
    if dead is not None:
        yield page.Fact(label="Dead letters", value=f"{dead.events:,}", source="broker", seen=seen)
