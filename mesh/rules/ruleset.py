"""The record rules of an event as the `ruleSet` that a Confluent registry serves with its schema.

Clients that know CEL (with Confluent's rule executors) then refuse a bad event before they send it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.rules.cel import expression
from mesh.rules.compilation import place_of
from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import ItemCount, Rule
from mesh.rules.types import Object

#: As a registry serves it: `domainRules` and what else it holds.
RuleSet = Mapping[str, Any]
NAME_LENGTH: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_]+")


def expressions(rules: Sequence[Rule], event: Object) -> tuple[tuple[Rule, str | Inexpressible], ...]:
    """Each rule with its CEL expression, or why it has none; raises DeclarationError as compiling does."""
    most = most_items(rules)
    return tuple((r, expression(r, place_of(r, event), most_items=most.get(r.path))) for r in rules)


def most_items(rules: Sequence[Rule]) -> Mapping[str, int]:
    """How many items the rules allow in each list."""
    found: dict[str, int] = {}
    for rule in rules:
        if rule.severity == "error" and isinstance(rule.check, ItemCount) and rule.check.most is not None:
            found[rule.path] = min(rule.check.most, found.get(rule.path, rule.check.most))
    return found


def normal(found: RuleSet | None) -> dict[str, Any]:
    """What a rule set says: without null, without empty lists and objects, without `disabled: false`.

    Clients and registries add those, each in its own way, and they change nothing.
    """
    stripped = _stripped(found or {})
    return stripped if isinstance(stripped, dict) else {}


def count(found: RuleSet) -> int:
    """How many rules a rule set holds."""
    return sum(len(rules) for rules in normal(found).values() if isinstance(rules, list))


def rule_set(rules: Sequence[Rule], event: Object) -> dict[str, Any]:
    """The `ruleSet` of a schema: what CEL can say of the rules that refuse an event; empty for none."""
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    for rule, found in expressions(rules, event):
        if isinstance(found, Inexpressible) or rule.severity != "error":
            continue
        entries.append(
            {
                "name": _name(rule, taken),
                "doc": rule.sentence,
                "kind": "CONDITION",
                "type": "CEL",
                "mode": "WRITE",
                "expr": found,
                "onFailure": "ERROR",
                "disabled": False,
            }
        )
    return {"domainRules": entries} if entries else {}


def _stripped(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _stripped(item) for key, item in value.items()}
        return {
            key: item
            for key, item in kept.items()
            if item not in (None, [], {}) and not (key == "disabled" and item is False)
        }
    if isinstance(value, list | tuple):
        return [_stripped(item) for item in value]
    return value


def _name(rule: Rule, taken: set[str]) -> str:
    """A name as registries take it: a letter or `_` first, letters, digits, `_` and `-`, 64 at most."""
    plain = _NOT_IN_NAMES.sub("-", rule.name).strip("-")[:NAME_LENGTH] or "rule"
    first = plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"[:NAME_LENGTH]
    found, turn = first, 1
    while found in taken:
        turn += 1
        found = f"{first[: NAME_LENGTH - len(str(turn)) - 1]}-{turn}"
    taken.add(found)
    return found
