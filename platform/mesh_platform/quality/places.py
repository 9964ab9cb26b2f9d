"""Properties, values and patterns as a rule may use them; what cannot be is an Obstacle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import re2

from mesh import limits
from mesh.contract.model import Contract
from mesh.rules.model import ITEMS, VALUES


class Obstacle(Exception):
    """Why a rule cannot be measured over windows."""


@dataclass(frozen=True, slots=True)
class Place:
    """A property by its path, dotted inside nested objects."""

    path: str
    logical_type: str

    @property
    def in_time(self) -> bool:
        """Whether its values are dates or points in time."""
        return self.logical_type in ("date", "timestamp")


def require_property(contract: Contract, path: str | None) -> Place:
    """The property of that path; raises Obstacle when there is none."""
    if path is None:
        raise Obstacle("the rule stands on the whole schema and needs a property")
    if ITEMS in path or VALUES in path:
        raise Obstacle(f"{path} has many values in one event, and a window has one value per event")
    properties, found = contract.properties, None
    for name in path.split("."):
        found = next((p for p in properties if p.name == name), None)
        if found is None:
            raise Obstacle(f"the contract has no property {path!r}")
        properties = found.properties
    assert found is not None  # a split text has at least one part
    return Place(path, found.logical_type)


def possible_values(place: Place, values: Iterable[Any]) -> list[Any]:
    """Values that the property can have, in their order: true and false are no numbers."""
    boolean = place.logical_type == "boolean"
    return [value for value in values if isinstance(value, bool) == boolean]


def re2_accepts(pattern: object) -> str:
    """The pattern; raises Obstacle for one that RE2 does not take, because only RE2 runs in linear time."""
    if not isinstance(pattern, str) or len(pattern) > limits.PATTERN_LENGTH:
        raise Obstacle(f"a pattern is text of at most {limits.PATTERN_LENGTH:,} characters")
    _compiled(pattern)
    return pattern


def valid_texts(pattern: str, values: list[Any]) -> list[Any]:
    """The values in which the pattern occurs."""
    search = _compiled(pattern).search
    return [value for value in values if search(str(value)) is not None]


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise Obstacle(f"RE2 does not take the pattern {pattern!r}: {reason}") from None
