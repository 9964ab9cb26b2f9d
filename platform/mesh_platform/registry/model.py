"""What the registry knows, as values; what it needs from outside, as protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mesh.schema.strict_json import Json
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.fingerprint import guid_bytes, identity_of, uuid_text
from mesh_platform.registry.kinds import Kind

if TYPE_CHECKING:
    from mesh_platform.registry.config import Config
    from mesh_platform.registry.warrant import Warrant

Answer = Json
Outcome = Refusal | Answer
Document = Mapping[str, Json]


class Record(Protocol):
    """One record of the control log."""

    @property
    def offset(self) -> int: ...
    @property
    def time(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """Another schema that a schema uses, under the name it uses; `subject` as the client wrote it."""

    name: str
    subject: str
    version: int

    def answer(self) -> dict[str, Answer]:
        """As JSON."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class Content:
    """A schema with what travels with it: what one id stands for.

    `text` is spelled one way for equal schemas. Nothing is parsed to hold it: a hundred thousand
    contents cost their texts.
    """

    kind: Kind
    text: str
    references: tuple[Reference, ...] = ()
    metadata: Document | None = None
    rule_set: Document | None = None

    @property
    def identity(self) -> bytes:
        """Equal for equal content, and only then."""
        references = [reference.answer() for reference in self.references]
        return identity_of(self.text, self.kind, references, self.metadata, self.rule_set)

    @property
    def guid_key(self) -> bytes:
        """`guid` as bytes."""
        references = ((one.name, one.subject, one.version) for one in self.references)
        return guid_bytes(self.text, references, self.metadata, self.rule_set)

    @property
    def guid(self) -> str:
        """The content's name everywhere, whatever its subject, id or context."""
        return uuid_text(self.guid_key)


@dataclass(frozen=True, slots=True)
class Version:
    """A schema's place in a subject; versions count from 1, ids are those of the subject's context."""

    subject: str
    version: int
    id: int
    content: Content
    time: str
    deleted: bool = False


class Gate(Protocol):
    """Decides which schemas a subject may take, from nothing but what the log said before."""

    def check(self, subject: str, content: Content, warrant: Warrant) -> str | None:
        """None when the content may be registered, else a message with the contract and the next command."""
        ...

    def deletion(self, subject: str, warrant: Warrant, *, permanent: bool) -> str | None:
        """None when schemas of the subject may be deleted, else why not."""
        ...

    def settings(self, subject: str | None, before: Config, after: Config, warrant: Warrant) -> str | None:
        """None when the settings may change so; without a subject they are those of the registry."""
        ...


class OpenGate:
    """The gate of a registry that guards no contracts."""

    def check(self, subject: str, content: Content, warrant: Warrant) -> str | None:  # noqa: ARG002
        return None

    def deletion(self, subject: str, warrant: Warrant, *, permanent: bool) -> str | None:  # noqa: ARG002
        return None

    def settings(self, subject: str | None, before: Config, after: Config, warrant: Warrant) -> str | None:  # noqa: ARG002
        return None
