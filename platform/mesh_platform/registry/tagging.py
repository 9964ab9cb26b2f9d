"""Changing the tags of a version: a registration of the same schema with other tags, as the next version."""

from __future__ import annotations

from collections.abc import Mapping

from mesh_platform.registry import errors, rule_sets
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Answer, Document, Version
from mesh_platform.registry.tags import read_changes, tagged

_VERSION = "confluent:version"


def tag_registration(
    version: Version, upcoming: int, body: Mapping[str, Answer]
) -> dict[str, Answer] | Refusal:
    """The body of the registration that a request to change tags stands for; 42201 when it is none."""
    add, remove = read_changes(body.get("tagsToAdd")), read_changes(body.get("tagsToRemove"))
    if isinstance(add, Refusal):
        return add
    if isinstance(remove, Refusal):
        return remove
    text, content = tagged(version.content, add, remove), version.content
    if isinstance(text, Refusal):
        return text
    rules = _rules(content.rule_set, body)
    if isinstance(rules, Refusal):
        return rules
    asked = body.get("newVersion")
    number = asked if isinstance(asked, int) and asked > 0 else upcoming
    return {
        "subject": version.subject,
        "schema": text,
        "schemaType": content.kind.value,
        "references": [reference.answer() for reference in content.references],
        "metadata": _numbered(body.get("metadata") or _plain(content.metadata), number),
        "ruleSet": rules,
        "version": number,
    }


def _numbered(metadata: Answer, number: int) -> Answer:
    """The metadata, saying of which version they are: that tells them from those before."""
    if metadata is not None and not isinstance(metadata, dict):
        return metadata
    known = (metadata or {}).get("properties") or {}
    if not isinstance(known, dict):
        return metadata
    return {**(metadata or {}), "properties": {**known, _VERSION: str(number)}}


def _rules(before: Document | None, body: Mapping[str, Answer]) -> Answer | Refusal:
    if body.get("ruleSet") is not None:
        return body["ruleSet"]
    more, gone = rule_sets.read_rule_set(body.get("rulesToMerge")), body.get("rulesToRemove") or []
    if isinstance(more, Refusal):
        return more
    if not isinstance(gone, list):
        return errors.INVALID_RULE_SET.refuse(reason="Invalid rule set: rulesToRemove is a list of names")
    return _plain(rule_sets.without(rule_sets.merged(before, more), {str(name) for name in gone}))


def _plain(document: Document | None) -> Answer:
    return None if document is None else dict(document)
