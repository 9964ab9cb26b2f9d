"""Lineage as values: which events flow from where to where, and how this is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HealthState = Literal["healthy", "warning", "failing", "unknown"]
NodeKind = Literal["product", "application"]
EdgeKind = Literal["declared", "granted", "observed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """A product, or an application that reads products."""

    id: str  #: unique in the lineage, such as `operations.departures`
    domain: str
    name: str
    kind: NodeKind = "product"
    health: HealthState = "unknown"
    url: str = ""
    detail: str = ""  #: a few characters, such as the number of events
    current: bool = False  #: the page's own product


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageEdge:
    """Events flow from source to target; the kind says how this is known."""

    source: str
    target: str
    kind: EdgeKind = "declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Nodes and the edges between them; edges to unknown nodes are not drawn."""

    nodes: tuple[LineageNode, ...] = ()
    edges: tuple[LineageEdge, ...] = ()

    def sources_of(self, node: str) -> tuple[str, ...]:
        """Ids that flow into a node, in edge order."""
        return tuple(edge.source for edge in self.edges if edge.target == node)


NOTHING = Lineage()
