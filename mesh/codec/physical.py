"""An Avro schema with its logical types taken off: the only schemas the engines are shown."""

from __future__ import annotations

from mesh.schema import AvroSchema
from mesh.schema.strict_json import Json

_LOGICAL = frozenset({"logicalType", "precision", "scale"})


def physical_tree(schema: AvroSchema) -> Json:
    """The schema as JSON, every value as the bytes, number or text that is on the wire."""
    return _strip(schema.codec_tree)


def _strip(tree: Json) -> Json:
    if isinstance(tree, list):
        return [_strip(branch) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    kept: dict[str, Json] = {key: part for key, part in tree.items() if key not in _LOGICAL}
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = _strip(kept[key])
    fields = kept.get("fields")
    if isinstance(fields, list):
        kept["fields"] = [
            {key: _strip(part) if key == "type" else part for key, part in field.items() if key != "default"}
            for field in fields
            if isinstance(field, dict)
        ]
    return kept
