"""The steps a plan is made of. A `Change` says what is to happen, never what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mesh.schema import AvroSchema

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan."""

    verb: ClassVar[str]
    subject: str

    @property
    def detail(self) -> str:
        """What exactly, for people."""
        return ""


@dataclass(frozen=True, slots=True)
class DeclareContract(Change):
    """A contract that governance does not know yet: nobody reads it, so its first version is accepted."""

    verb: ClassVar[str] = "declare contract"
    version: str
    file: str
    text: str = field(repr=False)

    @property
    def detail(self) -> str:
        return f"version {self.version}, from {self.file}"


@dataclass(frozen=True, slots=True)
class DeclareRefinedContract(DeclareContract):
    """A contract that governance does not know yet, and the Avro schema beside it."""

    verb: ClassVar[str] = "declare contract and schema"
    avro: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeclareProduct(Change):
    """A product that the catalog does not know, or knows otherwise."""

    verb: ClassVar[str] = "declare product"
    file: str
    text: str = field(repr=False)

    @property
    def detail(self) -> str:
        return f"from {self.file}"


@dataclass(frozen=True, slots=True)
class CreateTopic(Change):
    """A topic that is missing."""

    verb: ClassVar[str] = "create topic"
    partitions: int
    config: Mapping[str, str]

    @property
    def detail(self) -> str:
        settings = ", ".join(f"{key}={value}" for key, value in sorted(self.config.items()))
        return f"{self.partitions} partition{'' if self.partitions == 1 else 's'}, {settings}"


@dataclass(frozen=True, slots=True)
class AlterTopic(Change):
    """Settings that differ; `before` and `after` hold only those."""

    verb: ClassVar[str] = "alter topic"
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def detail(self) -> str:
        return ", ".join(
            f"{key}: {self.before.get(key, 'unset')} → {value}" for key, value in self.after.items()
        )


@dataclass(frozen=True, slots=True)
class AddPartitions(Change):
    """More partitions; existing keys keep their events where they are."""

    verb: ClassVar[str] = "add partitions"
    before: int
    after: int

    @property
    def detail(self) -> str:
        return f"{self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class SetCompatibility(Change):
    """The level that the registry holds a subject to."""

    verb: ClassVar[str] = "set compatibility"
    before: str | None
    after: str

    @property
    def detail(self) -> str:
        return f"{self.before or 'inherited'} → {self.after}"


@dataclass(frozen=True, slots=True)
class RegisterSchema(Change):
    """A schema that the registry does not hold under its subject."""

    verb: ClassVar[str] = "register schema"
    schema: AvroSchema = field(repr=False)

    @property
    def detail(self) -> str:
        return self.schema.fullname


@dataclass(frozen=True, slots=True)
class Blocked(Change):
    """What the declaration wants and the mesh will not do; the whole plan stops here."""

    verb: ClassVar[str] = "blocked"
    what: str
    why: str
    fix: str

    @property
    def detail(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes in the order they are carried out, and the state of the world they were made from."""

    changes: tuple[Change, ...]
    base: str

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What stops the plan."""
        return tuple(change for change in self.changes if isinstance(change, Blocked))

    def to_json(self) -> dict[str, Any]:
        """For machines; minor versions of the format only add."""
        rows = [{"verb": c.verb, "subject": c.subject, "detail": c.detail} for c in self.changes]
        blocked = [{"subject": b.subject, "what": b.what, "why": b.why, "fix": b.fix} for b in self.blocked]
        return {
            "format_version": FORMAT_VERSION,
            "base": self.base,
            "changes": len(self.changes),
            "steps": rows,
            "blocked": blocked,
        }
