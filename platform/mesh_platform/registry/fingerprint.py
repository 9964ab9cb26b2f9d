"""Names made from content: `identity_of` tells contents apart, the guid names one in every registry.

The guid is the one of registries of the same interface (MD5 over text, references, metadata and
rules), so that a schema keeps it when it moves. MD5 is no proof of identity: who takes in a schema
asks whether its guid is another's.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping

from mesh.schema.strict_json import Json

_PRESENT = b"\x01"
_RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")
_BEFORE_TAGS = ("name", "doc", "kind", "mode", "type")
_AFTER_PARAMS = ("expr", "onSuccess", "onFailure")


def identity_of(text: str, *rest: object) -> bytes:
    """A digest of a text and of JSON values; the order of an object's members does not count."""
    spelled = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{len(text)}:{text}{spelled}".encode()).digest()


def guid_bytes(
    text: str,
    references: Iterable[tuple[str, str, int]],
    metadata: Mapping[str, Json] | None,
    rule_set: Mapping[str, Json] | None,
) -> bytes:
    """The sixteen bytes of a content's guid."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False)
    for name, subject, version in references:
        digest.update(name.encode() + subject.encode() + version.to_bytes(4, "big", signed=True))
    if metadata is not None:
        digest.update(_PRESENT + b"".join(_metadata(metadata)))
    if rule_set is not None:
        digest.update(_PRESENT + b"".join(_rule_set(rule_set)))
    return digest.digest()


def uuid_text(guid: bytes) -> str:
    """A guid as clients write it."""
    return str(uuid.UUID(bytes=guid))


def guid_of_text(text: str) -> bytes | None:
    """The bytes of a guid as clients write it; None when it is none."""
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return None


def _metadata(metadata: Mapping[str, Json]) -> Iterator[bytes]:
    tags, properties = metadata.get("tags"), metadata.get("properties")
    for path, names in sorted(tags.items()) if isinstance(tags, Mapping) else ():
        yield path.encode()
        yield from _texts(sorted(set(_strings(names))))
    for key, value in sorted(properties.items()) if isinstance(properties, Mapping) else ():
        yield from _texts((key, value))
    yield from _texts(sorted(set(_strings(metadata.get("sensitive")))))


def _rule_set(rule_set: Mapping[str, Json]) -> Iterator[bytes]:
    for part in _RULE_LISTS:
        rules = rule_set.get(part)
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, Mapping):
                yield from _rule(rule)


def _rule(rule: Mapping[str, Json]) -> Iterator[bytes]:
    yield from _texts(rule.get(key) for key in _BEFORE_TAGS)
    yield from _texts(sorted(set(_strings(rule.get("tags")))))
    params = rule.get("params")
    for pair in sorted(params.items()) if isinstance(params, Mapping) else ():
        yield from _texts(pair)
    yield from _texts(rule.get(key) for key in _AFTER_PARAMS)
    if rule.get("disabled") is True:
        yield _PRESENT


def _strings(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _texts(values: Iterable[Json]) -> Iterator[bytes]:
    return (value.encode() for value in values if isinstance(value, str))
