"""Which versions a request wants to see, and whole lists of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request

from mesh_platform.registry.http import flag
from mesh_platform.registry.model import Content, Version
from mesh_platform.registry.paths import prefixed
from mesh_platform.registry.subjects import Subjects

_RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")


def visible(request: Request, versions: Sequence[Version]) -> list[Version]:
    """The live versions; with `deleted` all of them, with `deletedOnly` the others."""
    # Official Python clients spell it `deleted_only`.
    if flag(request, "deletedOnly", "deleted_only"):
        return [version for version in versions if version.deleted]
    everything = flag(request, "deleted")
    return [version for version in versions if everything or not version.deleted]


def listed(request: Request, subjects: Subjects) -> Iterator[Version]:
    """The versions that GET /schemas is about, of every subject or of those with a prefix."""
    types = set(request.query_params.getlist("ruleType"))
    for name in prefixed(request, subjects.names()):
        versions = visible(request, subjects.versions(name))
        wanted = versions[-1:] if flag(request, "latestOnly") else versions
        yield from (version for version in wanted if not types or types & _rule_types(version.content))


def _rule_types(content: Content) -> set[str]:
    parts = ((content.rule_set or {}).get(part) for part in _RULE_LISTS)
    rules = (rule for part in parts if isinstance(part, list) for rule in part if isinstance(rule, dict))
    return {str(rule.get("type")) for rule in rules}
