"""Every property of a contract, at any depth, with its dotted name and its place in the document.

`address.street` is a property of an object, `tags[]` what a list holds, `attributes{}` what a map maps
to and `attributes{key}` from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mesh.contract.yaml import Path


class Element(NamedTuple):
    """One property as written."""

    name: str  #: dotted, within its schema object
    path: Path
    item: Mapping[str, Any]


class SchemaObject(NamedTuple):
    """One schema object as written."""

    name: str
    path: Path
    item: Mapping[str, Any]

    def elements(self) -> Iterator[Element]:
        """Its properties at every depth, parents first."""
        yield from _listed(self.item, self.path, "")


def schema_objects(data: Mapping[str, Any]) -> Iterator[SchemaObject]:
    """The schema objects of a document that holds by its standard."""
    for index, item in enumerate(data.get("schema") or []):
        yield SchemaObject(str(item.get("name", "")), ("schema", index), item)


def inner(item: Mapping[str, Any], path: Path, name: str) -> Iterator[Element]:
    """What stands directly inside a property: its properties, its items, its map's key and value."""
    yield from _children(item, path, f"{name}.")
    if isinstance(item.get("items"), Mapping):
        yield Element(f"{name}[]", (*path, "items"), item["items"])
    pair = item.get("map")
    if isinstance(pair, Mapping):
        for part, mark in (("key", "{key}"), ("value", "{}")):
            if isinstance(pair.get(part), Mapping):
                yield Element(f"{name}{mark}", (*path, "map", part), pair[part])


def _children(item: Mapping[str, Any], path: Path, prefix: str) -> Iterator[Element]:
    for index, child in enumerate(item.get("properties") or []):
        yield Element(f"{prefix}{child.get('name', '')}", (*path, "properties", index), child)


def _listed(item: Mapping[str, Any], path: Path, prefix: str) -> Iterator[Element]:
    for child in _children(item, path, prefix):
        yield from _whole(child)


def _whole(element: Element) -> Iterator[Element]:
    yield element
    for child in inner(element.item, element.path, element.name):
        yield from _whole(child)
