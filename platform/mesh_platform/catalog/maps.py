"""Lineage as the pages draw it: products and what flows between them."""

from __future__ import annotations

from collections.abc import Mapping, Set

from mesh_platform.catalog.index import Entry, flows
from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode
from mesh_platform.web.views import ProductCard
from mesh_platform.web.words import short_count


def mesh_map(index: dict[str, Entry], made: Mapping[str, ProductCard]) -> Lineage:
    """Every product."""
    return _lineage(index, made, set(index), frozenset())


def neighbourhood(index: dict[str, Entry], made: Mapping[str, ProductCard], own: Set[str]) -> Lineage:
    """Some products, with everything they come from and everything made of them."""
    edges = list(flows(index))
    shown = set(own)
    for step, other in ((0, 1), (1, 0)):
        reached = set(own)
        while True:
            further = {edge[other] for edge in edges if edge[step] in reached} - reached
            if not further:
                break
            reached |= further
        shown |= reached
    return _lineage(index, made, shown, own)


def _lineage(
    index: dict[str, Entry], made: Mapping[str, ProductCard], shown: Set[str], own: Set[str]
) -> Lineage:
    nodes = tuple(
        LineageNode(
            id=name,
            domain=card.domain,
            name=card.name,
            health=card.health.state,
            url=f"/products/{card.domain}/{card.name}",
            detail=short_count(card.events),
            current=len(own) == 1 and name in own,
        )
        for name, card in made.items()
        if name in shown
    )
    edges = (LineageEdge(source=s, target=t) for s, t in flows(index) if s in shown and t in shown)
    return Lineage(nodes=nodes, edges=tuple(edges))
