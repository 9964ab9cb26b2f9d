"""Logical types: what a type means beyond its bytes (Avro 1.12, «Logical Types»).

One that does not fit its type is ignored, as the specification demands, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh.schema.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record

_BASES = {
    "date": ("int",),
    "time-millis": ("int",),
    "time-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
    "timestamp-nanos": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-nanos": ("long",),
    "big-decimal": ("bytes",),
}


@dataclass(frozen=True, slots=True)
class Logical:
    """A logical type; `precision` and `scale` count digits and are 0 except for decimals."""

    name: str
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name


def logical_type(node: Node) -> Logical | None:
    """The logical type of a type, or None when it has none that holds."""
    if not isinstance(node, Primitive | Array | Map | Fixed | Enum | Record):
        return None
    name = node.attributes.get("logicalType")
    if not isinstance(name, str):
        return None
    if name == "decimal":
        return _decimal(node)
    if name == "uuid":
        fits = node.kind == "string" or (isinstance(node, Fixed) and node.size == 16)
        return Logical(name) if fits else None
    if name == "duration":
        return Logical(name) if isinstance(node, Fixed) and node.size == 12 else None
    return Logical(name) if node.kind in _BASES.get(name, ()) else None


def _decimal(node: Primitive | Array | Map | Fixed | Enum | Record) -> Logical | None:
    precision, scale = node.attributes.get("precision"), node.attributes.get("scale", 0)
    if not _is_count(precision) or not _is_count(scale):
        return None
    assert isinstance(precision, int)
    assert isinstance(scale, int)
    if precision < 1 or scale > precision:
        return None
    if isinstance(node, Fixed):
        fits = node.size > 0 and precision <= len(str(2 ** (8 * min(node.size, 10_000) - 1) - 1)) - 1
        return Logical("decimal", precision, scale) if fits else None
    return Logical("decimal", precision, scale) if node.kind == "bytes" else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
