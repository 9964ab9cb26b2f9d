"""A copy of a registry: every version with its id, deleted ones too, and every setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: The scope of settings that hold for the whole registry; `:.eu:` is that of a context.
WHOLE: Final = ""
_DEFAULT_CONTEXT: Final = "."


@dataclass(frozen=True, slots=True)
class Reference:
    """Another version that a schema uses, under the name it uses."""

    name: str
    subject: str
    version: int

    def document(self) -> dict[str, Any]:
        """As a registry writes it."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One version of a subject, with the id that events carry."""

    subject: str
    version: int
    id: int
    text: str
    kind: str = "AVRO"
    references: tuple[Reference, ...] = ()
    metadata: Mapping[str, Any] | None = None
    rule_set: Mapping[str, Any] | None = None
    deleted: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """What names it in its registry."""
        return self.subject, self.version

    @property
    def context(self) -> str:
        """The context of its subject: ids count within it."""
        return context_of(self.subject)

    @property
    def refers_to(self) -> tuple[tuple[str, int], ...]:
        """The places it refers to; a subject without a context is one of its own context."""
        room = "" if self.context == _DEFAULT_CONTEXT else f":{self.context}:"
        return tuple(
            (one.subject if one.subject.startswith(":.") else room + one.subject, one.version)
            for one in self.references
        )

    def body(self) -> dict[str, Any]:
        """What registers it, under its own id and version."""
        found: dict[str, Any] = {
            "schema": self.text,
            "schemaType": self.kind,
            "references": [one.document() for one in self.references],
            "id": self.id,
            "version": self.version,
        }
        if self.metadata is not None:
            found["metadata"] = dict(self.metadata)
        if self.rule_set is not None:
            found["ruleSet"] = dict(self.rule_set)
        return found


@dataclass(frozen=True, slots=True)
class ScopeSettings:
    """What a registry, a context or a subject was set to itself; None where it was not."""

    config: Mapping[str, Any] | None = None
    mode: str | None = None


NO_SETTINGS: Final = ScopeSettings()


@dataclass(frozen=True, slots=True)
class RegistryCopy:
    """Everything of one registry at one time."""

    versions: tuple[SchemaVersion, ...] = ()
    settings: Mapping[str, ScopeSettings] = field(default_factory=dict)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject that has versions or settings, sorted."""
        scopes = (name for name in self.settings if not is_wide(name))
        return tuple(sorted({*(version.subject for version in self.versions), *scopes}))


def context_of(subject: str) -> str:
    """The context a subject is in."""
    return subject[1:].partition(":")[0] if subject.startswith(":.") else _DEFAULT_CONTEXT


def is_wide(scope: str) -> bool:
    """Whether a scope is the registry or a context rather than a subject."""
    return scope == WHOLE or (scope.startswith(":.") and scope.endswith(":") and scope.count(":") == 2)


def version_of(document: Mapping[str, Any], *, subject: str | None = None, deleted: bool) -> SchemaVersion:
    """A version from a registry's answer or a file. Raises KeyError, TypeError, ValueError."""
    text, kind = document["schema"], document.get("schemaType") or "AVRO"
    if not isinstance(text, str) or not isinstance(kind, str):
        raise TypeError("a schema and its type are text")
    return SchemaVersion(
        subject=str(document["subject"]) if subject is None else subject,
        version=int(document["version"]),
        id=int(document["id"]),
        text=text,
        kind=kind,
        references=tuple(
            Reference(str(one["name"]), str(one["subject"]), int(one["version"]))
            for one in document.get("references") or ()
        ),
        metadata=_object(document.get("metadata")),
        rule_set=_object(document.get("ruleSet")),
        deleted=deleted,
    )


def _object(value: Any) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise TypeError("metadata and rule sets are objects")
    return value
