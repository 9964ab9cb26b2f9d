"""Puts lineage into columns and cards, in the order with the fewest crossing curves found.

A small layered layout after Sugiyama, Tagawa and Toda (1981): cycles are cut, products take the
column of their longest path from a source, long edges pass through lanes reserved in the columns
between, and barycentre sweeps reduce crossings. Columns hold one card per domain, so events flow
from left to right and owners stay visible. Lengths are CSS pixels.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from mesh_platform.web.lineage import Lineage, LineageEdge, LineageNode

MARGIN = 12.0
HEADER = 32.0
ROW = 34.0
FOOT = 8.0
CARD_GAP = 16.0
LANE = 10.0
SWEEPS = 8


@dataclass(slots=True)
class Block:
    """What a column stacks: a domain's card, or a lane for edges that only pass through."""

    column: int
    domain: str
    members: list[str]
    y: float = 0.0

    @property
    def height(self) -> float:
        return HEADER + ROW * len(self.members) + FOOT if self.domain else LANE


@dataclass(frozen=True, slots=True)
class Layers:
    """A lineage in order: blocks with their y, the column and the middle of every node and lane."""

    blocks: list[Block]
    column: dict[str, int]
    centre: dict[str, float]
    edges: list[LineageEdge]
    height: float


def arrange(lineage: Lineage) -> Layers:
    """Order a lineage; the same lineage always gives the same layers."""
    nodes = {node.id: node for node in lineage.nodes}
    edges = [edge for edge in lineage.edges if edge.source in nodes and edge.target in nodes]
    column = _columns(list(nodes), edges)
    hops = _hops(edges, column)
    blocks = _order(_blocks(nodes, column, hops), hops)
    height = _stack(blocks)
    return Layers(blocks, column, _centres(blocks), edges, height)


def lane(source: str, column: int) -> str:
    """The name of the lane in which a node's edges pass a column."""
    return f"{source} past {column}"


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


def _hops(edges: list[LineageEdge], column: dict[str, int]) -> list[tuple[str, str]]:
    """Edges cut into steps between neighbouring columns; edges of one source share lanes."""
    hops: dict[tuple[str, str], None] = {}
    for edge in edges:
        first, last = column[edge.source], column[edge.target]
        if last <= first:
            continue
        stops = [edge.source, *(lane(edge.source, at) for at in range(first + 1, last)), edge.target]
        hops.update(dict.fromkeys(pairwise(stops)))
    return list(hops)


def _blocks(
    nodes: dict[str, LineageNode], column: dict[str, int], hops: list[tuple[str, str]]
) -> list[Block]:
    cards: dict[tuple[int, str], Block] = {}
    for node in nodes.values():
        key = (column[node.id], node.domain)
        cards.setdefault(key, Block(key[0], node.domain, [])).members.append(node.id)
    stops = dict.fromkeys(stop for hop in hops for stop in hop if stop not in nodes)
    lanes = [Block(int(stop.rsplit(" ", 1)[1]), "", [stop]) for stop in stops]
    return [*cards.values(), *lanes]


def _order(blocks: list[Block], hops: list[tuple[str, str]]) -> list[Block]:
    """Sort cards and their members by the mean place of their neighbours; the best sweep wins."""
    sides: tuple[dict[str, list[str]], ...] = (defaultdict(list), defaultdict(list))
    for source, target in hops:
        sides[0][target].append(source)
        sides[1][source].append(target)
    _stack(blocks)
    best = _crossings(blocks, hops), _arrangement(blocks)
    for sweep in range(SWEEPS):
        near, centre = sides[sweep % 2], _centres(blocks)
        pull = {stop: fmean([centre[other] for other in near[stop]] or [centre[stop]]) for stop in centre}
        for block in blocks:
            block.members.sort(key=pull.__getitem__)
        blocks.sort(key=lambda block: (block.column, fmean([pull[stop] for stop in block.members])))
        _stack(blocks)
        best = min(best, (_crossings(blocks, hops), _arrangement(blocks)), key=lambda found: found[0])
    for block, members in best[1]:
        block.members = members
    return [block for block, _ in best[1]]


def _arrangement(blocks: list[Block]) -> list[tuple[Block, list[str]]]:
    return [(block, list(block.members)) for block in blocks]


def _crossings(blocks: list[Block], hops: list[tuple[str, str]]) -> int:
    """How many pairs of curves cross, counted as inversions between neighbouring columns."""
    column = {stop: block.column for block in blocks for stop in block.members}
    centre = _centres(blocks)
    ends: dict[int, list[float]] = defaultdict(list)
    crossings = 0
    for source, target in sorted(hops, key=lambda hop: (centre[hop[0]], centre[hop[1]])):
        passed = ends[column[source]]
        crossings += len(passed) - bisect_right(passed, centre[target])
        insort(passed, centre[target])
    return crossings


def _stack(blocks: list[Block]) -> float:
    """Give every block its y, columns centred on each other; returns the drawing's height."""
    columns: dict[int, list[Block]] = defaultdict(list)
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


def _centres(blocks: list[Block]) -> dict[str, float]:
    """The middle of every row and lane."""
    centre = {}
    for block in blocks:
        top = block.y + (HEADER + ROW / 2 if block.domain else LANE / 2)
        centre.update({member: top + ROW * row for row, member in enumerate(block.members)})
    return centre
