"""An Avro schema with its logical types taken off: the only schemas the engines are shown."""

from __future__ import annotations

import json

from mesh.schema import AvroSchema, parse_schema
from mesh.schema.strict_json import Json

_LOGICAL = frozenset({"logicalType", "precision", "scale"})


def physical_tree(schema: AvroSchema) -> Json:
    """The schema as JSON, every value as the bytes, number or text that is on the wire; no defaults."""
    return _strip(schema.codec_tree, _LOGICAL, frozenset({"default"}))


def physical_schema(schema: AvroSchema) -> AvroSchema:
    """The same with the defaults of its fields, for readers of older events."""
    return parse_schema(json.dumps(_strip(schema.codec_tree, _LOGICAL, frozenset())))


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
