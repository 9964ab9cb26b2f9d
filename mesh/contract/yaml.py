"""YAML read with suspicion: limits before parsing, YAML 1.2 scalars, and a place for every node.

The text is first read as events only, because the C parser crashes on deep nesting and aliases
expand without bound (security S08–S10). Dates stay text, as the standards' schemas demand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from mesh import limits
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

    def at(self, *path: str | int) -> Location:
        """The place of a node: of its key in a mapping, of the item in a list; else of its nearest parent."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return Location(self.file, line, column)


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
        _scan(text, file)
        node = yaml.compose(text, Loader=_Loader)
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
    positions: dict[Path, tuple[int, int]] = {}
    data = _construct(node, (), positions, file) if node is not None else None
    return Document(file, text, data, positions)


def _scan(text: str, file: str) -> None:
    """Refuse aliases, tags, depth and size from the event stream alone, in constant memory."""
    depth = 0
    documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader), start=1):
        place = _marked(event.start_mark, file)
        if count > limits.YAML_EVENTS:
            raise _refused(f"more than {limits.YAML_EVENTS:,} nodes", "MESH-C013", place)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refused(f"the tag {tag}", "MESH-C019", place)
        if isinstance(event, yaml.AliasEvent):
            raise _refused(f"an alias (*{event.anchor})", "MESH-C014", place)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _refused("a second document in one file", "MESH-C015", place)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > _Deepest:
                raise _refused(f"nesting deeper than {_Deepest}", "MESH-C016", place)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


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


def _construct(node: yaml.Node, path: Path, positions: dict[Path, tuple[int, int]], file: str) -> Any:
    positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a key that is not plain text", "MESH-C017", Location(file, *place))
            key = key_node.value
            if key in mapping:
                raise DeclarationError(
                    f"the key {key!r} stands twice",
                    code="MESH-C018",
                    where=Location(file, *place),
                    why="one of the two values would be lost in silence",
                    fix="remove one of them",
                )
            positions[(*path, key)] = place
            mapping[key] = _construct(value_node, (*path, key), positions, file)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, i), positions, file) for i, item in enumerate(node.value)]
    # Quoted and block scalars are text as they stand; only plain ones may be numbers, booleans or null.
    plain_style = not getattr(node, "style", None)
    return _scalar(node.value) if plain_style else node.value


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
