"""Stable ids: unique in their list, and of characters that a reference can name (MESH-C083)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

# What ODCS 3.2.0 calls a StableId; its schema does not ask it of every `id`.
_STABLE = re.compile(r"[^\s.#/\\@!%&^]+\Z")
#: Below these keys stands what the standard does not shape, or an `id` that names a contract.
_FREE = {
    "value",
    "valueExt",
    "implementation",
    "arguments",
    "examples",
    "inputContracts",
    "mustBe",
    "mustNotBe",
}


def findings(document: Document) -> Iterator[Finding]:
    """MESH-C083 for every id that stands twice in a list, or that no reference could name."""
    yield from _inside(document, document.data, ())


def _inside(document: Document, node: Any, path: Path) -> Iterator[Finding]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in _FREE and isinstance(value, dict | list):
                yield from _inside(document, value, (*path, key))
    elif isinstance(node, list):
        first: dict[str, int] = {}
        for index, item in enumerate(node):
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str):
                yield from _problem(document, name, (*path, index, "id"), first.get(name))
                first.setdefault(name, index)
            yield from _inside(document, item, (*path, index))


def _problem(document: Document, name: str, path: Path, before: int | None) -> Iterator[Finding]:
    where = document.at(*path)
    if before is not None:
        line = document.at(*path[:-2], before, "id").line
        yield Finding(
            code="MESH-C083",
            message=f"the id {name!r} stands twice in {path[-3]}",
            where=where,
            why=f"a stable id names one element of its list; the first is on line {line}",
            fix="give one of them an id of its own",
        )
    elif not _STABLE.match(name):
        yield Finding(
            code="MESH-C083",
            message=f"the id {name[:80]!r} cannot be named by a reference",
            where=where,
            why="a stable id holds no white space and none of . # / \\ @ ! % & ^",
            fix="write it with letters, digits, hyphens and underscores",
        )
