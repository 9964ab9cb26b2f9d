"""Changes of meaning that Avro's rules let through: a scale, a unit, a calendar.

`decimal(9,2)` to `decimal(9,3)` or milliseconds to microseconds is compatible for every schema
registry, and every number a reader sees is wrong afterwards. The review looks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    """Every field whose logical type differs between two schemas, in the order of the new one."""
    return tuple(_Walk(new, previous).walk(new.root, previous.root, "", ""))


class _Walk:
    def __init__(self, new: AvroSchema, previous: AvroSchema) -> None:
        self._new_names = new.names
        self._old_names = previous.names
        self._seen: set[tuple[Node, Node]] = set()

    def walk(self, new: Node, old: Node, path: str, field: str) -> Iterator[LogicalChange]:
        new = self._new_names[new.fullname] if isinstance(new, Reference) else new
        old = self._old_names[old.fullname] if isinstance(old, Reference) else old
        if (new, old) in self._seen:
            return
        self._seen.add((new, old))
        yield from _compare(new, old, path or "/", field)
        match new, old:
            case Record(), Record():
                yield from self._fields(new, old, path, field)
            case Array(mine), Array(theirs):
                yield from self.walk(mine, theirs, f"{path}/items", f"{field}[]")
            case Map(mine), Map(theirs):
                yield from self.walk(mine, theirs, f"{path}/values", f"{field}[]")
            case (Union(), _) | (_, Union()):
                for index, branch in enumerate(_branches(new)):
                    for earlier in _branches(old):
                        if _key(branch) == _key(earlier):
                            yield from self.walk(branch, earlier, f"{path}/{index}", field)

    def _fields(self, new: Record, old: Record, path: str, field: str) -> Iterator[LogicalChange]:
        earlier = {part.name: part for part in old.fields}
        for index, part in enumerate(new.fields):
            source = next((earlier[name] for name in (part.name, *part.aliases) if name in earlier), None)
            if source is not None:
                inside = f"{field}.{part.name}" if field else part.name
                yield from self.walk(part.type, source.type, f"{path}/fields/{index}/type", inside)


def _compare(new: Node, old: Node, path: str, field: str) -> Iterator[LogicalChange]:
    if isinstance(new, Union) or isinstance(old, Union):
        return
    before, after = logical_type(old), logical_type(new)
    if before != after:
        was, now = str(before or old.kind), str(after or new.kind)
        where = f"field {field!r}" if field else "the event itself"
        sentence = (
            f"The bytes of {where} meant {was} and now mean {now}: readers would take one for the other."
        )
        yield LogicalChange(path, field, str(before or ""), str(after or ""), sentence)


def _branches(node: Node) -> tuple[Node, ...]:
    return node.branches if isinstance(node, Union) else (node,)


def _key(node: Node) -> str:
    return node.fullname if isinstance(node, Named | Reference) else node.kind
