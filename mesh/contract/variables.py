"""Variables: `${NAME}` and `${NAME:-default}` in any text of a declaration (RFC 0050 of ODCS 3.2.0).

The values come in as a mapping; the edge passes the environment. What is unset or empty takes its
default, and without one is a finding, never an empty text. The document keeps its text: only the data
is resolved. In the query of a quality rule `${table}`, `${column}`, `${object}` and `${property}` are
placeholders, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mesh.contract.quality import PLACEHOLDERS
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def references(document: Document) -> Iterator[tuple[str, Path]]:
    """Each variable of a document with the path of the text it stands in."""
    for path, text in _texts(document.data, ()):
        for match in _VARIABLE.finditer(text):
            if not _placeholder(match, path):
                yield match[1], path


def resolved(document: Document, values: Mapping[str, str]) -> Document:
    """The same document with its variables replaced in the data; what has no value stays as written."""
    if "${" not in document.text:
        return document
    return replace(document, data=_filled(document.data, (), values))


def findings(document: Document, values: Mapping[str, str]) -> Iterator[Finding]:
    """MESH-C095 for each variable without a value: a warning below `servers`, which the mesh does not use."""
    if "${" not in document.text:
        return
    for path, text in _texts(document.data, ()):
        for match in _VARIABLE.finditer(text):
            if _value(match, path, values) is None:
                yield Finding(
                    code="MESH-C095",
                    severity="warning" if path[0] == "servers" else "error",
                    message=f"the variable {match[1]} has no value",
                    where=document.at(*path),
                    why="it is unset or empty and has no default; an empty text would be used in silence",
                    fix=f"export {match[1]}=…, or write ${{{match[1]}:-default}}",
                )


def _texts(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, str):
        if "${" in node:
            yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, (*path, index))


def _filled(node: Any, path: Path, values: Mapping[str, str]) -> Any:
    if isinstance(node, str) and "${" in node:
        return _VARIABLE.sub(lambda match: _written(match, path, values), node)
    if isinstance(node, dict):
        return {key: _filled(value, (*path, key), values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, (*path, index), values) for index, value in enumerate(node)]
    return node


def _written(match: re.Match[str], path: Path, values: Mapping[str, str]) -> str:
    value = _value(match, path, values)
    return match[0] if value is None else value


def _value(match: re.Match[str], path: Path, values: Mapping[str, str]) -> str | None:
    if _placeholder(match, path):
        return match[0]
    return values.get(match[1]) or match[2]


def _placeholder(match: re.Match[str], path: Path) -> bool:
    return path[-1:] == ("query",) and match[2] is None and match[1] in PLACEHOLDERS
