"""What a finding is known by when lines move: its code, file and the names on the way to its place."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.contract.yaml import Document, Path, read
from mesh.errors import DeclarationError, Finding, Location

_NAMES = ("id", "name", "property", "username", "channel", "server")
# `schema.0.properties.3`: a message counts items from the top of a list, and so changes with what is above.
_INDEX = re.compile(r"(?<=[\w\]])\.\d+(?=\.|\b)")


def fingerprints(findings: Sequence[Finding], sources: Mapping[str, str]) -> list[str]:
    """A short hash for each finding, in their order; equal findings are told apart by their number."""
    trees: dict[str, _Tree] = {}
    seen: Counter[str] = Counter()
    marks = []
    for finding in findings:
        parts = [finding.code, _file(finding), _place(finding, sources, trees), _steady(finding.message)]
        text = "\0".join(parts)
        seen[text] += 1
        raw = f"{text}\0{seen[text]}".encode(errors="surrogateescape")
        marks.append(hashlib.sha256(raw).hexdigest()[:16])
    return marks


class _Tree:
    """Where each node of a document stands, turned round: from the place to names that stay."""

    def __init__(self, document: Document | None) -> None:
        self._data = document.data if document else None
        self._paths: dict[tuple[int, int], Path] = {}
        for path, place in (document.positions if document else {}).items():
            self._paths.setdefault(place, path)

    def names(self, where: Location) -> str:
        """The way to a place, with items of lists by their names."""
        data, words = self._data, []
        for part in self._paths.get((where.line, where.column), ()):
            data = _inside(data, part)
            words.append(_named(data) if isinstance(part, int) else part)
        return "/".join(words)


def _inside(data: Any, part: Any) -> Any:
    return data[part] if isinstance(data, dict | list) else None


def _named(item: Any) -> str:
    if isinstance(item, Mapping):
        return next((str(item[key]) for key in _NAMES if key in item), "*")
    return str(item) if isinstance(item, str | int) else "*"


def _place(finding: Finding, sources: Mapping[str, str], trees: dict[str, _Tree]) -> str:
    where = finding.where
    if not isinstance(where, Location) or where.file not in sources:
        return ""
    if where.file not in trees:
        trees[where.file] = _Tree(_read(where.file, sources[where.file]))
    return trees[where.file].names(where)


def _read(file: str, text: str) -> Document | None:
    try:
        return read(text.encode(errors="surrogateescape"), file)
    except DeclarationError:
        return None


def _file(finding: Finding) -> str:
    return finding.where.file if isinstance(finding.where, Location) else str(finding.where)


def _steady(message: str) -> str:
    return _INDEX.sub(".*", message)
