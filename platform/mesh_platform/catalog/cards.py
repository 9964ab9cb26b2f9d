"""Cards and lines: a product, a domain, something that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from mesh_platform.catalog.index import Entry
from mesh_platform.catalog.observed import Observation
from mesh_platform.log import Record
from mesh_platform.quality.view import ProductQuality
from mesh_platform.web.lineage import HealthState
from mesh_platform.web.views import Activity, DomainCard, Health, ProductCard, Status

_STATES: Mapping[str, HealthState] = {
    "healthy": "healthy",
    "warning": "warning",
    "failing": "failing",
    "unknown": "unknown",
    "not checked": "unknown",
}


def product_card(entry: Entry, observation: Observation, quality: ProductQuality) -> ProductCard:
    """A product as one line of a list."""
    product, contract = entry.product, entry.contract
    topic = observation.topics.get(contract.topic)
    return ProductCard(
        domain=product.domain,
        name=product.name,
        purpose=first_sentence(product.purpose or contract.purpose),
        owner=product.team_name or contract.team_name,
        status=cast(Status, product.status),
        version=str(contract.version),
        health=health(entry, observation, quality),
        events=topic.events if topic else None,
        last_event=topic.newest if topic else None,
    )


def health(entry: Entry, observation: Observation, quality: ProductQuality) -> Health:
    """How a product is, and why: what is missing comes before what was checked."""
    if observation.failure:
        return Health(state="unknown", reason=f"the broker was not seen: {observation.failure}")
    if observation.seen is not None and entry.contract.topic not in observation.topics:
        return Health(state="failing", reason="its topic is not on the broker")
    return Health(state=_STATES[quality.health], reason=quality.reason)


def by_domain(index: Mapping[str, Entry], made: Mapping[str, ProductCard]) -> tuple[DomainCard, ...]:
    """Domains with their products, in alphabetical order."""
    domains: dict[str, list[str]] = {}
    for name, entry in index.items():
        domains.setdefault(entry.product.domain, []).append(name)
    return tuple(
        DomainCard(
            name=domain,
            purpose="",
            owner=index[names[0]].product.team_name,
            products=tuple(made[name] for name in names),
        )
        for domain, names in sorted(domains.items())
    )


def activity(records: Sequence[Record]) -> tuple[Activity, ...]:
    """What happened, latest first, in words."""
    found = []
    for record in reversed(records):
        try:
            text, url = _happened(record)
        except (KeyError, TypeError):
            continue  # a record that no state could read either
        if text:
            at = datetime.fromisoformat(record.time)
            found.append(Activity(at=at, actor=record.actor, text=text, url=url))
    return tuple(found)


def _happened(record: Record) -> tuple[str, str]:
    body = record.body
    match record.kind:
        case "contract.declare":
            return f"declared contract {body['contract_id']} {body['version']}", ""
        case "product.declare":
            return f"declared product {body['full_name']}", "/products/" + body["full_name"].replace(
                ".", "/", 1
            )
        case "contract.remove":
            return f"removed contract {body['contract_id']}", ""
        case "product.remove":
            return f"removed product {body['full_name']}", ""
        case "proposal.open":
            return f"proposed {body['contract_id']} {body['version']}", "/reviews"
        case "proposal.decide":
            word = "approved" if body["decision"] == "approve" else "refused"
            return f"{word} review {body['number']}: {body['reason']}", f"/reviews/{body['number']}"
        case "subscription.put":
            return f"{body['group']} subscribed to {body['product']}", "/products/" + body["product"].replace(
                ".", "/", 1
            )
        case "registry.register":
            return f"registered a schema of {body['subject']}", ""
    return "", ""


def first_sentence(text: str) -> str:
    """Up to the first full stop."""
    words = " ".join(text.split())
    head, stop, _ = words.partition(". ")
    return head + ("." if stop else "")
