"""A request to register or look up a schema, checked for its own sake: nothing here knows the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mesh import limits
from mesh.errors import SchemaError
from mesh.schema import AvroSchema, parse_schema
from mesh.schema.strict_json import Json
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Document

_RESERVED = ("__GLOBAL", "__EMPTY")
_RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")
LARGEST = 2**31 - 1
#: Producers send their schema again at every start, and a registration is read before and after the log.
_SMALL = 16 * limits.KIB
_parse_small = lru_cache(maxsize=512)(parse_schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A schema as posted; `id` and `version` only when the client demands them."""

    subject: str
    schema: AvroSchema
    metadata: Document | None = None
    rule_set: Document | None = None
    normalize: bool = False
    id: int | None = None
    version: int | None = None


def read_draft(body: Mapping[str, object]) -> Draft | Refusal:
    """The draft in a request body, or why it is none (42201, 42208, 42210)."""
    subject = read_subject(body.get("subject"))
    if isinstance(subject, Refusal):
        return subject
    schema = read_schema(body)
    if isinstance(schema, Refusal):
        return schema
    metadata, rule_set = body.get("metadata"), body.get("ruleSet")
    if metadata is not None and not _is_metadata(metadata):
        reason = "Invalid metadata: tags are lists of text, properties are text, sensitive is a list"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    if rule_set is not None and not _is_rule_set(rule_set):
        reason = f"Invalid rule set: {', '.join(_RULE_LISTS)} are lists of rules, and a rule has a name"
        return errors.INVALID_RULE_SET.refuse(reason=reason)
    demanded = [body.get(key) for key in ("id", "version")]
    if not all(_is_number(number) for number in demanded):
        return errors.INVALID_SCHEMA.refuse(reason="id and version are whole numbers")
    return Draft(
        subject=subject,
        schema=schema,
        metadata=_document(metadata),
        rule_set=_document(rule_set),
        normalize=body.get("normalize") is True,
        id=_positive(demanded[0]),
        version=_positive(demanded[1]),
    )


def read_subject(name: object) -> str | Refusal:
    """A subject's name without the default context `:.:`, or why it is none (42208)."""
    if not isinstance(name, str):
        return errors.INVALID_SUBJECT.refuse(subject=name, reason="a subject is text")
    plain = name.removeprefix(":.:")
    if plain.startswith((":.", ":*")):
        return errors.INVALID_SUBJECT.refuse(
            subject=name, reason="this registry has the default context only"
        )
    if not plain or plain in _RESERVED or any(not character.isprintable() for character in plain):
        return errors.INVALID_SUBJECT.refuse(
            subject=name[:255], reason="the name is empty, reserved or unprintable"
        )
    return plain


def read_schema(body: Mapping[str, object]) -> AvroSchema | Refusal:
    """The Avro schema in a request body, or why it is none (42201)."""
    kind = body.get("schemaType") or "AVRO"
    if kind != "AVRO":
        return errors.INVALID_SCHEMA.refuse(
            reason=f"Invalid schema type {kind}: this registry keeps AVRO only"
        )
    if body.get("references"):
        reason = "Schema references are not supported: write the referenced types out in the schema"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    text = body.get("schema")
    if not isinstance(text, str) or not text.strip():
        return errors.INVALID_SCHEMA.refuse(reason="Empty schema: send the schema as text")
    try:
        return _parse_small(text) if len(text) <= _SMALL else parse_schema(text)
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")


def _is_metadata(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    tags, properties, sensitive = (value.get(key) for key in ("tags", "properties", "sensitive"))
    return (
        (tags is None or (isinstance(tags, Mapping) and all(_is_texts(tag) for tag in tags.values())))
        and (properties is None or (isinstance(properties, Mapping) and _is_texts(list(properties.values()))))
        and (sensitive is None or _is_texts(sensitive))
    )


def _is_rule_set(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    rules: list[object] = []
    for key in _RULE_LISTS:
        part = value.get(key)
        if part is not None and not isinstance(part, list):
            return False
        rules += part or []
    return all(isinstance(rule, Mapping) and isinstance(rule.get("name"), str) for rule in rules)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value <= LARGEST)


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _document(value: object) -> dict[str, Json] | None:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else None
