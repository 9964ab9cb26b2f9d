"""Tags inside Avro schemas: of a record or of a field, in its attribute `confluent:tags`.

A path is a record's full name, with the name of the field after it; a leading dot does not count.
(Confluent's registry: `POST …/versions/{version}/tags` and `findTags`.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from mesh.schema.strict_json import Json, compact
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.model import Content

_TAGS: Final = "confluent:tags"
_RECORD: Final = "sr_record"
_FIELD: Final = "sr_field"
#: What is to be tagged: paths, and the tags of each.
Changes = Mapping[str, list[str]]


def read_changes(value: object) -> Changes | Refusal:
    """The `tagsToAdd` or `tagsToRemove` of a request; 42201 when it is neither."""
    found: dict[str, list[str]] = {}
    for item in value if isinstance(value, list) else ([] if value is None else [value]):
        entity = item.get("schemaEntity") if isinstance(item, Mapping) else None
        path = entity.get("entityPath") if isinstance(entity, Mapping) else None
        tags = item.get("tags") if isinstance(item, Mapping) else None
        if not (
            isinstance(path, str) and isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
        ):
            reason = "Invalid tags: each has a schemaEntity with an entityPath, and tags, which are texts"
            return errors.INVALID_SCHEMA.refuse(reason=reason)
        found.setdefault(path.removeprefix("."), []).extend(tags)
    return found


def tagged(content: Content, add: Changes, remove: Changes) -> str | Refusal:
    """The text of a schema with tags changed; 42201 for a path that it does not have."""
    if content.kind is not Kind.AVRO:
        reason = f"Tags inside {content.kind} schemas are not changed here: register the schema with its tags"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    tree: Json = json.loads(content.text)
    entities = {path: node for path, _, node in _entities(tree, "")}
    if missing := sorted({*add, *remove} - entities.keys()):
        reason = f"No matching path '{missing[0][:255]}' found in the schema"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    for path in {**add, **remove}:
        node = entities[path]
        kept = [tag for tag in _tags(node) if tag not in remove.get(path, ())]
        tags: list[Json] = [*dict.fromkeys([*kept, *add.get(path, ())])]
        node.pop(_TAGS, None)
        if tags:
            node[_TAGS] = tags
    return compact(tree)


def found_tags(content: Content, wanted: set[str]) -> list[Json]:
    """The records and fields of an Avro schema that have any of the tags `wanted`; `*` is every tag."""
    entities = _entities(json.loads(content.text), "") if content.kind is Kind.AVRO else ()
    return [
        {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list[Json](tags)}
        for path, kind, node in entities
        if (tags := _tags(node)) and ("*" in wanted or wanted & set(tags))
    ]


def _entities(node: Json, namespace: str) -> Iterator[tuple[str, str, dict[str, Json]]]:
    if isinstance(node, list):
        for branch in node:
            yield from _entities(branch, namespace)
    if not isinstance(node, dict):
        return
    if node.get("type") not in ("record", "error"):
        for key in ("type", "items", "values"):
            yield from _entities(node.get(key), namespace)
        return
    name, within = str(node["name"]), node.get("namespace", namespace)
    namespace = name.rpartition(".")[0] if "." in name else str(within or "")
    fullname = name if "." in name or not namespace else f"{namespace}.{name}"
    yield fullname, _RECORD, node
    fields = node.get("fields")
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict):
            yield f"{fullname}.{field['name']}", _FIELD, field
            yield from _entities(field.get("type"), namespace)


def _tags(node: Mapping[str, Json]) -> list[str]:
    tags = node.get(_TAGS)
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
