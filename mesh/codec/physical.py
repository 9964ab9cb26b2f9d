"""An Avro schema with its logical types taken off: the only schemas the engines are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import fastavro

from mesh.schema import AvroSchema, parse_schema
from mesh.schema.nodes import (
    Array,
    Fixed,
    Map,
    Missing,
    Named,
    Node,
    Primitive,
    Record,
    Reference,
    Union,
)
from mesh.schema.strict_json import Json

_LOGICAL = frozenset({"logicalType", "precision", "scale"})


def physical_tree(schema: AvroSchema) -> Json:
    """The schema as JSON, every value as the bytes, number or text that is on the wire; no defaults."""
    return _strip(schema.codec_tree, _LOGICAL, frozenset({"default"}))


def physical_schema(schema: AvroSchema) -> AvroSchema:
    """The same with the defaults of its fields, for readers of older events."""
    return parse_schema(json.dumps(_strip(schema.codec_tree, _LOGICAL, frozenset())))


def reader_tree(schema: AvroSchema) -> Any:
    """A physical schema as fastavro reads with it: defaults of bytes are bytes there, and texts in JSON."""
    parsed = fastavro.parse_schema(schema.codec_tree)
    _fill_in(parsed, schema.root, schema.names)
    return parsed


def _fill_in(tree: Any, node: Node, names: Mapping[str, Named]) -> None:
    match node:
        case Record(fields=fields):
            for part, field in zip(tree["fields"], fields, strict=True):
                if not isinstance(field.default, Missing):
                    part["default"] = _stored(field.default, field.type, names)
                _fill_in(part["type"], field.type, names)
        case Array(items):
            _fill_in(tree["items"], items, names)
        case Map(values):
            _fill_in(tree["values"], values, names)
        case Union(branches):
            for part, branch in zip(tree, branches, strict=True):
                _fill_in(part, branch, names)


def _stored(default: Any, node: Node, names: Mapping[str, Named]) -> Any:
    match node:
        case Reference(fullname):
            return _stored(default, names[fullname], names)
        case Primitive("bytes") | Fixed():
            return default.encode("latin-1") if isinstance(default, str) else default
        case Union(branches):
            return _stored(default, branches[0], names)
        case Array(items):
            return [_stored(item, items, names) for item in default]
        case Map(values):
            return {key: _stored(item, values, names) for key, item in default.items()}
        case Record(fields=fields):
            return {
                field.name: _stored(default.get(field.name, field.default), field.type, names)
                for field in fields
            }
    return default


def _strip(tree: Json, types_lose: frozenset[str], fields_lose: frozenset[str]) -> Json:
    if isinstance(tree, list):
        return [_strip(branch, types_lose, fields_lose) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    kept: dict[str, Json] = {key: part for key, part in tree.items() if key not in types_lose}
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = _strip(kept[key], types_lose, fields_lose)
    fields = kept.get("fields")
    if isinstance(fields, list):
        kept["fields"] = [
            {
                key: _strip(part, types_lose, fields_lose) if key == "type" else part
                for key, part in field.items()
                if key not in fields_lose
            }
            for field in fields
            if isinstance(field, dict)
        ]
    return kept
