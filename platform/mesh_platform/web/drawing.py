"""Draws a lineage: boxes, rows and curves with their places in CSS pixels."""

from __future__ import annotations

from dataclasses import dataclass

from mesh_platform.web.layers import MARGIN, ROW, Layers, arrange, lane
from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode

CARD_WIDTH = 236.0
NARROW_GAP = 110.0
WIDE_GAP = 400.0
COMFORTABLE = 1060.0  # few columns spread to this width, many keep the narrow gap
ARROW = 5.0


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


def draw(lineage: Lineage) -> Drawing:
    """Lay a lineage out; the same lineage always gives the same drawing."""
    layers = arrange(lineage)
    nodes = {node.id: node for node in lineage.nodes}
    x = _places(max(layers.column.values(), default=0) + 1)
    targets = {edge.target for edge in layers.edges}
    sources = {edge.source for edge in layers.edges}
    cards = [block for block in layers.blocks if block.domain]
    return Drawing(
        width=x[-1] + CARD_WIDTH + MARGIN,
        height=layers.height,
        cards=tuple(Card(card.domain, x[card.column], card.y, CARD_WIDTH, card.height) for card in cards),
        spots=tuple(
            Spot(nodes[name], x[card.column], layers.centre[name] - ROW / 2, name in targets, name in sources)
            for card in cards
            for name in card.members
        ),
        curves=tuple(Curve(edge, _path(edge, layers, x)) for edge in layers.edges),
    )


def _places(columns: int) -> list[float]:
    """The left edge of each column."""
    room = (COMFORTABLE - columns * CARD_WIDTH) / max(columns - 1, 1)
    gap = min(max(room, NARROW_GAP), WIDE_GAP)
    return [MARGIN + at * (CARD_WIDTH + gap) for at in range(columns)]


def _path(edge: LineageEdge, layers: Layers, x: list[float]) -> str:
    """From the right port of the source to the left port of the target, through lanes where it is long."""
    first, last = layers.column[edge.source], layers.column[edge.target]
    start, y = x[first] + CARD_WIDTH, layers.centre[edge.source]
    end, end_y = x[last] - ARROW, layers.centre[edge.target]
    parts = [f"M{start:g},{y:g}"]
    if last <= first:
        reach = NARROW_GAP / 2
        parts.append(f"C{start + reach:g},{y:g} {end - reach:g},{end_y:g} {end:g},{end_y:g}")
    for at in range(first + 1, last + 1):
        to_x, to_y = (end, end_y) if at == last else (x[at], layers.centre[lane(edge.source, at)])
        bend = (to_x - start) / 2
        parts.append(f"C{start + bend:g},{y:g} {to_x - bend:g},{to_y:g} {to_x:g},{to_y:g}")
        if at != last:
            parts.append(f"H{to_x + CARD_WIDTH:g}")
        start, y = to_x + CARD_WIDTH, to_y
    return " ".join(parts)
