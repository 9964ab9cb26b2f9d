"""A plan: every change in the order it is carried out, and the world it was made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from mesh.declaration import Declaration
from mesh.plan.changes import Blocked, Change
from mesh.plan.removals import Undeclared
from mesh.plan.risk import Risk
from mesh.plan.scope import Scope


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change. `kept` is there and not declared, `notes` say what could not be planned."""

    changes: tuple[Change, ...]
    base: str
    scope: Scope = field(default_factory=Scope)
    declaration: str = ""  #: the hash of what was declared
    kept: tuple[Undeclared, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What stops the plan."""
        return tuple(change for change in self.changes if isinstance(change, Blocked))

    @property
    def risks(self) -> tuple[Risk, ...]:
        """What needs more than a plain yes."""
        return tuple(change.risk for change in self.changes if change.risk is not None)


def declaration_hash(desired: Declaration) -> str:
    """The same for the same texts, in whatever order and files they stand."""
    contracts = {f"contract {name}": c.sha256 for name, c in desired.contracts.items()}
    products = {f"product {name}": text_hash(p.document.text) for name, p in desired.products.items()}
    lines = (f"{name} {digest}\n" for name, digest in sorted((contracts | products).items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a declaration's text, as governance and catalog hold it."""
    return hashlib.sha256(text.encode()).hexdigest()
