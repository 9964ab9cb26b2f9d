"""Protobuf: valid by grammar and rules, imports among its references; a change of it is not judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mesh.compatibility import Level
from mesh.schema.refusal import BAD_REFERENCE, Hazard, refuse
from mesh.schema.strict_json import compact
from mesh_platform.registry.kinds.model import CANNOT_BE_JUDGED, Kind, Parsed, Reason, References
from mesh_platform.registry.kinds.proto_grammar import file_of
from mesh_platform.registry.kinds.proto_rules import Known, check_rules, defined
from mesh_platform.registry.kinds.proto_text import spelled, words_of
from mesh_platform.registry.kinds.reaching import reached

if TYPE_CHECKING:
    from proto_schema_parser import ast

#: Files that come with every compiler and every registry, and the packages they define.
_EVERYWHERE: Final = {
    "google/protobuf/": "google.protobuf",
    "google/type/": "google.type",
    "confluent/": "confluent",
}


@dataclass(frozen=True, slots=True)
class Protobuf:
    """A `.proto` file and every file that it imports."""

    text: str
    plain: str  #: `text` without comments
    used: frozenset[str] = field(compare=False)
    fields: frozenset[str] = field(compare=False)
    types: frozenset[str] = field(compare=False, repr=False)  #: what others may name
    references: Mapping[str, Protobuf] = field(compare=False, repr=False)
    kind: Kind = Kind.PROTOBUF
    #: Every reader of Protobuf counts depth itself, and nothing in a message takes no bytes.
    hazards: tuple[Hazard, ...] = ()

    @property
    def whole(self) -> str:
        parts = sorted((name, part.plain) for name, part in reached(self.references).items())
        return compact([self.plain, parts])

    def normal_text(self) -> str:
        return self.plain

    def reasons(self, earlier: Parsed, level: Level) -> list[Reason]:  # noqa: ARG002
        return [
            Reason(
                type=CANNOT_BE_JUDGED,
                path="/",
                message="nobody here can say whether a change of a Protobuf schema is compatible",
                explanation="Changes of Protobuf schemas cannot be judged by this registry, so none passes.",
                fix="check the change with your own tools and set the subject's level to NONE to register it",
            )
        ]


def parse_protobuf(text: str, references: References) -> Protobuf:
    """The `.proto` file in `text`; raises SchemaError when it is invalid, or imports what is not there."""
    words = words_of(text)
    file = file_of(text, words)
    parts = {name: part for name, part in references.items() if isinstance(part, Protobuf)}
    own = defined(file)
    imports = _imports(file)
    for name in sorted(imports.keys() - parts.keys()):
        if not name.startswith(tuple(_EVERYWHERE)):
            what = f"the import {name[:80]!r} is not among the references"
            refuse(BAD_REFERENCE, "$", what, fix="register the file and name it among the references")
    elsewhere = {_EVERYWHERE[start] for start in _EVERYWHERE for name in imports if name.startswith(start)}
    reached(parts)
    imported = [name for file_name in imports.keys() & parts.keys() for name in parts[file_name].types]
    check_rules(file, own, Known([*own, *imported], elsewhere))
    passed_on = [
        name
        for file_name, public in imports.items()
        if public and file_name in parts
        for name in parts[file_name].types
    ]
    return Protobuf(
        text=spelled(words),
        plain=spelled([word for word in words if word.kind != "comment"]),
        used=frozenset(imports & parts.keys()),
        fields=_fields(file),
        types=frozenset([*own, *passed_on]),
        references=parts,
    )


def _imports(file: ast.File) -> dict[str, bool]:
    """The files imported, and whether those who import this one see their types too."""
    from proto_schema_parser import ast

    return {element.name: element.public for element in file.file_elements if isinstance(element, ast.Import)}


def _fields(file: ast.File) -> frozenset[str]:
    from proto_schema_parser import ast

    first = next((element for element in file.file_elements if isinstance(element, ast.Message)), None)
    return frozenset(_field_names(first.elements)) if first else frozenset()


def _field_names(elements: Iterable[object]) -> Iterator[str]:
    from proto_schema_parser import ast

    for element in elements:
        if isinstance(element, ast.Field | ast.MapField | ast.Group):
            yield element.name
        elif isinstance(element, ast.OneOf):
            yield from _field_names(element.elements)
