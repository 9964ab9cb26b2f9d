"""Rule sets that travel with a schema: read, merged and judged, so that clients can run what they are given.

A rule is `{name, doc, kind, mode, type, tags, params, expr, onSuccess, onFailure, disabled}`. Spelled one
way: defaults written out, nothing empty, tags in order. (Confluent's data contracts: "Rules".)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mesh.schema.strict_json import Json
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Document

_MIGRATION: Final = ("UPGRADE", "DOWNGRADE", "UPDOWN")
_DOMAIN: Final = ("WRITE", "READ", "WRITEREAD")
#: The lists of a rule set, with the modes that their rules may have.
_LISTS: Final = {"migrationRules": _MIGRATION, "domainRules": _DOMAIN, "encodingRules": _DOMAIN}
#: The modes that act twice: an action for each is written `NONE,ERROR`.
_PAIRED: Final = ("UPDOWN", "WRITEREAD")
_KINDS: Final = ("TRANSFORM", "CONDITION")
_TEXTS: Final = ("name", "doc", "kind", "mode", "type", "expr", "onSuccess", "onFailure")
_ACTIONS: Final = ("onSuccess", "onFailure")
_DEFAULTS: Final[Document] = {"kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}
_NAME: Final = re.compile(r"[^\W\d][\w-]{0,63}")


def read_rule_set(value: object) -> Document | Refusal | None:
    """A rule set as posted, spelled one way; None when absent, 42210 when its shape is not that of one."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return _refused("it is an object of lists of rules")
    found: dict[str, Json] = {}
    for key in _LISTS:
        listed = _given(value, key, [])
        if not isinstance(listed, list):
            return _refused(f"{key} is a list of rules")
        rules: list[Json] = []
        for one in listed:
            rule = _read_rule(one)
            if isinstance(rule, Refusal):
                return rule
            rules.append(rule)
        if rules:
            found[key] = rules
    enable_at = value.get("enableAt")
    if not isinstance(enable_at, str | None):
        return _refused("enableAt is text")
    return found | ({"enableAt": enable_at} if enable_at else {})


def merged(below: Document | None, above: Document | None) -> Document | None:
    """Both, list by list; of two rules with one name that of `above` counts."""
    if below is None or above is None:
        return below if above is None else above
    found: dict[str, Json] = {}
    for key in _LISTS:
        names = {_text(rule, "name") for rule in _rules(above, key)}
        kept = [rule for rule in _rules(below, key) if _text(rule, "name") not in names]
        if rules := [*kept, *_rules(above, key)]:
            found[key] = list[Json](rules)
    enable_at = above.get("enableAt") or below.get("enableAt")
    return found | ({"enableAt": enable_at} if enable_at else {})


def without(rule_set: Document | None, names: set[str]) -> Document | None:
    """A rule set less the rules of these names."""
    found = dict(rule_set or {})
    for key in _LISTS:
        rules = [rule for rule in _rules(found, key) if _text(rule, "name") not in names]
        found.pop(key, None)
        if rules:
            found[key] = list[Json](rules)
    return None if rule_set is None else found


def invalid(rule_set: Document | None) -> Refusal | None:
    """42210 when a rule's name, type, mode, kind or action cannot be, or two rules share a name."""
    names: set[str] = set()
    for key, modes in _LISTS.items():
        for rule in _rules(rule_set or {}, key):
            name = _text(rule, "name")
            if name in names:
                return _refused(f"Found rule with duplicate name '{name}'")
            names.add(name)
            if problem := _problem(rule, name, key, modes):
                return _refused(problem)
    return None


def _problem(rule: Document, name: str, key: str, modes: tuple[str, ...]) -> str | None:
    if not name:
        return "Missing rule name"
    if not _NAME.fullmatch(name):
        return (
            f"Illegal rule name '{name[:80]}': a letter or _ comes first, then letters, digits, _ and -, "
            "64 at most"
        )
    if not _text(rule, "type"):
        return f"Missing rule type of '{name}'"
    if _text(rule, "kind") not in _KINDS:
        return f"The kind of '{name}' can only be {', '.join(_KINDS)}"
    if _text(rule, "mode") not in modes:
        return f"The mode of '{name}', one of the {key}, can only be {', '.join(modes)}"
    for action in _ACTIONS:
        actions = _text(rule, action).split(",")
        if len(actions) > (2 if _text(rule, "mode") in _PAIRED else 1):
            return f"{action} of '{name}' has too many actions: two are for {' and '.join(_PAIRED)} only"
    return None


def _read_rule(value: object) -> dict[str, Json] | Refusal:
    if not isinstance(value, Mapping):
        return _refused("a rule is an object")
    rule: dict[str, Json] = dict(_DEFAULTS)
    for key in _TEXTS:
        text = value.get(key)
        if not isinstance(text, str | None):
            return _refused(f"{key} of a rule is text")
        if text:
            rule[key] = text
    tags, params = _given(value, "tags", []), _given(value, "params", {})
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        return _refused("tags of a rule are a list of text")
    if not (isinstance(params, Mapping) and all(isinstance(text, str) for text in params.values())):
        return _refused("params of a rule are text by name")
    disabled = _given(value, "disabled", default=False)
    if not isinstance(disabled, bool):
        return _refused("disabled of a rule is true or false")
    rule["disabled"] = disabled
    if tags:
        rule["tags"] = list[Json](sorted(set(tags)))
    if params:
        rule["params"] = dict(params)
    return rule


def _given(value: Mapping[str, object], key: str, default: object) -> object:
    part = value.get(key)
    return default if part is None else part


def _rules(rule_set: Document, key: str) -> list[dict[str, Json]]:
    part = rule_set.get(key)
    return [rule for rule in part if isinstance(rule, dict)] if isinstance(part, list) else []


def _text(rule: Document, key: str) -> str:
    text = rule.get(key)
    return text if isinstance(text, str) else ""


def _refused(reason: str) -> Refusal:
    return errors.INVALID_RULE_SET.refuse(reason=f"Invalid rule set: {reason}")
