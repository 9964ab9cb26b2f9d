"""Whether a reader's schema can read what a writer's schema wrote (Avro 1.12, «Schema Resolution»).

The verdict, the kinds of problem, their places and messages are those of Apache Avro's Java
`SchemaCompatibility`, which schema registries answer with. Logical types play no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mesh.compatibility.budget import Budget
from mesh.schema import AvroSchema
from mesh.schema.nodes import (
    MISSING,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Named,
    Node,
    Record,
    Reference,
    Union,
    simple_name,
)

#: What a reader's type takes besides itself.
PROMOTIONS = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "bytes": {"string"},
    "string": {"bytes"},
}


class ProblemType(StrEnum):
    """Kinds of incompatibility, in the words of schema registries."""

    NAME_MISMATCH = "NAME_MISMATCH"
    FIXED_SIZE_MISMATCH = "FIXED_SIZE_MISMATCH"
    MISSING_ENUM_SYMBOLS = "MISSING_ENUM_SYMBOLS"
    READER_FIELD_MISSING_DEFAULT_VALUE = "READER_FIELD_MISSING_DEFAULT_VALUE"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    MISSING_UNION_BRANCH = "MISSING_UNION_BRANCH"
    #: Our own: Java raises an exception where one field takes two of the writer's through aliases. Where two
    #: fields take the same one, it calls them compatible and then finds no value for the second.
    AMBIGUOUS_FIELD_ALIASES = "AMBIGUOUS_FIELD_ALIASES"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why reading fails; `path` as in `/fields/2/type`, `field` as in `legs[].gate`."""

    type: ProblemType
    path: str
    field: str
    message: str
    reader: Node
    writer: Node


def problems(reader: AvroSchema, writer: AvroSchema) -> tuple[Problem, ...]:
    """Everything that keeps `reader` from reading what `writer` wrote, depth first; empty when nothing does.

    Raises SchemaError MESH-A410 when the comparison takes more than `limits.COMPATIBILITY_STEPS`.
    """
    if reader == writer:
        return ()
    return _Resolution(reader, writer).compare(reader.root, writer.root, _Place())


@dataclass(frozen=True, slots=True)
class _Place:
    path: str = ""
    field: str = ""
    depth: int = 0

    def into(self, token: str) -> _Place:
        return _Place(f"{self.path}/{token}", self.field, self.depth + 1)

    def into_field(self, index: int, name: str) -> _Place:
        field = f"{self.field}.{name}" if self.field else name
        return _Place(f"{self.path}/fields/{index}", field, self.depth + 1)

    def into_items(self, token: str) -> _Place:
        return _Place(f"{self.path}/{token}", f"{self.field}[]", self.depth + 1)


