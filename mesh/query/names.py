"""Which product a table of a query means.

`operations.departures` is the product of that name. SQL knows no hyphen in names, and product names know no
underscore, so `operations.route_delays` and `operations."route-delays"` both mean `operations.route-delays`.
A contract's id is one quoted name: `"operations.departures.v1"` or `operations."departures.v1"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mesh.errors import QueryError

#: What a compacted product's table is called when all of its retained events are meant.
EVENTS: Final = "$events"
_HYPHENED: Final = re.compile(r"\b([a-z][a-z0-9_-]*)\.([a-z][a-z0-9]*(?:-[a-z0-9]+)+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a query spells it."""

    table: str
    schema: str = ""
    catalog: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.table) if part)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product, or a contract by its id, and whether every retained event of a compacted one is meant."""

    product: str
    every_event: bool


def wanted(name: TableName) -> Wanted:
    """What a table means; raises QueryError (MESH-Q002) for a name that cannot be a product's."""
    if name.catalog:
        raise _no_product(name, f'write {name.catalog}."{name.schema}.{name.table}"')
    spelled = str(name).casefold().replace("_", "-")
    product = spelled.removesuffix(EVENTS)
    if "." not in product:
        raise _no_product(name, f"write <domain>.{product}")
    return Wanted(product, product != spelled)


def quoting_hint(query: str, position: int) -> str:
    """How to mend a query that stops being SQL at `position`, as far as names may be the reason."""
    hyphened = _HYPHENED.search(query)
    if hyphened:
        domain, product = hyphened.groups()
        return f'write {domain}.{product.replace("-", "_")}, or {domain}."{product}"'
    before = re.search(r"(\w+)\s*$", query[:position])
    if before:
        return f'correct it; if {before[1]} is a name, quote it: "{before[1]}"'
    return "correct the query"


def _no_product(name: TableName, fix: str) -> QueryError:
    return QueryError(
        f"{name} names no product",
        code="MESH-Q002",
        where=str(name),
        why="a table is <domain>.<product>, or a contract's id as one quoted name",
        fix=fix,
    )
