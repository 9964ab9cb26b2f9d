"""Compatibility and modes: for the whole registry, and for single subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mesh.compatibility import Level
from mesh.errors import UsageError
from mesh_platform.registry import errors
from mesh_platform.registry.contexts import context_of
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Answer

#: Settings that would change what is accepted, and that this registry does not carry out.
_UNSUPPORTED = (
    "alias",
    "validateFields",
    "validateNewSchemas",
    "validateRules",
    "compatibilityPolicy",
    "defaultMetadata",
    "overrideMetadata",
    "defaultRuleSet",
    "overrideRuleSet",
)


class Mode(StrEnum):
    """What clients may do; a subject's mode wins over the registry's, except over READONLY_OVERRIDE."""

    READWRITE = "READWRITE"
    READONLY = "READONLY"
    READONLY_OVERRIDE = "READONLY_OVERRIDE"
    IMPORT = "IMPORT"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of a subject or of the registry; None means not set here."""

    level: Level | None = None
    normalize: bool | None = None
    group: str | None = None

    def answer(self, level_key: str) -> dict[str, Answer]:
        """As JSON; GET spells the level `compatibilityLevel`, PUT `compatibility`."""
        found: dict[str, Answer] = {
            level_key: self.level.value if self.level else None,
            "normalize": self.normalize,
            "compatibilityGroup": self.group,
        }
        return {key: value for key, value in found.items() if value is not None}


DEFAULT = Config(level=Level.BACKWARD)


@dataclass
class Settings:
    """The settings the log has led to so far."""

    config: Config = DEFAULT
    configs: dict[str, Config] = field(default_factory=dict)
    mode: Mode = Mode.READWRITE
    modes: dict[str, Mode] = field(default_factory=dict)

    def effective(self, subject: str) -> Config:
        """A subject's settings, those of the registry where it has none."""
        own = self.configs.get(subject, Config())
        return Config(
            level=own.level or self.config.level or Level.BACKWARD,
            normalize=own.normalize if own.normalize is not None else self.config.normalize,
            group=own.group or self.config.group,
        )

    def effective_mode(self, subject: str) -> Mode:
        """The mode a subject is in."""
        if self.mode is Mode.READONLY_OVERRIDE:
            return self.mode
        return self.modes.get(subject, self.mode)

    def forget(self, subject: str) -> None:
        """Drop what was set for a subject that is gone."""
        self.configs.pop(subject, None)
        self.modes.pop(subject, None)


def changed_config(now: Config, body: Mapping[str, object]) -> Config | Refusal:
    """The settings after a PUT: absent fields stay, null removes; 42203 for what does not hold."""
    for key in _UNSUPPORTED:
        if body.get(key):
            return errors.INVALID_COMPATIBILITY.refuse(
                reason=f"The setting {key} is not supported by this registry"
            )
    config = now
    if "compatibility" in body:
        level = _level(body["compatibility"])
        if isinstance(level, Refusal):
            return level
        config = replace(config, level=level)
    if "normalize" in body:
        normalize = body["normalize"]
        config = replace(config, normalize=normalize if isinstance(normalize, bool) else None)
    if "compatibilityGroup" in body:
        group = body["compatibilityGroup"]
        config = replace(config, group=group if isinstance(group, str) and group else None)
    return config


def read_mode(value: object) -> Mode | Refusal:
    """A mode in any case, or 42204."""
    try:
        return Mode(str(value).upper())
    except ValueError:
        return errors.INVALID_MODE.refuse(modes=", ".join(Mode))


def _level(value: object) -> Level | Refusal | None:
    if value is None:
        return None
    try:
        return Level.parse(str(value))
    except UsageError:
        reason = f"Invalid compatibility level. Valid values are {', '.join(Level)}"
        return errors.INVALID_COMPATIBILITY.refuse(reason=reason)


def read_only(subject: str, mode: Mode) -> Refusal | None:
    """42205 when the mode forbids changes."""
    if mode in (Mode.READONLY, Mode.READONLY_OVERRIDE):
        reason = f"Subject {subject} in context {context_of(subject)} is in read-only mode"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    return None
