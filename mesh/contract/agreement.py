"""Whether an Avro schema says the same as the one that follows from a contract, only with more words.

It may choose names of types, documentation, aliases, defaults, the order of fields, and how finely a time
is counted. What an event holds, what may be null and what a value means are the contract's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mesh.contract.yaml import Path
from mesh.schema import AvroSchema, logical_type
from mesh.schema.nodes import Array, Enum, Fixed, Map, Named, Node, Primitive, Record, Reference, Union

_UNITS = ("-millis", "-micros", "-nanos")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference: the place in the schema's JSON, the field, what the contract says and the schema."""

    path: Path
    field: str
    wanted: str
    found: str


def disagreements(following: AvroSchema, given: AvroSchema) -> Iterator[Disagreement]:
    """Where `given` contradicts the schema that follows from the contract."""
    yield from _Walk(following.names, given.names).compare(following.root, given.root, (), "")


class _Walk:
    def __init__(self, following: Mapping[str, Named], given: Mapping[str, Named]) -> None:
        self._following = following
        self._given = given

    def compare(self, one: Node, other: Node, path: Path, field: str) -> Iterator[Disagreement]:
        if isinstance(one, Reference):
            one = self._following[one.fullname]
        if isinstance(other, Reference):
            other = self._given[other.fullname]
        match one, other:
            case Record(), Record():
                yield from self._records(one, other, path, field)
            case Array(), Array():
                yield from self.compare(one.items, other.items, (*path, "items"), f"{field}[]")
            case Map(), Map():
                yield from self.compare(one.values, other.values, (*path, "values"), f"{field}{{}}")
            case Union(), Union():
                yield from self._unions(one, other, path, field)
            case _:
                if _meaning(one) != _meaning(other):
                    yield Disagreement(path, field, _meaning(one), _meaning(other))

    def _records(self, one: Record, other: Record, path: Path, field: str) -> Iterator[Disagreement]:
        wanted = {f.name: f for f in one.fields}
        prefix = f"{field}." if field else ""
        for index, found in enumerate(other.fields):
            here = (*path, "fields", index)
            known = wanted.pop(found.name, None)
            if known is None:
                yield Disagreement((*here, "name"), prefix + found.name, "no such property", "a field")
            else:
                yield from self.compare(known.type, found.type, (*here, "type"), prefix + found.name)
        for name in wanted:
            yield Disagreement((*path, "fields"), prefix + name, "a property", "no such field")

    def _unions(self, one: Union, other: Union, path: Path, field: str) -> Iterator[Disagreement]:
        left = [b for b in one.branches if b.kind != "null"]
        right = [(i, b) for i, b in enumerate(other.branches) if b.kind != "null"]
        nulls = (len(left) < len(one.branches), len(right) < len(other.branches))
        if len(left) != len(right) or nulls[0] != nulls[1]:
            yield Disagreement(path, field, _meaning(one), _meaning(other))
            return
        for known, (index, found) in zip(left, right, strict=True):
            yield from self.compare(known, found, (*path, index), field)


def _meaning(node: Node) -> str:
    """What a type means to people, without what a schema may choose."""
    match node:
        case Union(branches):
            return " or ".join(map(_meaning, branches))
        case Enum():
            return "one of " + ", ".join(sorted(node.symbols))
        case Primitive() | Fixed():
            logical = logical_type(node)
            if logical is not None and not (logical.name == "uuid" and isinstance(node, Fixed)):
                return _without_unit(str(logical))
            return f"{node.size} bytes" if isinstance(node, Fixed) else node.kind
    return node.kind


def _without_unit(name: str) -> str:
    for unit in _UNITS:
        name = name.removesuffix(unit)
    return name
