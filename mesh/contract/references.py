"""Relationships: what `to` and `from` name exists, here or in another file of the mesh (MESH-C080…C082).

Three ways to name a property (ODCS 3.2.0, References): `schema.property` by names, by stable ids as
`schema/<id>/properties/<id>`, and either of them after `other-file.yaml#`. What is behind a URL is not
looked at.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mesh.contract.elements import schema_objects
from mesh.contract.suggestion import nearest
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding, Location

#: Dotted names share their beginning, so that more has to be alike.
_NEAR = 0.85
_WHY = "a relationship names a property by schema.property, or schema/<id>/properties/<id> over stable ids"


class Reference(NamedTuple):
    """One reference of a document; `file` is empty when it stays inside."""

    path: Path
    file: str
    target: str


class Targets(NamedTuple):
    """What a document offers to references."""

    names: frozenset[str]
    ids: frozenset[str]

    def have(self, target: str) -> bool:
        """Whether a reference finds something."""
        return target in self.names or target.strip("/") in self.ids

    def near(self, target: str) -> str:
        """The target it was probably meant to be."""
        if "/" not in target:
            whole = next((name for name in sorted(self.names) if name.endswith(f".{target}")), "")
            return whole or nearest(target, sorted(self.names), _NEAR)
        return nearest(target, sorted(self.ids), _NEAR)


def targets(data: Mapping[str, Any]) -> Targets:
    """The names and the ids of a document's schema objects and properties, nested ones with their parents."""
    names: set[str] = set()
    ids: set[str] = set()

    def add(item: Mapping[str, Any], name: str, identity: str) -> None:
        names.add(name)
        if identity:
            ids.add(identity)
        for child in _held(item):
            own = child.get("id") if identity else None
            add(child, f"{name}.{child.get('name', '')}", f"{identity}/properties/{own}" if own else "")

    for schema in schema_objects(data):
        own = schema.item.get("id")
        add(schema.item, schema.name, f"schema/{own}" if own else "")
    return Targets(frozenset(names), frozenset(ids))


def _held(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The properties of an object, or of the objects that a list or a map holds."""
    yield from item.get("properties") or []
    for holder in (item.get("items"), (item.get("map") or {}).get("value")):
        if isinstance(holder, Mapping):
            yield from _held(holder)


def references(document: Document) -> Iterator[Reference]:
    """Every reference of a document's relationships, with the file it leads to."""
    for schema in schema_objects(document.data):
        for index, relation in enumerate(schema.item.get("relationships") or []):
            here = (*schema.path, "relationships", index)
            for key in ("from", "to"):
                yield from _named(document.file, relation.get(key), (*here, key))
        for element in schema.elements():
            for index, relation in enumerate(element.item.get("relationships") or []):
                yield from _named(
                    document.file, relation.get("to"), (*element.path, "relationships", index, "to")
                )


def findings(document: Document) -> Iterator[Finding]:
    """MESH-C080 and C082 for what can be told from the document alone."""
    known: Targets | None = None
    for reference in references(document):
        if not reference.file:
            known = known or targets(document.data)
            if not known.have(reference.target):
                yield missing(reference.target, document.at(*reference.path), known, "")
    for schema in schema_objects(document.data):
        for index, relation in enumerate(schema.item.get("relationships") or []):
            start, end = relation.get("from"), relation.get("to")
            if isinstance(start, list) and isinstance(end, list) and len(start) != len(end):
                yield Finding(
                    code="MESH-C082",
                    message=f"from names {len(start)} properties, to names {len(end)}",
                    where=document.at(*schema.path, "relationships", index, "to"),
                    why="a composite key is compared part by part",
                    fix="name as many properties in to as in from",
                )


def abroad(document: Document) -> Iterator[Reference]:
    """The references into other files that a mesh could hold; those behind a URL are left out."""
    for reference in references(document):
        if reference.file and "://" not in reference.file:
            yield reference


def missing(target: str, where: Location, known: Targets, file: str) -> Finding:
    """MESH-C080: a reference that finds nothing in the document it leads to."""
    near = known.near(target)
    return Finding(
        code="MESH-C080",
        message=f"{file or 'this contract'} has no {target!r}"
        + (f"; did you mean {near!r}?" if near else ""),
        where=where,
        why=_WHY,
        fix="correct the reference, or give the property that name or id",
    )


def _named(file: str, value: Any, path: Path) -> Iterator[Reference]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(file, item, (*path, index))
    elif isinstance(value, str):
        place, mark, target = value.rpartition("#")
        if mark and "://" not in place:
            place = posixpath.normpath(posixpath.join(posixpath.dirname(file), place))
        yield Reference(path, place, target)
