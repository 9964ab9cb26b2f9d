"""What a policy looks at: a contract, a product or a change, with the facts that mesh adds to its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mesh.contract import durations
from mesh.contract.yaml import Document, Path
from mesh.errors import Location
from mesh.policy.paths import Node

Kind = Literal["contract", "product", "change"]
KINDS: tuple[Kind, ...] = ("contract", "product", "change")
#: name → (whether it names many nodes, what it is)
FACTS: Mapping[str, tuple[bool, str]] = {
    "subject": (False, "the name: a contract's id, a product's `<domain>.<product>`"),
    "properties": (True, "every property of the schema, nested ones, items and map values too"),
    "retention": (False, "how long the topic keeps events: the custom property `retention`, else the SLA"),
    "previous": (False, "the contract of the major version before, when it is declared"),
    "products": (True, "the names of the products that offer the contract"),
    "bump": (False, "of a change: how far the version rises: major, minor, patch, none or backwards"),
    "needed": (False, "of a change: how far it must rise: major, minor, patch or none"),
}
FACT_NAMES = {name: many for name, (many, _) in FACTS.items()}


class Milliseconds(int):
    """A span of time; negative is for ever. As text it reads as people say it."""

    def __str__(self) -> str:
        return durations.words(int(self))


@dataclass(frozen=True)
class Subject:
    """One declaration, or one change of a contract, as policies see it.

    `data` is the document as plain dicts and lists; of a change `{"old": …, "new": …, "changes": […]}`.
    """

    kind: Kind
    name: str
    data: Mapping[str, Any]
    locate: Callable[..., Location] = field(repr=False)  #: of a path's parts: where that stands
    products: tuple[str, ...] = ()  #: those that offer the contract; of a product, itself
    types: tuple[str, ...] = ()  #: of those products
    previous: Document | None = field(default=None, repr=False)
    needed: str = ""  #: of a change: how far its version must rise
    note: str = ""  #: what tells it from others of its name, such as the review that a change is from

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"{self.name} ({self.note})" if self.note else self.name

    @property
    def declared(self) -> Mapping[str, Any]:
        """The declaration that scopes look at: of a change the new text."""
        found = self.data.get("new") if self.kind == "change" else self.data
        return found if isinstance(found, dict) else {}

    @cached_property
    def domain(self) -> str:
        """Who owns it."""
        return str(self.declared.get("domain", ""))

    @cached_property
    def status(self) -> str:
        """Proposed, draft, active, deprecated or retired."""
        return str(self.declared.get("status") or "draft")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """As declared."""
        found = self.declared.get("tags")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    def fact(self, name: str) -> Any:
        """The value of `$name`; None when it has none here."""
        match name:
            case "subject":
                return self.name
            case "retention":
                return self._retention[1]
            case "previous":
                return self.previous.data if self.previous is not None else None
            case "bump":
                return self._bump
            case "needed":
                return self.needed or None
        return None

    def fact_is_many(self, name: str) -> bool:
        """Whether `$name` names many nodes."""
        return FACT_NAMES[name]

    def facts_of(self, name: str) -> Sequence[Node]:
        """The nodes of `$name`."""
        if name == "properties":
            return self._properties
        return [((), product) for product in self.products]

    def fact_place(self, name: str) -> Path:
        """Where people see what `$name` is made from."""
        if name == "retention":
            return self._retention[0]
        if name in ("bump", "needed", "previous", "subject"):
            return (*self._top, "version")
        return self._top

    @property
    def _top(self) -> Path:
        return ("new",) if self.kind == "change" else ()

    @cached_property
    def _properties(self) -> tuple[Node, ...]:
        schema = self.declared.get("schema")
        items = enumerate(schema) if isinstance(schema, list) else ()
        return tuple(
            node
            for index, entry in items
            if isinstance(entry, dict)
            for node in _nested(entry.get("properties"), (*self._top, "schema", index, "properties"))
        )

    @cached_property
    def _retention(self) -> tuple[Path, Milliseconds | None]:
        top, schema = self._top, self.declared.get("schema")
        first = schema[0] if isinstance(schema, list) and schema and isinstance(schema[0], dict) else {}
        for index, entry in _entries(first.get("customProperties")):
            if entry.get("property") == "retention":
                ms = durations.milliseconds(entry.get("value"))
                place = (*top, "schema", 0, "customProperties", index, "value")
                return place, None if ms is None else Milliseconds(ms)
        for index, entry in _entries(self.declared.get("slaProperties")):
            if str(entry.get("property")).lower() in ("retention", "re"):
                ms = durations.from_unit(entry.get("value"), str(entry.get("unit") or ""))
                return (*top, "slaProperties", index, "value"), Milliseconds(ms)
        return (*top, "slaProperties"), None

    @cached_property
    def _bump(self) -> str | None:
        if self.kind != "change":
            return None
        before, after = _version(self.data.get("old")), _version(self.data.get("new"))
        if before is None or after is None:
            return None
        if before == after:
            return "none"
        if after < before:
            return "backwards"
        place = next(index for index in range(3) if before[index] != after[index])
        return ("major", "minor", "patch")[place]


def _version(data: Any) -> tuple[int, ...] | None:
    text = str(data.get("version", "")).removeprefix("v") if isinstance(data, dict) else ""
    parts = text.split(".")
    return (
        tuple(map(int, parts))
        if len(parts) == 3 and all(p.isdecimal() and len(p) < 10 for p in parts)
        else None
    )


def _entries(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(value, list):
        yield from ((i, item) for i, item in enumerate(value) if isinstance(item, dict))


def _nested(properties: Any, path: Path) -> Iterator[Node]:
    for index, item in _entries(properties):
        yield from _whole((*path, index), item)


def _whole(path: Path, item: dict[str, Any]) -> Iterator[Node]:
    yield path, item
    if "properties" in item:
        yield from _nested(item["properties"], (*path, "properties"))
    inner = item.get("items")
    if isinstance(inner, dict):
        yield from _inside(inner, (*path, "items"))
    value = item.get("map")
    if isinstance(value, dict) and isinstance(value.get("value"), dict):
        yield from _inside(value["value"], (*path, "map", "value"))


def _inside(item: dict[str, Any], path: Path) -> Iterator[Node]:
    """What a list or a map holds has no name of its own; what stands in it has."""
    for found in _whole(path, item):
        if found[1] is not item:
            yield found
