"""A request to register or look up a schema, checked for its own sake: nothing here knows the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh import limits
from mesh_platform.registry import errors
from mesh_platform.registry.contexts import subject_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.metadata import read_metadata
from mesh_platform.registry.model import Document, Reference
from mesh_platform.registry.rule_sets import read_rule_set

LARGEST = 2**31 - 1
KEPT = (Kind.JSON, Kind.PROTOBUF, Kind.AVRO)
#: What a client may post: the rest of a body is not looked at.
POSTED = frozenset({"schema", "schemaType", "references", "metadata", "ruleSet", "id", "version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A schema as posted, not parsed; `id` and `version` only when the client demands them."""

    subject: str
    kind: Kind
    text: str
    references: tuple[Reference, ...] = ()
    metadata: Document | None = None
    rule_set: Document | None = None
    normalize: bool = False
    id: int | None = None
    version: int | None = None


def read_draft(body: Mapping[str, object]) -> Draft | Refusal:
    """The draft in a request body, or why it is none (42201, 42208, 42210)."""
    subject = subject_name(body.get("subject"))
    if isinstance(subject, Refusal):
        return subject
    kind, references = _kind(body.get("schemaType")), _references(body.get("references"))
    if isinstance(kind, Refusal):
        return kind
    if isinstance(references, Refusal):
        return references
    text = body.get("schema")
    if not isinstance(text, str) or not text.strip():
        return errors.INVALID_SCHEMA.refuse(reason="Empty schema: send the schema as text")
    metadata, rule_set = read_metadata(body.get("metadata")), read_rule_set(body.get("ruleSet"))
    if isinstance(metadata, Refusal):
        return metadata
    if isinstance(rule_set, Refusal):
        return rule_set
    demanded = [body.get(key) for key in ("id", "version")]
    if not all(_is_number(number) for number in demanded):
        return errors.INVALID_SCHEMA.refuse(reason="id and version are whole numbers")
    return Draft(
        subject=subject,
        kind=kind,
        text=text,
        references=references,
        metadata=metadata,
        rule_set=rule_set,
        normalize=body.get("normalize") is True,
        id=_positive(demanded[0]),
        version=_positive(demanded[1]),
    )


def _kind(value: object) -> Kind | Refusal:
    name = str(value or Kind.AVRO)
    if name in KEPT:
        return Kind(name)
    reason = f"Invalid schema type {name[:80]}: this registry keeps {', '.join(KEPT)}"
    return errors.INVALID_SCHEMA.refuse(reason=reason)


def _references(value: object) -> tuple[Reference, ...] | Refusal:
    if value is None:
        return ()
    found = [_reference(item) for item in value] if isinstance(value, list) else [None]
    references = tuple(one for one in found if one is not None)
    if len(references) < len(found):
        reason = (
            "Invalid references: each has a name and a subject, which are text, and the number of a version"
        )
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    if len(references) > limits.SCHEMA_REFERENCES or len({one.name for one in references}) < len(references):
        reason = f"Invalid references: at most {limits.SCHEMA_REFERENCES}, each under a name of its own"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    return references


def _reference(value: object) -> Reference | None:
    if not isinstance(value, Mapping):
        return None
    name, subject, version = (value.get(key) for key in ("name", "subject", "version"))
    if not (isinstance(name, str) and name and isinstance(subject, str)):
        return None
    if (
        not isinstance(version, int)
        or isinstance(version, bool)
        or not (version == -1 or 1 <= version <= LARGEST)
    ):
        return None
    return Reference(name, subject, version)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value <= LARGEST)


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
