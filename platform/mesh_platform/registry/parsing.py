"""From a schema as sent, or as stored, to what it says: its references looked up, then parsed by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mesh import limits
from mesh.errors import SchemaError
from mesh.schema import AvroSchema
from mesh.schema.refusal import BAD_REFERENCE, OVER_BUDGET, refuse
from mesh_platform.registry import errors, kinds
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.kinds.avro import Avro
from mesh_platform.registry.model import Content, Reference, Version
from mesh_platform.registry.subjects import Place, Subjects

#: Producers send their schema again at every start, and a registration is read before and after the log.
_REMEMBERED = 512
_REMEMBERED_LENGTH = 16 * limits.KIB
_KNOWN: dict[tuple[Kind, str, tuple[tuple[str, str], ...]], kinds.Parsed] = {}


@dataclass(frozen=True, slots=True)
class Grounded:
    """A valid schema, and its references: none of them says «latest» any more."""

    schema: kinds.Parsed
    references: tuple[Reference, ...]


def ground(
    subjects: Subjects, subject: str, kind: Kind, text: str, references: tuple[Reference, ...]
) -> Grounded | Refusal:
    """The schema that `text` is in `subject`; 42201 when it is none, or a reference leads nowhere."""
    fixed = tuple(_numbered(subjects, subject, reference) for reference in references)
    try:
        return Grounded(_Grounds(subjects).parsed(subject, kind, text, fixed, 0), fixed)
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")


def read(subjects: Subjects, version: Version) -> kinds.Parsed | Refusal:
    """What a stored version says, parsed when asked for."""
    return understood(subjects, version.subject, version.content)


def understood(subjects: Subjects, subject: str, content: Content) -> kinds.Parsed | Refusal:
    """What a content says in `subject`, parsed when asked for."""
    found = ground(subjects, subject, content.kind, content.text, content.references)
    return found if isinstance(found, Refusal) else found.schema


def avro_schemas(subjects: Subjects, subject: str) -> list[AvroSchema]:
    """The live Avro schemas of a subject, oldest first."""
    found = (read(subjects, version) for version in subjects.live(subject))
    return [schema.schema for schema in found if isinstance(schema, Avro)]


@dataclass
class _Grounds:
    """The schemas that one schema stands on, each parsed once."""

    subjects: Subjects
    known: dict[Place, kinds.Parsed] = field(default_factory=dict)
    size: int = 0

    def parsed(
        self, subject: str, kind: Kind, text: str, references: tuple[Reference, ...], depth: int
    ) -> kinds.Parsed:
        self.size += len(text)
        if (
            depth > limits.SCHEMA_DEPTH
            or self.size > limits.SCHEMA_BYTES
            or len(self.known) > limits.REACHED_SCHEMAS
        ):
            what = "the schema refers to more than a schema may hold: too many others, too large or too deep"
            refuse(OVER_BUDGET, "$", what, fix="write the referenced types out")
        return _parsed(kind, text, {one.name: self._part(subject, one, depth) for one in references})

    def _part(self, subject: str, reference: Reference, depth: int) -> kinds.Parsed:
        version = self.subjects.referred(subject, reference)
        if version is None:
            wanted = f"{reference.subject[:255]!r} has no version {reference.version}"
            what = f"the reference {reference.name[:255]!r} leads nowhere: {wanted}"
            refuse(
                BAD_REFERENCE, "$", what, fix="register the schema it means first, then refer to its version"
            )
        place, content = (version.subject, version.version), version.content
        if place not in self.known:
            self.known[place] = self.parsed(
                version.subject, content.kind, content.text, content.references, depth + 1
            )
        return self.known[place]


def _parsed(kind: Kind, text: str, parts: Mapping[str, kinds.Parsed]) -> kinds.Parsed:
    key = (kind, text, tuple((name, part.whole) for name, part in parts.items()))
    known = _KNOWN.get(key)
    if known is None:
        known = kinds.parse(kind, text, parts)
        if len(text) <= _REMEMBERED_LENGTH:
            _KNOWN[key] = known
            while len(_KNOWN) > _REMEMBERED:
                _KNOWN.pop(next(iter(_KNOWN)), None)
    return known


def _numbered(subjects: Subjects, subject: str, reference: Reference) -> Reference:
    version = subjects.referred(subject, reference)
    return reference if version is None else replace(reference, version=version.version)
