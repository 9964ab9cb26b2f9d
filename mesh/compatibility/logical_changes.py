"""Changes of meaning that Avro's rules let through: a scale, a unit, a calendar.

`decimal(9,2)` to `decimal(9,3)` or milliseconds to microseconds is compatible for every schema
registry, and every number a reader sees is wrong afterwards. The review looks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh.compatibility.budget import Budget
from mesh.compatibility.resolution import PROMOTIONS, names_match
from mesh.schema import AvroSchema, logical_type
from mesh.schema.nodes import Array, Map, Named, Node, Record, Reference, Union


@dataclass(frozen=True, slots=True)
class LogicalChange:
    """The meaning of a field changed; `before` and `after` as in `timestamp-millis`, empty for none."""

    path: str
    field: str
    before: str
    after: str
    explanation: str


def logical_changes(new: AvroSchema, previous: AvroSchema) -> tuple[LogicalChange, ...]:
    """Every field whose logical type differs between two schemas, in the order of the new one.

    Raises SchemaError MESH-A410 when the comparison takes more than `limits.COMPATIBILITY_STEPS`.
    """
    return tuple(_Walk(new, previous).walk(new.root, previous.root, _Place()))


@dataclass(frozen=True, slots=True)
class _Place:
    path: str = ""
    field: str = ""
    depth: int = 0

    def into(self, path: str, field: str) -> _Place:
        return _Place(f"{self.path}/{path}", field, self.depth + 1)


class _Walk:
    def __init__(self, new: AvroSchema, previous: AvroSchema) -> None:
        self._new_names = new.names
        self._old_names = previous.names
        self._seen: set[tuple[Node, Node]] = set()
        self._budget = Budget()

    def walk(self, new: Node, old: Node, place: _Place) -> Iterator[LogicalChange]:
        new = self._new_names[new.fullname] if isinstance(new, Reference) else new
        old = self._old_names[old.fullname] if isinstance(old, Reference) else old
        if (new, old) in self._seen:
            return
        self._seen.add((new, old))
        self._budget.spend(1, place.path, place.depth)
        match new, old:
            case (Union(), _) | (_, Union()):
                yield from self._branches(new, old, place)
                return
            case Record(), Record():
                yield from self._fields(new, old, place)
            case Array(mine), Array(theirs):
                yield from self.walk(mine, theirs, place.into("items", f"{place.field}[]"))
            case Map(mine), Map(theirs):
                yield from self.walk(mine, theirs, place.into("values", f"{place.field}[]"))
        yield from _compare(new, old, place)

    def _fields(self, new: Record, old: Record, place: _Place) -> Iterator[LogicalChange]:
        earlier = {part.name: part for part in old.fields}
        for index, part in enumerate(new.fields):
            source = next((earlier[name] for name in (part.name, *part.aliases) if name in earlier), None)
            if source is not None:
                inside = f"{place.field}.{part.name}" if place.field else part.name
                yield from self.walk(part.type, source.type, place.into(f"fields/{index}/type", inside))

    def _branches(self, new: Node, old: Node, place: _Place) -> Iterator[LogicalChange]:
        mine = [self._new_names[b.fullname] if isinstance(b, Reference) else b for b in _branches(new)]
        for branch in _branches(old):
            earlier = self._old_names[branch.fullname] if isinstance(branch, Reference) else branch
            self._budget.spend(len(mine), place.path, place.depth)
            # A reader takes the branch of the same type, and only without one another that it promotes to.
            taking = [b for b in mine if _same(b, earlier)] or [b for b in mine if _promotes(b, earlier)]
            for reader in taking[:1]:
                inside = place if new is reader else place.into(str(mine.index(reader)), place.field)
                yield from self.walk(reader, earlier, inside)


def _same(new: Node, old: Node) -> bool:
    if isinstance(new, Named) and isinstance(old, Named):
        return new.kind == old.kind and names_match(new, old)
    return new.kind == old.kind


def _promotes(new: Node, old: Node) -> bool:
    return old.kind in PROMOTIONS.get(new.kind, ())


def _compare(new: Node, old: Node, place: _Place) -> Iterator[LogicalChange]:
    before, after = logical_type(old), logical_type(new)
    if before != after:
        was, now = str(before or old.kind), str(after or new.kind)
        where = f"field {place.field!r}" if place.field else "the event itself"
        sentence = (
            f"The bytes of {where} meant {was} and now mean {now}: readers would take one for the other."
        )
        yield LogicalChange(place.path or "/", place.field, str(before or ""), str(after or ""), sentence)


def _branches(node: Node) -> tuple[Node, ...]:
    return node.branches if isinstance(node, Union) else (node,)
