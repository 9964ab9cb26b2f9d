"""Whether a schema may follow those of a subject, and the reasons in the words clients know."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.compatibility import Level
from mesh.errors import SchemaError
from mesh_platform.registry import errors, kinds
from mesh_platform.registry.config import Config
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.metadata import property_of, reserved
from mesh_platform.registry.model import Content, Version
from mesh_platform.registry.parsing import read, understood
from mesh_platform.registry.subjects import Subjects


def judged(
    subjects: Subjects, subject: str, config: Config, content: Content, versions: Sequence[Version]
) -> list[str] | Refusal:
    """What keeps `content` from following `versions` (live ones, oldest first); empty when nothing does."""
    level, new = config.level or Level.BACKWARD, understood(subjects, subject, content)
    if isinstance(new, Refusal):
        return new
    found = _reasons(subjects, config, content, new, versions, level)
    if isinstance(found, Refusal):
        return found
    found = [*_reserved(config, content, new, versions), *found]
    validated = str(config.validate_fields is True).lower()
    return [*found, f"{{validateFields: '{validated}', compatibility: '{level}'}}"] if found else []


def _reasons(
    subjects: Subjects,
    config: Config,
    content: Content,
    new: kinds.Parsed,
    versions: Sequence[Version],
    level: Level,
) -> list[str] | Refusal:
    """Against the group of the content only, where there are groups."""
    if config.group is not None:
        mine = property_of(content.metadata, config.group)
        versions = [one for one in versions if property_of(one.content.metadata, config.group) == mine]
    if level is Level.NONE:
        return []
    compared, earlier = versions if level.transitive else versions[-1:], []
    for version in compared:
        old = read(subjects, version)
        if isinstance(old, Refusal):
            return old
        earlier.append(old)
    try:
        found = kinds.reasons(new, earlier, level)
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")
    if not found:
        return []
    against = compared[found[0].against]
    return [
        *(_reason(problem) for problem in found if problem.against == found[0].against),
        f"{{oldSchemaVersion: {against.version}}}",
        f"{{oldSchema: '{against.content.text}'}}",
    ]


def _reserved(config: Config, content: Content, new: kinds.Parsed, versions: Sequence[Version]) -> list[str]:
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
        for name in sorted(kept & new.fields)
    )
    return [*removed, *used]


def _reason(problem: kinds.Reason) -> str:
    return (
        f"{{errorType:'{problem.type}', description:'{problem.explanation} At {problem.path}; "
        f"next: {problem.fix}.', additionalInfo:'{problem.message}'}}"
    )
