"""A contract of every kind of property with a rule each, and events that come near every edge."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.agreement.drawing import Options
from tests.agreement.kinds import FIXED, KINDS


@dataclass(frozen=True, slots=True)
class Case:
    """Properties of many types with a rule each, and which kind of property each is."""

    kinds: Mapping[str, str]
    properties: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]


def case(seed: int, rules: int, values: int) -> Case:
    """Every kind of property with the rules and values at its edges, and so many drawn ones more."""
    made = random.Random(seed)
    kinds: dict[str, str] = {}
    properties: list[Mapping[str, Any]] = []
    columns: dict[str, list[Any]] = {}
    for number, (kind, (base, drawn_rules, edges, draw)) in enumerate(KINDS.items()):
        options = [dict(one) for one in FIXED.get(kind, ())] + [drawn_rules(made) for _ in range(rules)]
        some = [*edges, *[draw(made) for _ in range(values)]]
        for turn, one in enumerate(options):
            name = f"x{number}_{turn}"
            kinds[name] = kind
            properties.append(_property(name, base, one))
            columns[name] = some
    length = max(map(len, columns.values()))
    padded = {name: some + [None] * (length - len(some)) for name, some in columns.items()}
    rows = [{name: some[row] for name, some in padded.items()} for row in range(length)]
    return Case(kinds, tuple(properties), tuple(rows))


def _property(name: str, base: Mapping[str, Any], drawn: Options) -> dict[str, Any]:
    """A property of the base type; the drawn rule goes to `inside` it where the base says so."""
    made: dict[str, Any] = {"name": name, **_copied(base)}
    place: Any = made
    options = dict(drawn)
    for step in options.pop("inside", made.pop("inside", ())):
        place = place[step]
    for key in ("required", "enum", "quality"):
        if key in options:
            place[key] = options.pop(key)
    if options:
        place["logicalTypeOptions"] = {**place.get("logicalTypeOptions", {}), **options}
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value
