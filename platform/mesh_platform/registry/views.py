"""Stored schemas as the JSON that clients read."""

from __future__ import annotations

from datetime import datetime

from mesh_platform.registry.model import Answer, Content, Version


def content_answer(content: Content) -> dict[str, Answer]:
    """A schema by id."""
    found: dict[str, Answer] = {
        "schema": content.text,
        "schemaType": content.kind.value,
        "guid": content.guid,
    }
    if content.references:
        found["references"] = [reference.answer() for reference in content.references]
    if content.metadata is not None:
        found["metadata"] = dict(content.metadata)
    if content.rule_set is not None:
        found["ruleSet"] = dict(content.rule_set)
    return found


def version_answer(version: Version) -> dict[str, Answer]:
    """A schema as a version of a subject."""
    found: dict[str, Answer] = {"subject": version.subject, "id": version.id, "version": version.version}
    found.update(content_answer(version.content))
    found["ts"] = round(datetime.fromisoformat(version.time).timestamp() * 1000)
    if version.deleted:
        found["deleted"] = True
    return found
