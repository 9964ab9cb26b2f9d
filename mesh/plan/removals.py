"""Steps that remove what is there and no longer declared; planned only where somebody asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from mesh.plan.changes import Change, counted
from mesh.plan.risk import Risk

Kind = Literal["product", "contract", "subject", "topic"]


@dataclass(frozen=True, slots=True)
class Undeclared:
    """Something of this mesh's domains that is there and not declared any more; it is kept."""

    kind: Kind
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Removal(Change):
    """A step that takes something away."""

    @property
    def mark(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class RemoveProduct(Removal):
    """The catalog forgets a product; the control log keeps that it was there."""

    verb: ClassVar[str] = "remove product"


@dataclass(frozen=True, slots=True)
class RemoveContract(Removal):
    """Governance lets go of a retired contract, its topic and its subject."""

    verb: ClassVar[str] = "remove contract"


@dataclass(frozen=True, slots=True)
class DeleteSubject(Removal):
    """The registry no longer lists a subject; ids of its schemas still answer, so kept events can be read."""

    verb: ClassVar[str] = "delete subject"


@dataclass(frozen=True, slots=True)
class DeleteTopic(Removal):
    """A topic and every event in it."""

    verb: ClassVar[str] = "delete topic"
    events: int

    @property
    def detail(self) -> str:
        return f"with {counted(self.events)}"

    @property
    def risk(self) -> Risk:
        return Risk("destroy", self.subject, ("every event in it is deleted, and nothing brings them back",))
