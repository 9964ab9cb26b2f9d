"""From a policy file to a Policy: every problem with line, column, and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from mesh.contract.yaml import Document, read
from mesh.errors import DeclarationError
from mesh.naming import is_slug
from mesh.policy.conditions import Always, Condition
from mesh.policy.forms import Forms
from mesh.policy.grammar import condition, path_of
from mesh.policy.messages import Message
from mesh.policy.model import Case, Exemption, Policy, Rule, Scope
from mesh.policy.rules import Requirement
from mesh.policy.subject import KINDS

SUFFIX = ".policy.yaml"
API_VERSION = "mesh/v1"
KEYS = (
    "apiVersion",
    "kind",
    "name",
    "title",
    "description",
    "severity",
    "appliesTo",
    "enabled",
    "scope",
    "when",
    "forEach",
    "where",
    "require",
    "rego",
    "python",
    "message",
    "fix",
    "links",
    "grace",
    "exemptions",
    "lists",
    "tests",
)
_SEVERITIES = ("error", "warning", "info")
_EXPECTED = ("passes", "fails", "unknown")
_SCOPE = ("domains", "products", "tags", "types", "statuses")
_RULES = ("require", "rego", "python")

#: Makes the rule that `rego: …` or `python: …` names; raises DeclarationError.
Foreign = Callable[[str, str], Rule]


def name_in(document: Document) -> str:
    """The name a policy file gives; empty when it gives none."""
    found = document.data.get("name") if isinstance(document.data, dict) else None
    return found if isinstance(found, str) else ""


def read_policy(raw: bytes, file: str, foreign: Foreign, base: Mapping[str, Any] | None = None) -> Policy:
    """Read one policy file; raises DeclarationError whose `findings` name every problem.

    With a `base`, the policy of the same name that is in force already, the file needs only what differs.
    """
    return policy_of(read(raw, file), foreign, base or {})


def policy_of(document: Document, foreign: Foreign, base: Mapping[str, Any]) -> Policy:
    """The policy that a document declares; raises DeclarationError."""
    forms = Forms(document)
    if not isinstance(document.data, dict):
        forms.refuse(
            (), "the file holds no policy", "a mapping is expected at the top", "see docs/guides/policies.md"
        )
        raise forms.error()
    own = {key: value for key, value in document.data.items() if value is not None}
    forms.known_keys(own, KEYS, ())
    # Another rule takes the place of the base's, and of what belongs to it.
    kept = dict(base)
    if any(key in own for key in _RULES):
        kept = {
            key: value
            for key, value in kept.items()
            if key not in (*_RULES, "when", "forEach", "where", "message")
        }
    data = {**kept, **own}
    if isinstance(base.get("lists"), dict) and isinstance(own.get("lists"), dict):
        data["lists"] = {**base["lists"], **own["lists"]}
    forms.choice(own, "apiVersion", (API_VERSION,), (), required=True)
    forms.choice(own, "kind", ("Policy",), (), required=True)
    name = forms.text(data, "name", (), required=True)
    if name and not is_slug(name):
        why = "lower case letters, digits and hyphens, 2 to 63, beginning with a letter"
        forms.refuse(("name",), f"name is {name!r}", why, "write name: as-a-slug", code="MESH-C164")
    applies_to = forms.choices(data, "appliesTo", KINDS, (), required=True)
    lists = _lists(data, forms)
    rule = _rule(data, forms, lists, foreign)
    policy = Policy(
        name=name,
        title=forms.text(data, "title", (), required=True),
        description=forms.text(data, "description", (), required=True),
        severity=forms.choice(data, "severity", _SEVERITIES, (), required=True),
        applies_to=applies_to,
        rule=rule,
        scope=_scope(data, forms),
        enabled=forms.boolean(data, "enabled", (), default=True),
        fix=forms.text(data, "fix", ()),
        links=forms.texts(data, "links", ()),
        grace=forms.day(data, "grace", ()),
        exemptions=tuple(_exemptions(data, forms)),
        cases=tuple(_cases(data, forms, applies_to)),
        where=document.at("name"),
        text=json.dumps(data, sort_keys=True, ensure_ascii=False) + rule.text,
    )
    if forms.found:
        raise forms.error()
    return policy


def _rule(
    data: Mapping[str, Any], forms: Forms, lists: Mapping[str, Sequence[str]], foreign: Foreign
) -> Rule:
    named = [key for key in _RULES if key in data]
    if len(named) != 1:
        forms.refuse(
            (named[1],) if named else (),
            "a policy has one rule" + (f", found {' and '.join(named)}" if named else ""),
            "it requires conditions, or names a Rego module or a Python policy",
            "write one of: require, rego, python",
        )
        return _nothing()
    if named != ["require"]:
        key = named[0]
        for other in ("when", "forEach", "where", "message"):
            if other in data:
                why = f"the rule is {key}, which decides and speaks for itself"
                forms.refuse(
                    (other,), f"{other} has no meaning here", why, f"remove {other}, or write require"
                )
        text = forms.text(data, key, (), required=True)
        if not text:
            return _nothing()
        try:
            return foreign(key, text)
        except DeclarationError as error:
            forms.take(error, (key,))
            return _nothing()
    message = forms.text(data, "message", (), required=True)
    return Requirement(
        when=_condition(data, "when", forms, lists),
        for_each=path_of(data["forEach"], ("forEach",), forms, many=True) if "forEach" in data else None,
        where=_condition(data, "where", forms, lists),
        require=condition(data["require"], ("require",), forms, lists),
        message=Message.parse(message, forms),
        fix=forms.text(data, "fix", ()),
    )


def _nothing() -> Rule:
    return Requirement(
        when=Always(), for_each=None, where=Always(), require=Always(), message=Message(()), fix=""
    )


def _condition(
    data: Mapping[str, Any], key: str, forms: Forms, lists: Mapping[str, Sequence[str]]
) -> Condition:
    if key == "where" and key in data and "forEach" not in data:
        forms.refuse(
            (key,), "where without forEach", "it chooses among the nodes of forEach", "write when instead"
        )
    return condition(data[key], (key,), forms, lists) if key in data else Always()


def _lists(data: Mapping[str, Any], forms: Forms) -> dict[str, Sequence[str]]:
    found = forms.mapping(data, "lists", ())
    return {str(name): forms.texts(found, name, ("lists",)) for name in found}


def _scope(data: Mapping[str, Any], forms: Forms) -> Scope:
    found = forms.mapping(data, "scope", ())
    forms.known_keys(found, _SCOPE, ("scope",))
    return Scope(**{key: forms.texts(found, key, ("scope",)) for key in _SCOPE})


def _exemptions(data: Mapping[str, Any], forms: Forms) -> list[Exemption]:
    made = []
    for path, entry in forms.entries(data, "exemptions"):
        forms.known_keys(entry, ("subject", "reason", "expires"), path)
        subject, reason = (forms.text(entry, key, path, required=True) for key in ("subject", "reason"))
        expires = forms.day(entry, "expires", path, required=True)
        made.append(Exemption(subject=subject, reason=reason, expires=expires or date.min))
    return made


def _cases(data: Mapping[str, Any], forms: Forms, applies_to: Sequence[Any]) -> list[Case]:
    made = []
    for path, entry in forms.entries(data, "tests"):
        forms.known_keys(entry, ("name", "given", "expect", "as", "today", "previous"), path)
        kind = forms.choice(entry, "as", tuple(applies_to) or KINDS, path)
        made.append(
            Case(
                name=forms.text(entry, "name", path, required=True),
                given=forms.mapping(entry, "given", path, required=True),
                expect=forms.choice(entry, "expect", _EXPECTED, path, required=True),
                kind=kind or (applies_to[0] if applies_to else KINDS[0]),
                today=forms.day(entry, "today", path),
                previous=forms.mapping(entry, "previous", path) if "previous" in entry else None,
                where=forms.document.at(*path),
            )
        )
    return made
