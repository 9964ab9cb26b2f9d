"""Avro: every guard of `mesh.schema`, references as named types, compatibility judged to the end."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.compatibility import Incompatibility, Level, compare
from mesh.schema import AvroSchema, parse_any_schema
from mesh.schema.nodes import Record
from mesh.schema.refusal import Hazard
from mesh_platform.registry.kinds.model import Kind, Parsed, Reason, References


@dataclass(frozen=True, slots=True)
class Avro:
    """An Avro schema and the names of the references it makes use of."""

    schema: AvroSchema
    used: frozenset[str] = frozenset()
    kind: Kind = Kind.AVRO

    @property
    def text(self) -> str:
        return self.schema.text

    @property
    def whole(self) -> str:
        return self.schema.fingerprint

    @property
    def fields(self) -> frozenset[str]:
        root = self.schema.root
        return frozenset(field.name for field in root.fields) if isinstance(root, Record) else frozenset()

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        return self.schema.hazards

    def normal_text(self) -> str:
        return self.schema.normal_text()

    def reasons(self, earlier: Parsed, level: Level) -> list[Reason]:
        assert isinstance(earlier, Avro)
        return [_reason(found) for found in compare(self.schema, earlier.schema, level)]


def parse_avro(text: str, references: References) -> Avro:
    """The Avro schema in `text`, which may name any type of its references; raises SchemaError."""
    schemas = {name: part.schema for name, part in references.items() if isinstance(part, Avro)}
    schema = parse_any_schema(text, tuple(schemas.values()))
    used = (name for name, part in schemas.items() if schema.used & part.names.keys())
    return Avro(schema, frozenset(used))


def _reason(found: Incompatibility) -> Reason:
    return Reason(
        type=found.type,
        path=found.path,
        message=found.message,
        explanation=found.explanation,
        fix=found.fix,
    )
