"""Draws lineage: products and edges in, boxes and curves out.

A small layered layout after Sugiyama, Tagawa and Toda (1981): cycles are cut, products take the
column of their longest path from a source, long edges pass through lanes reserved in the columns
between, and barycentre sweeps reduce crossings. Columns hold one card per domain, so events flow
from left to right and owners stay visible. Lengths are CSS pixels.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

HealthState = Literal["healthy", "warning", "failing", "unknown"]
NodeKind = Literal["product", "application"]
EdgeKind = Literal["declared", "granted", "observed"]

CARD_WIDTH = 236
HEADER = 32
ROW = 34
FOOT = 8
COLUMN_GAP = 132
CARD_GAP = 16
LANE = 10
MARGIN = 12
SWEEPS = 6


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


@dataclass(frozen=True, slots=True)
class Card:
    """A domain's box in one column."""

    domain: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Spot:
    """A node in its place: the top left corner of its row, and which ports it shows."""

    node: LineageNode
    x: float
    y: float
    inward: bool
    outward: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge as SVG path data."""

    edge: LineageEdge
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A laid-out lineage."""

    width: float
    height: float
    cards: tuple[Card, ...]
    spots: tuple[Spot, ...]
    curves: tuple[Curve, ...]


@dataclass(slots=True)
class _Block:
    """What a column stacks: a domain's card, or a lane for edges that only pass through."""

    column: int
    domain: str
    members: list[str]
    y: float = 0.0

    @property
    def height(self) -> float:
        return HEADER + ROW * len(self.members) + FOOT if self.domain else LANE


def draw(lineage: Lineage) -> Drawing:
    """Lay a lineage out; the same lineage always gives the same drawing."""
    nodes = {node.id: node for node in lineage.nodes}
    edges = [edge for edge in lineage.edges if edge.source in nodes and edge.target in nodes]
    column = _columns(list(nodes), edges)
    hops = _hops(edges, column)
    blocks = _blocks(nodes, column, hops)
    _order(blocks, hops)
    height = _stack(blocks)
    centre = _centres(blocks)
    spots = tuple(
        Spot(
            nodes[member],
            _x(block.column),
            centre[member] - ROW / 2,
            inward=any(edge.target == member for edge in edges),
            outward=any(edge.source == member for edge in edges),
        )
        for block in blocks
        if block.domain
        for member in block.members
    )
    cards = tuple(
        Card(block.domain, _x(block.column), block.y, CARD_WIDTH, block.height)
        for block in blocks
        if block.domain
    )
    width = _x(max((block.column for block in blocks), default=0)) + CARD_WIDTH + MARGIN
    curves = tuple(Curve(edge, _path(edge, column, centre)) for edge in edges)
    return Drawing(width, height, cards, spots, curves)


def _columns(nodes: list[str], edges: list[LineageEdge]) -> dict[str, int]:
    """The longest path from a source to each node, ignoring edges that close a cycle."""
    after: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        after[edge.source].append(edge.target)
    finished: list[str] = []
    open_nodes: set[str] = set()
    seen: set[str] = set()
    forward: dict[str, list[str]] = defaultdict(list)
    for root in nodes:
        if root in seen:
            continue
        seen.add(root)
        open_nodes.add(root)
        trail = [(root, iter(after[root]))]
        while trail:
            node, targets = trail[-1]
            target = next(targets, None)
            if target is None:
                trail.pop()
                open_nodes.discard(node)
                finished.append(node)
            elif target not in open_nodes:
                forward[node].append(target)
                if target not in seen:
                    seen.add(target)
                    open_nodes.add(target)
                    trail.append((target, iter(after[target])))
    column = dict.fromkeys(nodes, 0)
    for node in reversed(finished):
        for target in forward[node]:
            column[target] = max(column[target], column[node] + 1)
    return column


def _lane(source: str, column: int) -> str:
    return f"{source} past {column}"


