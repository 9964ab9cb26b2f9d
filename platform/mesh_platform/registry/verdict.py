"""Whether a schema may follow those of a subject, and the reasons in the words clients know."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.compatibility import Incompatibility, Level, check
from mesh.errors import SchemaError
from mesh_platform.registry import errors
from mesh_platform.registry.config import Config
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.metadata import property_of, reserved
from mesh_platform.registry.model import Content, Version
from mesh_platform.registry.parsing import avro, top_fields


def judged(config: Config, content: Content, versions: Sequence[Version]) -> list[str] | Refusal:
    """What keeps `content` from following `versions` (live ones, oldest first); empty when nothing does."""
    level = config.level or Level.BACKWARD
    try:
        found = [*_reserved(config, content, versions), *_reasons(config, content, versions, level)]
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")
    validated = str(config.validate_fields is True).lower()
    return [*found, f"{{validateFields: '{validated}', compatibility: '{level}'}}"] if found else []


def _reasons(config: Config, content: Content, versions: Sequence[Version], level: Level) -> list[str]:
    """Against the group of the content only, where there are groups."""
    if config.group is not None:
        mine = property_of(content.metadata, config.group)
        versions = [one for one in versions if property_of(one.content.metadata, config.group) == mine]
    found = check(avro(content), [avro(version.content) for version in versions], level)
    if not found:
        return []
    against = versions[found[0].against]
    return [
        *(_reason(problem) for problem in found if problem.against == found[0].against),
        f"{{oldSchemaVersion: {against.version}}}",
        f"{{oldSchema: '{against.content.text}'}}",
    ]


def _reserved(config: Config, content: Content, versions: Sequence[Version]) -> list[str]:
    """Reserved fields are not used, and stay reserved: a rule of its own, at every level."""
    if not config.validate_fields:
        return []
    kept = reserved(content.metadata)
    before = reserved(versions[-1].content.metadata) if versions else frozenset()
    removed = (
        "{errorType:'RESERVED_FIELD_REMOVED', description:'The new schema has reserved field "
        f"{name} removed from its metadata which is present in the old schema's metadata.', "
        f"additionalInfo:'{name}'}}"
        for name in sorted(before - kept)
    )
    used = (
        "{errorType:'FIELD_CONFLICTS_WITH_RESERVED_FIELD', description:'The new schema has field that "
        f"conflicts with the reserved field {name}.', additionalInfo:'{name}'}}"
        for name in sorted(kept & top_fields(content))
    )
    return [*removed, *used]


def _reason(problem: Incompatibility) -> str:
    return (
        f"{{errorType:'{problem.type}', description:'{problem.explanation} At {problem.path}; "
        f"next: {problem.fix}.', additionalInfo:'{problem.message}'}}"
    )
