"""The steps a plan is made of. A `Change` says what is to happen, never what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from mesh.plan.access import Grant
from mesh.plan.risk import Risk
from mesh.rules.ruleset import RuleSet, count
from mesh.schema import AvroSchema


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan."""

    verb: ClassVar[str]
    subject: str

    @property
    def mark(self) -> str:
        """`+` makes something, `~` changes it, `-` removes it, `!` may lose events, `✗` will not be done."""
        return "!" if self.risk else "+"

    @property
    def detail(self) -> str:
        """What exactly, for people."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know before they say yes."""
        return self.risk.why if self.risk else ()

    @property
    def risk(self) -> Risk | None:
        """What may be lost by it, and whose consent it needs; None when plain consent will do."""
        return None


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
    """A product that the catalog does not know, or knows with another hash, `known`."""

    verb: ClassVar[str] = "declare product"
    file: str
    text: str = field(repr=False)
    known: str = ""

    @property
    def mark(self) -> str:
        return "~" if self.known else "+"

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
class TakeOver(Change):
    """A topic or subject that is not empty and no contract of the mesh owns: somebody else's, perhaps."""

    verb: ClassVar[str] = "take over"
    holds: str

    @property
    def detail(self) -> str:
        return f"it exists and holds {self.holds}"

    @property
    def risk(self) -> Risk:
        why = "no contract of this mesh has owned it: what it holds may be another owner's, and other in kind"
        return Risk("adopt", self.subject, (why,))


@dataclass(frozen=True, slots=True)
class AlterTopic(Change):
    """Settings that differ; `before` and `after` hold only those, `losses` says what would be lost."""

    verb: ClassVar[str] = "alter topic"
    before: Mapping[str, str]
    after: Mapping[str, str]
    losses: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        return "!" if self.losses else "~"

    @property
    def detail(self) -> str:
        return ", ".join(
            f"{key}: {self.before.get(key, 'unset')} → {value}" for key, value in self.after.items()
        )

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.losses, *self.hints)

    @property
    def risk(self) -> Risk | None:
        return Risk("lossy", self.subject, self.losses) if self.losses else None


@dataclass(frozen=True, slots=True)
class AddPartitions(Change):
    """More partitions; existing keys keep their events where they are."""

    verb: ClassVar[str] = "add partitions"
    before: int
    after: int

    @property
    def mark(self) -> str:
        return "~"

    @property
    def detail(self) -> str:
        return f"{self.before} → {self.after}"

    @property
    def notes(self) -> tuple[str, ...]:
        return ("events of one key may go to another partition from now on; their order across it ends",)


@dataclass(frozen=True, slots=True)
class SetCompatibility(Change):
    """The level that the registry holds a subject to."""

    verb: ClassVar[str] = "set compatibility"
    before: str | None
    after: str

    @property
    def mark(self) -> str:
        return "~" if self.before else "+"

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
class RegisterSchemaAndRules(RegisterSchema):
    """A schema with the rules that its clients check, together as the registry does not hold them."""

    verb: ClassVar[str] = "register schema and rules"
    rule_set: RuleSet = field(repr=False)

    @property
    def detail(self) -> str:
        return f"{self.schema.fullname}, {rules(count(self.rule_set))} for its clients"


@dataclass(frozen=True, slots=True)
class GrantAccess(Change):
    """Something a domain may do and the cluster does not allow yet."""

    verb: ClassVar[str] = "grant"
    grant: Grant

    @property
    def detail(self) -> str:
        return str(self.grant)


@dataclass(frozen=True, slots=True)
class Blocked(Change):
    """What the declaration wants and the mesh will not do; the whole plan stops here."""

    verb: ClassVar[str] = "blocked"
    what: str
    why: str
    fix: str

    @property
    def mark(self) -> str:
        return "✗"

    @property
    def detail(self) -> str:
        return f"{self.what}: {self.why}"


def rules(number: int) -> str:
    """A number of rules, for people."""
    return f"{number or 'no'} rule{'' if number == 1 else 's'}"


def counted(events: int) -> str:
    """A number of events, for people."""
    return "1 event" if events == 1 else f"{events:,} events"
