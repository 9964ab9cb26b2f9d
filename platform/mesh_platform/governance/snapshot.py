"""Governance's view as JSON and back: what was declared, decided and subscribed, nothing decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from mesh_platform.governance.state import (
    ApprovedVersion,
    DeclaredProduct,
    GovernanceState,
    Proposal,
    Subscription,
)

Value = ApprovedVersion | DeclaredProduct | Proposal | Subscription
_NAMES: Final = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (ApprovedVersion, DeclaredProduct, Proposal, Subscription)
}


def snapshot(state: GovernanceState) -> Iterator[list[Any]]:
    """The view as of now, value by value; it may change while they are taken."""
    contracts = [list(versions) for versions in state.contracts.values()]
    products, proposals = list(state.products.values()), list(state.proposals.values())
    subscriptions, topics = list(state.subscriptions.values()), dict(state.topics)

    def parts() -> Iterator[list[Any]]:
        for versions in contracts:
            yield ["contract", [_facts(version) for version in versions]]
        for name, values in (("product", products), ("proposal", proposals), ("subscription", subscriptions)):
            for value in values:
                yield [name, _facts(value)]
        yield ["topics", topics]

    return parts()


def restore(state: GovernanceState, part: list[Any]) -> None:
    """Take one part into a view that is being restored."""
    name, facts = part
    match name:
        case "contract":
            versions = [ApprovedVersion(**one) for one in facts]
            state.contracts[versions[0].contract_id] = versions
        case "product":
            product = DeclaredProduct(**facts)
            state.products[product.full_name] = product
        case "proposal":
            proposal = Proposal(**facts)
            state.proposals[proposal.number] = proposal
        case "subscription":
            subscription = Subscription(**facts | {"fields": tuple(facts["fields"])})
            state.subscriptions[subscription.product, subscription.group] = subscription
        case "topics":
            state.topics = facts
        case _:
            raise ValueError(name)


def _facts(value: Value) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _NAMES[type(value)]}
