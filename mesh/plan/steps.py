"""Steps as JSON and back: each verb with exactly its arguments, each argument of exactly its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from mesh.plan.access import Grant
from mesh.plan.changes import (
    AddPartitions,
    AlterTopic,
    Blocked,
    Change,
    CreateTopic,
    DeclareContract,
    DeclareProduct,
    DeclareRefinedContract,
    GrantAccess,
    RegisterSchema,
    RegisterSchemaAndRules,
    SetCompatibility,
    TakeOver,
)
from mesh.plan.removals import DeleteSubject, DeleteTopic, RemoveContract, RemoveProduct
from mesh.schema import AvroSchema, parse_schema

KINDS: Final[Mapping[str, type[Change]]] = {
    kind.verb: kind
    for kind in (
        DeclareContract,
        DeclareRefinedContract,
        DeclareProduct,
        CreateTopic,
        TakeOver,
        AlterTopic,
        AddPartitions,
        GrantAccess,
        SetCompatibility,
        RegisterSchema,
        RegisterSchemaAndRules,
        Blocked,
        RemoveProduct,
        RemoveContract,
        DeleteSubject,
        DeleteTopic,
    )
}


def step_arguments(change: Change) -> dict[str, Any]:
    """What a step holds beside its subject."""
    return {f.name: _plain(getattr(change, f.name)) for f in fields(change) if f.name != "subject"}


def step_of(verb: str, subject: str, arguments: Mapping[str, Any]) -> Change:
    """The step of a verb; raises ValueError, TypeError or SchemaError for what no step holds."""
    kind = KINDS.get(verb)
    if kind is None:
        raise ValueError(f"no step is called {verb[:40]!r}")
    wanted = {field.name: str(field.type) for field in fields(kind) if field.name != "subject"}
    if set(arguments) != set(wanted):
        raise ValueError(f"{verb} does not hold {', '.join(sorted(set(arguments) ^ set(wanted)))}")
    return kind(subject, **{name: _READERS[wanted[name]](arguments[name]) for name in wanted})


def _plain(value: Any) -> Any:
    match value:
        case AvroSchema():
            return value.text
        case Grant():
            return asdict(value)
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.40} is not a count")
    return value


def _settings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} is not a set of settings")
    return {_text(key): _text(item) for key, item in value.items()}


def _rules(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} is not a rule set")
    return value


def _sentences(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.40} is not a list")
    return tuple(map(_text, value))


def _grant(value: Any) -> Grant:
    if not isinstance(value, dict) or set(value) != {field.name for field in fields(Grant)}:
        raise TypeError(f"{value!r:.40} is not a grant")
    if value["operation"] not in ("read", "write") or value["resource"] not in ("topic", "group"):
        raise ValueError("a grant is to read or write a topic or group")
    if value["pattern"] not in ("literal", "prefixed"):
        raise ValueError("a grant's pattern is literal or prefixed")
    return Grant(**{key: _text(item) for key, item in value.items()})  # type: ignore[arg-type]


#: By the type as the step's class spells it.
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _text,
    "str | None": _text_or_none,
    "int": _number,
    "Mapping[str, str]": _settings,
    "tuple[str, ...]": _sentences,
    "AvroSchema": lambda value: parse_schema(_text(value)),
    "Grant": _grant,
    "RuleSet": _rules,
}
