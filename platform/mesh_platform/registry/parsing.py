"""From a schema as sent to the text that stands for it: the one door to the languages of schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh import limits
from mesh.errors import SchemaError
from mesh.schema import AvroSchema, parse_schema
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Content, Kind, Reference
from mesh_platform.registry.subjects import Subjects


@dataclass(frozen=True, slots=True)
class Parsed:
    """A valid schema: `text` is the same for equal schemas, `normal` for normalised ones too.

    No reference says «latest» any more.
    """

    text: str
    normal: str
    references: tuple[Reference, ...] = ()


def parse(
    subjects: Subjects, subject: str, kind: Kind, text: str, references: tuple[Reference, ...]
) -> Parsed | Refusal:
    """The schema that `text` is in `subject`, its references looked up; 42201 when it is none."""
    fixed = tuple(_numbered(subjects, subject, reference) for reference in references)
    sources = resolved(subjects, subject, fixed)
    if isinstance(sources, Refusal):
        return sources
    if kind is not Kind.AVRO or sources:
        reason = f"Invalid schema type {kind}: this registry keeps AVRO only"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    try:
        schema = parse_schema(text)
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")
    return Parsed(schema.text, schema.normal_text(), fixed)


def reading(subjects: Subjects, subject: str, content: Content) -> Parsed | Refusal:
    """A stored content, parsed when asked for."""
    return parse(subjects, subject, content.kind, content.text, content.references)


def avro(content: Content) -> AvroSchema:
    """A stored Avro schema; raises SchemaError when it no longer passes the guards."""
    return parse_schema(content.text)


def resolved(
    subjects: Subjects, subject: str, references: tuple[Reference, ...]
) -> Mapping[str, Content] | Refusal:
    """The contents that references name, and those that theirs name; 42201 for one that is not there."""
    found: dict[str, Content] = {}
    seen: set[tuple[str, int]] = set()
    waiting = [(subject, reference) for reference in references]
    for owner, reference in waiting:
        version = subjects.referred(owner, reference)
        if version is None:
            return _unresolved(reference, f"{reference.subject!r} has no version {reference.version}")
        if found.setdefault(reference.name, version.content) != version.content:
            return _unresolved(reference, "the name stands for two schemas")
        if (place := (version.subject, version.version)) not in seen:
            seen.add(place)
            waiting += [(version.subject, one) for one in version.content.references]
    if sum(len(content.text) for content in found.values()) > limits.SCHEMA_BYTES:
        reason = f"Invalid schema: with its references it is larger than {limits.SCHEMA_BYTES:,} bytes"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    return found


def _numbered(subjects: Subjects, subject: str, reference: Reference) -> Reference:
    version = subjects.referred(subject, reference)
    return reference if version is None else replace(reference, version=version.version)


def _unresolved(reference: Reference, why: str) -> Refusal:
    reason = f"Invalid schema: the reference {reference.name[:255]!r} leads nowhere: {why}"
    return errors.INVALID_SCHEMA.refuse(reason=reason)
