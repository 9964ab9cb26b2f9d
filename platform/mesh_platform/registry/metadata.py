"""Metadata that travels with a schema: tags by path, properties, and which of these are sensitive.

Spelled one way: no empty part, names of a set in order, so that equal metadata compare as equal.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh.schema.strict_json import Json
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Document

#: The property that lists, with commas between them, the fields that no later schema may use.
_RESERVED = "confluent:reserved"
_EMPTY: Mapping[str, object] = {"tags": {}, "properties": {}, "sensitive": []}


def read_metadata(value: object) -> Document | Refusal | None:
    """Metadata as posted, spelled one way; None when absent, 42201 when it is none."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return _invalid()
    tags, properties, sensitive = (_given(value, key) for key in _EMPTY)
    if not (isinstance(tags, Mapping) and all(_is_texts(names) for names in tags.values())):
        return _invalid()
    if not (isinstance(properties, Mapping) and _is_texts(list(properties.values()))):
        return _invalid()
    if not _is_texts(sensitive):
        return _invalid()
    by_path: dict[str, Json] = {path: sorted(set(names)) for path, names in tags.items()}
    return _spelled(by_path, dict(properties), set(_texts(sensitive)))


def merged(below: Document | None, above: Document | None) -> Document | None:
    """Both; of one path's tags and one property's values those of `above` count."""
    if below is None or above is None:
        return below if above is None else above
    sensitive = {*_texts(below.get("sensitive")), *_texts(above.get("sensitive"))}
    return _spelled(
        _object(below, "tags") | _object(above, "tags"),
        _object(below, "properties") | _object(above, "properties"),
        sensitive,
    )


def property_of(metadata: Document | None, name: str) -> Json:
    """The value of a property; None when there is none."""
    return _object(metadata or {}, "properties").get(name)


def reserved(metadata: Document | None) -> frozenset[str]:
    """The names of the fields that metadata keep from use."""
    names = str(property_of(metadata, _RESERVED) or "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def _given(value: Mapping[str, object], key: str) -> object:
    part = value.get(key)
    return _EMPTY[key] if part is None else part


def _invalid() -> Refusal:
    reason = "Invalid metadata: tags are lists of text, properties are text, sensitive is a list of text"
    return errors.INVALID_SCHEMA.refuse(reason=reason)


def _spelled(tags: dict[str, Json], properties: dict[str, Json], sensitive: set[str]) -> Document:
    parts: dict[str, Json] = {
        "tags": tags,
        "properties": properties,
        "sensitive": list[Json](sorted(sensitive)),
    }
    return {key: part for key, part in parts.items() if part}


def _object(document: Document, key: str) -> dict[str, Json]:
    part = document.get(key)
    return dict(part) if isinstance(part, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
