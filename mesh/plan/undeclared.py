"""What is there under the domains of a declaration and not declared any more: shown, and kept."""

from __future__ import annotations

from collections.abc import Iterator

from mesh import naming
from mesh.declaration import Declaration
from mesh.plan.actual import Actual
from mesh.plan.changes import counted
from mesh.plan.removals import Undeclared
from mesh.plan.scope import scope_of
from mesh.plan.subjects import schemas


def undeclared(desired: Declaration, actual: Actual) -> Iterator[Undeclared]:
    """Products, contracts, subjects and topics that the world holds and the declaration does not name."""
    scope = scope_of(desired)
    for name in sorted(set(actual.products) - scope.products):
        yield Undeclared("product", name)
    for name in sorted(set(actual.contracts) - scope.contracts):
        yield Undeclared("contract", name, f"version {actual.contracts[name].version}")
    for name in sorted(set(actual.subjects) - scope.subjects):
        yield Undeclared("subject", name, f"with {schemas(len(actual.subjects[name].versions))}")
    for name in sorted(set(actual.topics) - scope.topics):
        events = actual.soundings.events.get(name)
        yield Undeclared("topic", name, "" if events is None else f"with {counted(events)}")


def contract_behind(name: str) -> str:
    """The contract whose topic, dead-letter topic or subject this is."""
    return name.removesuffix(naming.VALUE_SUFFIX).removesuffix(naming.DEAD_LETTER_SUFFIX)
