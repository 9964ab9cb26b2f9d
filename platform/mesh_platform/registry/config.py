"""The configuration of the registry, of a context or of a subject: every field, read and answered.

Fields: compatibility (GET spells it `compatibilityLevel`), alias, normalize, validateFields,
validateNewSchemas, validateRules, compatibilityGroup, compatibilityPolicy, default and override metadata
and rule sets. (Confluent's REST interface: "Config".)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final

from mesh.compatibility import Level
from mesh.errors import UsageError
from mesh_platform.registry import errors, rule_sets
from mesh_platform.registry.contexts import subject_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.metadata import read_metadata
from mesh_platform.registry.model import Answer, Document

#: LENIENT would call changes of JSON Schema compatible that are not proven to be.
_POLICY: Final = "STRICT"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one scope; None means not set here."""

    level: Level | None = None
    alias: str | None = None
    normalize: bool | None = None
    validate_fields: bool | None = None
    validate_new_schemas: bool | None = None
    validate_rules: bool | None = None
    group: str | None = None
    policy: str | None = None
    default_metadata: Document | None = None
    override_metadata: Document | None = None
    default_rule_set: Document | None = None
    override_rule_set: Document | None = None

    def over(self, below: Config) -> Config:
        """These settings, and those of `below` where there are none."""
        own: dict[str, Any] = {part.name: getattr(self, part.name) for part in fields(self)}
        return replace(below, **{name: value for name, value in own.items() if value is not None})

    def answer(self, level_key: str) -> dict[str, Answer]:
        """As JSON; GET spells the level `compatibilityLevel`, PUT `compatibility`."""
        found: dict[str, Answer] = {}
        for key, (name, _) in FIELDS.items():
            value = getattr(self, name)
            if value is not None:
                found[level_key if name == "level" else key] = value
        return found


DEFAULT: Final = Config(level=Level.BACKWARD)


def changed_config(now: Config, body: Mapping[str, object]) -> Config | Refusal:
    """The settings after a PUT: absent fields stay, null removes; 42203 and 42210 for what does not hold."""
    changes: dict[str, Any] = {}
    for key, (name, read) in FIELDS.items():
        if key in body:
            value = None if body[key] is None else read(key, body[key])
            if isinstance(value, Refusal):
                return value
            changes[name] = value
    return replace(now, **changes)


def _level(_key: str, value: object) -> Level | Refusal:
    try:
        return Level.parse(str(value))
    except UsageError:
        return _refused(f"Invalid compatibility level. Valid values are {', '.join(Level)}")


def _flag(key: str, value: object) -> bool | Refusal:
    return value if isinstance(value, bool) else _refused(f"{key} is true or false")


def _true(key: str, value: object) -> bool | Refusal:
    flag = _flag(key, value)
    return _refused(f"{key} cannot be false: new schemas are always validated") if flag is False else flag


def _text(key: str, value: object) -> str | Refusal | None:
    return (value or None) if isinstance(value, str) else _refused(f"{key} is text")


def _alias(key: str, value: object) -> str | Refusal | None:
    text = _text(key, value)
    return subject_name(text) if isinstance(text, str) else text


def _policy(_key: str, value: object) -> str | Refusal:
    if str(value).upper() == _POLICY:
        return _POLICY
    return _refused(f"Invalid compatibility policy: {_POLICY} is the only one of this registry")


def _metadata(key: str, value: object) -> Document | Refusal | None:
    found = read_metadata(value)
    return _refused(f"{key}: {found.message}") if isinstance(found, Refusal) else found


def _rule_set(_key: str, value: object) -> Document | Refusal | None:
    found = rule_sets.read_rule_set(value)
    return found if isinstance(found, Refusal) else rule_sets.invalid(found) or found


def _refused(reason: str) -> Refusal:
    return errors.INVALID_COMPATIBILITY.refuse(reason=reason)


_Read = Callable[[str, object], object]
#: Every field as JSON names it (the level's second name before its first, which wins): where it is, how read.
FIELDS: Final[Mapping[str, tuple[str, _Read]]] = MappingProxyType(
    {
        "compatibilityLevel": ("level", _level),
        "compatibility": ("level", _level),
        "alias": ("alias", _alias),
        "normalize": ("normalize", _flag),
        "validateFields": ("validate_fields", _flag),
        "validateNewSchemas": ("validate_new_schemas", _true),
        "validateRules": ("validate_rules", _flag),
        "compatibilityGroup": ("group", _text),
        "compatibilityPolicy": ("policy", _policy),
        "defaultMetadata": ("default_metadata", _metadata),
        "overrideMetadata": ("override_metadata", _metadata),
        "defaultRuleSet": ("default_rule_set", _rule_set),
        "overrideRuleSet": ("override_rule_set", _rule_set),
    }
)
