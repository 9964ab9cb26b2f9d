"""What records led to, as JSON and back: an answer that was given once is given again after a restart."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from mesh_platform.governance.state import ApprovedVersion, DeclaredProduct, Proposal, Refused, Subscription
from mesh_platform.registry.errors import Refusal

_KINDS: Final = {
    kind.__name__: kind
    for kind in (Refusal, Refused, ApprovedVersion, DeclaredProduct, Proposal, Subscription)
}


def written(outcome: object) -> list[Any]:
    """An outcome as JSON: the name of its kind, and its facts; an answer that is JSON stands for itself."""
    name = type(outcome).__name__
    if name not in _KINDS:
        return ["", outcome]
    return [name, {one.name: getattr(outcome, one.name) for one in fields(_KINDS[name])}]


def read(found: list[Any]) -> object:
    """The outcome that was written; raises KeyError, TypeError, ValueError for what is none."""
    name, facts = found
    if not name:
        return facts
    if name == Subscription.__name__:
        facts = facts | {"fields": tuple(facts["fields"])}
    return _KINDS[name](**facts)
