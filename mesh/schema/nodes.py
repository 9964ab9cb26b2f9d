"""Avro types as values: what a schema text means, after every name is resolved.

Nodes compare by identity: two equal-looking types in two schemas are two nodes. A type is
defined once and referred to by full name afterwards, so a recursive schema is a finite tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mesh.schema.strict_json import Json

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

Attributes = Mapping[str, Json]


class Missing:
    """The absence of a default, which `null` is not."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """`null` to `string`; `attributes` may carry a logical type."""

    kind: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """A list of `items`."""

    items: Node
    attributes: Attributes = field(default_factory=dict)
    kind: str = "array"


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Text keys to `values`."""

    values: Node
    attributes: Attributes = field(default_factory=dict)
    kind: str = "map"


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """One of several types; never a union directly inside a union."""

    branches: tuple[Node, ...]
    kind: str = "union"


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A type defined earlier, or still being defined, by full name."""

    fullname: str
    kind: str = "reference"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fixed:
    """Exactly `size` bytes."""

    fullname: str
    size: int
    aliases: tuple[str, ...] = ()
    doc: str | None = None
    attributes: Attributes = field(default_factory=dict)
    kind: str = "fixed"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Enum:
    """One of `symbols`; `default` stands in for a symbol the reader does not know."""

    fullname: str
    symbols: tuple[str, ...]
    default: str | None = None
    aliases: tuple[str, ...] = ()
    doc: str | None = None
    attributes: Attributes = field(default_factory=dict)
    kind: str = "enum"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """A field of a record; aliases are plain names."""

    name: str
    type: Node
    default: Json | Missing = MISSING
    order: str = "ascending"
    aliases: tuple[str, ...] = ()
    doc: str | None = None
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Record:
    """Named fields in order."""

    fullname: str
    fields: tuple[Field, ...]
    aliases: tuple[str, ...] = ()
    doc: str | None = None
    attributes: Attributes = field(default_factory=dict)
    kind: str = "record"


Named = Record | Enum | Fixed
Node = Primitive | Array | Map | Union | Reference | Record | Enum | Fixed


def simple_name(fullname: str) -> str:
    """`Departures` of `operations.Departures`."""
    return fullname.rpartition(".")[2]


def namespace_of(fullname: str) -> str:
    """`operations` of `operations.Departures`; empty when there is none."""
    return fullname.rpartition(".")[0]
