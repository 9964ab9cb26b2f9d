"""How deep, how large and how narrow the values of a type can be.

A schema of a few lines can describe values that no reader survives: deep chains of references,
types that double at every level, arrays whose items take no bytes at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from mesh.schema.nodes import (
    PRIMITIVES,
    Array,
    Enum,
    Fixed,
    Map,
    Named,
    Node,
    Primitive,
    Record,
    Reference,
    Union,
)


class Shape(NamedTuple):
    """`height`: nested types; `nodes`: types when references are written out; `width`: fewest bytes."""

    height: int
    nodes: int
    width: float


_PRIMITIVES: Final = {kind: Shape(1, 1, 1) for kind in PRIMITIVES} | {
    "null": Shape(1, 1, 0),
    "float": Shape(1, 1, 4),
    "double": Shape(1, 1, 8),
}
#: A type that is still being defined: nothing finite is known about it yet.
UNKNOWN: Final = Shape(height=1, nodes=1, width=math.inf)


def shape_of(node: Node, known: Mapping[str, Shape]) -> Shape:
    """The shape of a type; `known` holds the named types already measured."""
    match node:
        case Primitive(kind):
            return _PRIMITIVES[kind]
        case Reference(fullname):
            return known.get(fullname, UNKNOWN)
        case Record() | Enum() | Fixed() if node.fullname in known:
            return known[node.fullname]
    return _measure(node, known)


def endless_types(names: Mapping[str, Named]) -> list[str]:
    """Recursive types that no finite value can have, such as a record that holds itself."""
    known: dict[str, Shape] = dict.fromkeys(names, UNKNOWN)
    settled = False
    while not settled:
        settled = True
        for fullname, node in names.items():
            width = _measure(node, known).width
            if width < known[fullname].width:
                known[fullname] = Shape(1, 1, width)
                settled = False
    return [name for name, shape in known.items() if math.isinf(shape.width)]


def _measure(node: Node, known: Mapping[str, Shape]) -> Shape:
    match node:
        case Fixed():
            return Shape(1, 1, node.size)
        case Array(inner) | Map(inner):
            parts = [shape_of(inner, known)]
            width: float = 1
        case Union(branches):
            parts = [shape_of(branch, known) for branch in branches]
            width = 1 + min(part.width for part in parts)
        case Record():
            parts = [shape_of(field.type, known) for field in node.fields]
            width = sum(part.width for part in parts)
        case Primitive() | Enum() | Reference():
            return Shape(1, 1, 1)
    height = nodes = 0
    for part in parts:
        height = max(height, part.height)
        nodes += part.nodes
    return Shape(1 + height, 1 + nodes, width)
