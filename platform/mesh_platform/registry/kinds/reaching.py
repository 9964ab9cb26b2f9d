"""Everything that a schema refers to, directly or through others, by the name it is referred to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from mesh import limits
from mesh.schema.refusal import BAD_REFERENCE, OVER_BUDGET, refuse


class Referring(Protocol):
    """A schema that keeps those it refers to."""

    @property
    def text(self) -> str: ...
    @property
    def references(self: Schema) -> Mapping[str, Schema]: ...


Schema = TypeVar("Schema", bound=Referring)


def reached(references: Mapping[str, Schema]) -> dict[str, Schema]:
    """Every schema that references lead to; raises SchemaError when one name means two, or too many do."""
    found: dict[str, Schema] = {}
    seen: set[int] = set()
    waiting = list(references.items())
    while waiting:
        name, schema = waiting.pop()
        if found.setdefault(name, schema).text != schema.text:
            refuse(BAD_REFERENCE, "$", f"the reference {name[:80]!r} leads to two schemas")
        if len(seen) > limits.REACHED_SCHEMAS:
            refuse(OVER_BUDGET, "$", f"the schema reaches more than {limits.REACHED_SCHEMAS:,} others")
        if id(schema) not in seen:
            seen.add(id(schema))
            waiting += schema.references.items()
    return found