class _Resolution:
    """One comparison: remembers pairs of types, counts its steps."""

    def __init__(self, reader: AvroSchema, writer: AvroSchema) -> None:
        self._reader_names = reader.names
        self._writer_names = writer.names
        self._seen: dict[tuple[Node, Node], tuple[Problem, ...]] = {}
        self._budget = Budget()

    def compare(self, reader: Node, writer: Node, place: _Place) -> tuple[Problem, ...]:
        reader = self._reader_names[reader.fullname] if isinstance(reader, Reference) else reader
        writer = self._writer_names[writer.fullname] if isinstance(writer, Reference) else writer
        known = self._seen.get((reader, writer))
        if known is not None:
            return known
        self._budget.spend(1, place.path, place.depth)
        # A pair that is being compared counts as compatible: recursion holds unless something else breaks it.
        self._seen[reader, writer] = ()
        found = self._resolve(reader, writer, place)
        self._seen[reader, writer] = found
        return found

    def _reads(self, branch: Node, writer: Node, place: _Place) -> bool:
        """Whether one branch of a reader's union reads the writer's type."""
        reader = self._reader_names[branch.fullname] if isinstance(branch, Reference) else branch
        # Only the verdict counts here, so a type of another name need not be walked.
        if isinstance(reader, Named) and isinstance(writer, Named) and not names_match(reader, writer):
            return False
        return not self.compare(reader, writer, place)

    def _resolve(self, reader: Node, writer: Node, place: _Place) -> tuple[Problem, ...]:
        match reader, writer:
            case _, Union(branches):
                parts = (
                    self.compare(reader, branch, place.into(str(index)))
                    for index, branch in enumerate(branches)
                )
                return self._merge(parts, place)
            case Union(branches), _:
                if any(self._reads(branch, writer, place) for branch in branches):
                    return ()
                message = f"reader union lacking writer type: {writer.kind.upper()}"
                return (_problem(ProblemType.MISSING_UNION_BRANCH, place, message, reader, writer),)
            case Array(mine), Array(theirs):
                return self.compare(mine, theirs, place.into_items("items"))
            case Map(mine), Map(theirs):
                return self.compare(mine, theirs, place.into_items("values"))
            case Fixed(), Fixed():
                return _name_problems(reader, writer, place) + _size_problems(reader, writer, place)
            case Enum(), Enum():
                return _name_problems(reader, writer, place) + _symbol_problems(reader, writer, place)
            case Record(), Record():
                fields = self._fields(reader, writer, place)
                return self._merge([_name_problems(reader, writer, place), *fields], place)
        if reader.kind == writer.kind or writer.kind in PROMOTIONS.get(reader.kind, ()):
            return ()
        message = f"reader type: {reader.kind.upper()} not compatible with writer type: {writer.kind.upper()}"
        return (_problem(ProblemType.TYPE_MISMATCH, place, message, reader, writer),)

    def _fields(self, reader: Record, writer: Record, place: _Place) -> Iterable[tuple[Problem, ...]]:
        written = {field.name: field for field in writer.fields}
        taken: dict[str, str] = {}
        for index, field in enumerate(reader.fields):
            inside = place.into_field(index, field.name)
            sources = [written[name] for name in (field.name, *field.aliases) if name in written]
            first = taken.setdefault(sources[0].name, field.name) if sources else field.name
            if len(sources) > 1:
                yield (_ambiguous(field, sources, inside, reader, writer),)
            elif first != field.name:
                yield (_taken_twice(field, first, sources[0], inside, reader, writer),)
            elif sources:
                yield self.compare(field.type, sources[0].type, inside.into("type"))
            elif field.default is MISSING:
                kind = ProblemType.READER_FIELD_MISSING_DEFAULT_VALUE
                yield (_problem(kind, inside, field.name, reader, writer),)

    def _merge(self, parts: Iterable[tuple[Problem, ...]], place: _Place) -> tuple[Problem, ...]:
        merged: dict[Problem, None] = {}
        for part in parts:
            self._budget.spend(len(part), place.path, place.depth)
            merged.update(dict.fromkeys(part))
        return tuple(merged)


def _problem(kind: ProblemType, place: _Place, message: str, reader: Node, writer: Node) -> Problem:
    return Problem(kind, place.path or "/", place.field, message, reader, writer)


def names_match(reader: Named, writer: Named) -> bool:
    """Whether a reader takes a named type of the writer's for its own (Avro 1.12, «Aliases»)."""
    # Namespaces do not count, and the writer's aliases are never looked at.
    return simple_name(reader.fullname) == simple_name(writer.fullname) or writer.fullname in reader.aliases


def _name_problems(reader: Named, writer: Named, place: _Place) -> tuple[Problem, ...]:
    if names_match(reader, writer):
        return ()
    message = f"expected: {writer.fullname}"
    return (_problem(ProblemType.NAME_MISMATCH, place.into("name"), message, reader, writer),)


def _size_problems(reader: Fixed, writer: Fixed, place: _Place) -> tuple[Problem, ...]:
    if reader.size == writer.size:
        return ()
    message = f"expected: {writer.size}, found: {reader.size}"
    return (_problem(ProblemType.FIXED_SIZE_MISMATCH, place.into("size"), message, reader, writer),)


def _symbol_problems(reader: Enum, writer: Enum, place: _Place) -> tuple[Problem, ...]:
    missing = sorted(set(writer.symbols) - set(reader.symbols))
    if not missing or reader.default is not None:
        return ()
    message = f"[{', '.join(missing)}]"
    return (_problem(ProblemType.MISSING_ENUM_SYMBOLS, place.into("symbols"), message, reader, writer),)


def _ambiguous(field: Field, sources: list[Field], place: _Place, reader: Record, writer: Record) -> Problem:
    names = ", ".join(source.name for source in sources)
    message = f"reader field {field.name} matches several writer fields: {names}"
    return _problem(ProblemType.AMBIGUOUS_FIELD_ALIASES, place, message, reader, writer)


def _taken_twice(
    field: Field, first: str, source: Field, place: _Place, reader: Record, writer: Record
) -> Problem:
    message = f"reader fields {first} and {field.name} both match the writer field {source.name}"
    return _problem(ProblemType.AMBIGUOUS_FIELD_ALIASES, place, message, reader, writer)
