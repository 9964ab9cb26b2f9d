"""Whether a schema may follow those of a subject, and the reasons in the words clients know."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.compatibility import Level
from mesh.errors import SchemaError
from mesh_platform.registry import errors, kinds
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Content, Version
from mesh_platform.registry.parsing import read, understood
from mesh_platform.registry.subjects import Subjects


def reasons(
    subjects: Subjects, subject: str, content: Content, versions: Sequence[Version], level: Level
) -> list[str] | Refusal:
    """What keeps `content` from following `versions` (oldest first); empty when nothing does."""
    if level is Level.NONE or not versions:
        return []
    compared = versions if level.transitive else versions[-1:]
    new, earlier = understood(subjects, subject, content), []
    if isinstance(new, Refusal):
        return new
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
        f"{{validateFields: 'false', compatibility: '{level}'}}",
    ]


def comparable(content: Content, versions: Sequence[Version], group: str | None) -> list[Version]:
    """The live versions a new one is compared with: all, or those with the same value of `group`."""
    live = [version for version in versions if not version.deleted]
    if group is None:
        return live
    mine = _property(content, group)
    return [version for version in live if _property(version.content, group) == mine]


def _reason(problem: kinds.Reason) -> str:
    return (
        f"{{errorType:'{problem.type}', description:'{problem.explanation} At {problem.path}; "
        f"next: {problem.fix}.', additionalInfo:'{problem.message}'}}"
    )


def _property(content: Content, name: str) -> object:
    properties = (content.metadata or {}).get("properties")
    return properties.get(name) if isinstance(properties, dict) else None