def _hops(edges: list[LineageEdge], column: dict[str, int]) -> list[tuple[str, str]]:
    """Edges cut into steps between neighbouring columns; edges of one source share lanes."""
    hops: dict[tuple[str, str], None] = {}
    for edge in edges:
        first, last = column[edge.source], column[edge.target]
        if last <= first:
            continue
        stops = [edge.source, *(_lane(edge.source, at) for at in range(first + 1, last)), edge.target]
        hops.update(dict.fromkeys(pairwise(stops)))
    return list(hops)


def _blocks(
    nodes: dict[str, LineageNode], column: dict[str, int], hops: list[tuple[str, str]]
) -> list[_Block]:
    cards: dict[tuple[int, str], _Block] = {}
    for node in nodes.values():
        key = (column[node.id], node.domain)
        cards.setdefault(key, _Block(key[0], node.domain, [])).members.append(node.id)
    stops = dict.fromkeys(stop for hop in hops for stop in hop if stop not in nodes)
    lanes = [_Block(int(stop.rsplit(" ", 1)[1]), "", [stop]) for stop in stops]
    return [*(cards[key] for key in sorted(cards)), *lanes]


def _order(blocks: list[_Block], hops: list[tuple[str, str]]) -> None:
    """Sort columns and cards by the mean place of their neighbours, left to right and back."""
    near: dict[str, list[str]] = defaultdict(list)
    for source, target in hops:
        near[source].append(target)
        near[target].append(source)
    _stack(blocks)
    for _ in range(SWEEPS):
        centre = _centres(blocks)

        def pull(stop: str, centre: dict[str, float] = centre) -> float:
            places = [centre[other] for other in near[stop]]
            return sum(places) / len(places) if places else centre[stop]

        for block in blocks:
            block.members.sort(key=pull)
        blocks.sort(key=lambda block: (block.column, sum(map(pull, block.members)) / len(block.members)))
        _stack(blocks)


def _stack(blocks: list[_Block]) -> float:
    """Give every block its y, columns centred on each other; returns the drawing's height."""
    columns: dict[int, list[_Block]] = defaultdict(list)
    for block in blocks:
        columns[block.column].append(block)
    heights = {
        at: sum(b.height for b in stack) + CARD_GAP * (len(stack) - 1) for at, stack in columns.items()
    }
    tallest = max(heights.values(), default=0.0)
    for at, stack in columns.items():
        y = MARGIN + (tallest - heights[at]) / 2
        for block in stack:
            block.y = y
            y += block.height + CARD_GAP
    return tallest + 2 * MARGIN


def _centres(blocks: list[_Block]) -> dict[str, float]:
    """The middle of every row and lane."""
    centre = {}
    for block in blocks:
        top = block.y + (HEADER + ROW / 2 if block.domain else LANE / 2)
        centre.update({member: top + ROW * row for row, member in enumerate(block.members)})
    return centre


def _x(column: int) -> float:
    return MARGIN + column * (CARD_WIDTH + COLUMN_GAP)


def _path(edge: LineageEdge, column: dict[str, int], centre: dict[str, float]) -> str:
    """From the right port of the source to the left port of the target."""
    first, last = column[edge.source], column[edge.target]
    x, y = _x(first) + CARD_WIDTH, centre[edge.source]
    end_x, end_y = _x(last), centre[edge.target]
    if last <= first:
        reach = COLUMN_GAP * 0.45
        return f"M{x:g},{y:g} C{x + reach:g},{y:g} {end_x - reach:g},{end_y:g} {end_x:g},{end_y:g}"
    parts = [f"M{x:g},{y:g}"]
    for at in range(first + 1, last + 1):
        to_x, to_y = _x(at), end_y if at == last else centre[_lane(edge.source, at)]
        bend = (to_x - x) / 2
        parts.append(f"C{x + bend:g},{y:g} {to_x - bend:g},{to_y:g} {to_x:g},{to_y:g}")
        x, y = to_x, to_y
        if at != last:
            x += CARD_WIDTH
            parts.append(f"H{x:g}")
    return " ".join(parts)
