"""Configuration and modes in force: a subject's own, else its context's, else those of the registry.

A context's scope is written as the subject without a name in it, `:.eu:`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from mesh_platform.registry import errors
from mesh_platform.registry.config import DEFAULT, Config
from mesh_platform.registry.contexts import DEFAULT as DEFAULT_CONTEXT
from mesh_platform.registry.contexts import context_of, inside
from mesh_platform.registry.errors import Refusal


class Mode(StrEnum):
    """What clients may do; a subject's mode wins over the registry's, except over READONLY_OVERRIDE."""

    READWRITE = "READWRITE"
    READONLY = "READONLY"
    READONLY_OVERRIDE = "READONLY_OVERRIDE"
    IMPORT = "IMPORT"
    FORWARD = "FORWARD"

    @property
    def takes_ids(self) -> bool:
        """Whether schemas come from another registry, which gave them their ids."""
        return self in (Mode.IMPORT, Mode.FORWARD)


@dataclass
class Settings:
    """The settings the log has led to so far; those of the registry always have a level."""

    config: Config = DEFAULT
    configs: dict[str, Config] = field(default_factory=dict)
    mode: Mode = Mode.READWRITE
    modes: dict[str, Mode] = field(default_factory=dict)

    def effective(self, subject: str) -> Config:
        """A subject's settings, field by field those of its context or the registry where it has none."""
        found = self.config
        for scope in scopes(subject):
            if scope in self.configs:
                found = self.configs[scope].over(found)
        return found

    def effective_mode(self, subject: str) -> Mode:
        """The mode a subject is in."""
        found = self.mode
        for scope in scopes(subject):
            if found is Mode.READONLY_OVERRIDE:
                return found
            found = self.modes.get(scope, found)
        return found

    def target(self, subject: str) -> str:
        """The subject that is meant by a name: another where the name is an alias. Aliases do not chain."""
        own = self.configs.get(subject)
        return subject if own is None or own.alias is None else own.alias

    def aliases(self) -> dict[str, list[str]]:
        """The names that mean each subject which has any."""
        found: dict[str, list[str]] = {}
        for name, config in sorted(self.configs.items()):
            if config.alias is not None:
                found.setdefault(config.alias, []).append(name)
        return found

    def forget(self, subject: str) -> None:
        """Drop what was set for a subject that is gone."""
        self.configs.pop(subject, None)
        self.modes.pop(subject, None)


def scopes(subject: str) -> Iterator[str]:
    """The scopes that may set something for a subject, the outermost first; the registry's is not named."""
    context = context_of(subject)
    if context != DEFAULT_CONTEXT:
        yield inside(context, "")
    yield subject


def read_mode(value: object) -> Mode | Refusal:
    """A mode in any case, or 42204."""
    try:
        return Mode(str(value).upper())
    except ValueError:
        return errors.INVALID_MODE.refuse(modes=", ".join(Mode))


def read_only(subject: str, mode: Mode) -> Refusal | None:
    """42205 when the mode forbids changes."""
    if mode in (Mode.READONLY, Mode.READONLY_OVERRIDE):
        reason = f"Subject {subject} in context {context_of(subject)} is in read-only mode"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    return None
