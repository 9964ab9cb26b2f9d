"""YAML read with suspicion: limits before parsing, YAML 1.2 scalars, and a place for every node.

The data is made from the parser's events, because its own constructor crashes on deep nesting and
expands aliases without bound (security S08–S10). Dates stay text, as the standards' schemas demand.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from mesh import limits
from mesh.contract.spans import Span, key_span, value_span
from mesh.errors import DeclarationError, Location

Path = tuple[str | int, ...]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Deepest = limits.YAML_DEPTH

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
# 39 digits hold every 128-bit integer; a longer row of digits stays text, because no number type keeps it.
_INTEGER = re.compile(r"[-+]?[0-9]{1,39}\Z|0o[0-7]{1,42}\Z|0x[0-9a-fA-F]{1,32}\Z")
_FLOAT = re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,3})?|[0-9]+[eE][-+]?[0-9]{1,3})\Z")
# What YAML 1.2 calls c-printable, turned round.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its text byte for byte, its data, and where each value stands."""

    file: str
    text: str
    data: Any
    positions: Mapping[Path, tuple[int, int]] = field(repr=False)
    byte_order_mark: str = ""  #: what stood before `text`; empty in nearly every file

    @property
    def raw(self) -> bytes:
        """The file byte for byte."""
        return (self.byte_order_mark + self.text).encode()

    def at(self, *path: str | int) -> Location:
        """The place of a node: of its key in a mapping, of the item in a list; else of its nearest parent."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return Location(self.file, line, column)

    def span(self, *path: str | int) -> Span | None:
        """The characters of `text` that the value at `path` takes; None when there is no such node."""
        return value_span(self.text, path)

    def key_span(self, *path: str | int) -> Span | None:
        """The characters of `text` that the key at the end of `path` takes; None when it ends with none."""
        return key_span(self.text, path)


def read(raw: bytes, file: str) -> Document:
    """Read one YAML document; raises DeclarationError (MESH-C010…C019) with line and column."""
    if len(raw) > limits.CONTRACT_BYTES:
        raise DeclarationError(
            f"the file has {len(raw):,} bytes; at most {limits.CONTRACT_BYTES:,} are read",
            code="MESH-C010",
            where=Location(file),
            why="a declaration is text for people; larger input is refused before it is parsed",
            fix="split the contract, or move data out of it",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DeclarationError(
            "the file is not UTF-8 text",
            code="MESH-C011",
            where=Location(file, line),
            why=f"byte 0x{raw[error.start]:02x} at position {error.start} starts no UTF-8 character",
            fix="save the file as UTF-8",
        ) from None
    try:
        data, positions = _parsed(text, file)
    except yaml.MarkedYAMLError as error:
        where = _marked(error.problem_mark or error.context_mark, file)
        raise DeclarationError(
            f"this is not YAML: {error.problem or error.context}",
            code="MESH-C012",
            where=where,
            why=error.context or "the parser cannot go on here",
            fix=f"correct the text, then run: mesh check {file}",
        ) from None
    except yaml.reader.ReaderError as error:
        raise DeclarationError(
            "this is not YAML: a character that no text holds",
            code="MESH-C012",
            where=_first_unprintable(text, file),
            why=f"the reader says: {error.reason}",
            fix=f"correct the text, then run: mesh check {file}",
        ) from None
    return Document(file, text, data, positions, "\ufeff" if raw.startswith(codecs.BOM_UTF8) else "")


def _parsed(text: str, file: str) -> tuple[Any, dict[Path, tuple[int, int]]]:
    """The data and its places, from the parser's events; refuses aliases, tags, depth and size on the way."""
    build = _Building(file)
    for count, event in enumerate(yaml.parse(text, Loader=_Loader), start=1):
        mark = event.start_mark
        if count > limits.YAML_EVENTS:
            raise _refused(f"more than {limits.YAML_EVENTS:,} nodes", "MESH-C013", _marked(mark, file))
        if isinstance(event, yaml.ScalarEvent):
            if event.tag is not None:
                raise _refused(f"the tag {event.tag}", "MESH-C019", _marked(mark, file))
            # Quoted and block scalars are text as they stand; only plain ones may be numbers or null.
            build.scalar(event.value, plain_style=not event.style, mark=mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            if event.tag is not None:
                raise _refused(f"the tag {event.tag}", "MESH-C019", _marked(mark, file))
            build.open({} if isinstance(event, yaml.MappingStartEvent) else [], mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            build.close()
        elif isinstance(event, yaml.AliasEvent):
            raise _refused(f"an alias (*{event.anchor})", "MESH-C014", _marked(mark, file))
        elif isinstance(event, yaml.DocumentStartEvent):
            if build.documents:
                raise _refused("a second document in one file", "MESH-C015", _marked(mark, file))
            build.documents += 1
    return build.root, build.positions


class _Building:
    """The data as far as it has been read: the collection that is open, and those around it."""

    def __init__(self, file: str) -> None:
        self.root: Any = None
        self.positions: dict[Path, tuple[int, int]] = {}
        self.documents = 0
        self._file = file
        self._around: list[tuple[Any, Path]] = []
        self._holder: Any = None
        self._path: Path = ()
        self._key: str | None = None  #: of an open mapping, when its value is next

    def scalar(self, text: str, *, plain_style: bool, mark: Any) -> None:
        """A scalar: the next key of an open mapping, or a value."""
        if type(self._holder) is dict and self._key is None:
            if text in self._holder:
                raise DeclarationError(
                    f"the key {text!r} stands twice",
                    code="MESH-C018",
                    where=_marked(mark, self._file),
                    why="one of the two values would be lost in silence",
                    fix="remove one of them",
                )
            self._key = text
            self.positions[(*self._path, text)] = (mark.line + 1, mark.column + 1)
        else:
            self._place(_scalar(text) if plain_style else text, mark)

    def open(self, collection: dict[str, Any] | list[Any], mark: Any) -> None:
        """The start of a mapping or a list."""
        if type(self._holder) is dict and self._key is None:
            raise _refused("a key that is not plain text", "MESH-C017", _marked(mark, self._file))
        if len(self._around) >= _Deepest:
            raise _refused(f"nesting deeper than {_Deepest}", "MESH-C016", _marked(mark, self._file))
        around = (self._holder, self._path)
        path = self._place(collection, mark)
        self._around.append(around)
        self._holder, self._path = collection, path

    def close(self) -> None:
        """The end of the open collection."""
        self._holder, self._path = self._around.pop()
        self._key = None

    def _place(self, value: Any, mark: Any) -> Path:
        holder, path = self._holder, self._path
        if type(holder) is dict and self._key is not None:
            path = (*path, self._key)
            holder[self._key] = value
            self._key = None
            return path
        if type(holder) is list:
            path = (*path, len(holder))
            holder.append(value)
        else:
            self.root = value
        self.positions[path] = (mark.line + 1, mark.column + 1)
        return path


def _first_unprintable(text: str, file: str) -> Location:
    found = _UNPRINTABLE.search(text)
    before = text[: found.start()] if found else ""
    return Location(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _marked(mark: Any, file: str) -> Location:
    return Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)


def _refused(what: str, code: str, where: Location) -> DeclarationError:
    return DeclarationError(
        f"{what} is not accepted",
        code=code,
        where=where,
        why="such YAML can grow without bound or mean what it does not show; declarations never need it",
        fix="write the value out",
    )


def _scalar(text: str) -> Any:
    """YAML 1.2 core schema: `no`, `on` and `12:30` are text; `2026-01-01` is text."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.match(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.match(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def plain(value: Any) -> Any:
    """The same data without the keys whose value is null (the standards' schemas reject those).

    The value of a custom property may be anything, null inside it too.
    """
    if isinstance(value, Mapping):
        free = "value" if "property" in value else None
        return {k: item if k == free else plain(item) for k, item in value.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
