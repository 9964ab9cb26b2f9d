"""Custom properties: the names the mesh reads, what they may be, and names that only look like one.

docs/reference/custom-properties.md is this table for people. Names that are not here are kept and shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from mesh.contract import durations
from mesh.contract.elements import schema_objects
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

Holder = Literal["schema object", "property", "product", "input port"]

LEVELS = (
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
    "NONE",
)
READ: Mapping[Holder, tuple[str, ...]] = {
    "schema object": (
        "partitions",
        "cleanupPolicy",
        "retention",
        "minInsyncReplicas",
        "maxMessageBytes",
        "eventTime",
        "compatibility",
        "avroName",
        "avroDoc",
        "avroAliases",
        "avroAttributes",
    ),
    "property": (
        "avroType",
        "avroLogicalType",
        "avroName",
        "avroAliases",
        "avroDefault",
        "avroNoDefault",
        "avroEnumDefault",
        "avroNull",
        "avroOrder",
        "avroSize",
        "avroDoc",
        "avroTypeDoc",
        "avroTypeAliases",
        "avroAttributes",
        "avroFieldAttributes",
        "precision",
        "scale",
    ),
    "product": ("implementation",),
    "input port": ("fields",),
}
#: Names people look for, and where the same is said.
_ELSEWHERE = {
    "topic": "schema[].physicalName",
    "topicname": "schema[].physicalName",
    "key": "primaryKey: true on a property",
    "recordkey": "primaryKey: true on a property",
    "partitionkey": "primaryKey: true on a property",
    "subject": "the name of the topic: <topic>-value",
    "subjectstrategy": "the name of the topic: <topic>-value",
    "subjectnamestrategy": "the name of the topic: <topic>-value",
    "format": "servers[].format",
    "serialization": "servers[].format",
    "replicationfactor": "the cluster's default",
}
_LARGEST_MESSAGE = 2**31 - 1


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "partitions": (_whole(1, 10_000), "an integer from 1 to 10,000"),
    "cleanupPolicy": (
        lambda value: value in ("delete", "compact", "compact,delete"),
        "delete, compact or compact,delete",
    ),
    "retention": (
        lambda value: durations.milliseconds(value) is not None,
        "an ISO 8601 duration such as P400D, or forever",
    ),
    "minInsyncReplicas": (_whole(1, 100), "an integer from 1 to 100"),
    "maxMessageBytes": (_whole(1, _LARGEST_MESSAGE), f"a number of bytes from 1 to {_LARGEST_MESSAGE:,}"),
    "compatibility": (lambda value: value in LEVELS, ", ".join(LEVELS)),
}


def values(document: Document, schema: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """MESH-C046 for a custom property of a schema object whose value cannot be."""
    times = [p.get("name") for p in schema.get("properties") or [] if p.get("logicalType") == "timestamp"]
    for index, entry in enumerate(schema.get("customProperties") or []):
        key, value = entry["property"], entry["value"]
        fits, expected = _VALUES.get(key, (lambda _: True, ""))
        if key == "eventTime":
            fits, expected = (lambda v: v in times), "the name of a timestamp property of this schema"
        if not fits(value):
            yield Finding(
                code="MESH-C046",
                message=f"{key} cannot be {repr(value)[:80]}",
                where=document.at(*path, "customProperties", index, "value"),
                why=f"expected {expected}",
                fix="correct the value; docs/reference/custom-properties.md has the table",
            )


def of_contract(document: Document) -> Iterator[Finding]:
    """MESH-C094 over the schema objects and properties of a contract."""
    for schema in schema_objects(document.data):
        yield from near_misses(document, schema.item.get("customProperties"), schema.path, "schema object")
        for element in schema.elements():
            yield from near_misses(document, element.item.get("customProperties"), element.path, "property")


def near_misses(
    document: Document, entries: Sequence[Mapping[str, Any]] | None, path: Path, holder: Holder
) -> Iterator[Finding]:
    """MESH-C094 for each name that looks like one the mesh reads, and is none here."""
    for index, entry in enumerate(entries or []):
        name = entry["property"]
        if name in READ[holder]:
            continue
        if said := _meant(name, holder):
            yield Finding(
                code="MESH-C094",
                severity="warning",
                message=f"the custom property {name[:80]!r} has no effect on a {holder}{said}",
                where=document.at(*path, "customProperties", index, "property"),
                why=f"read here are: {', '.join(READ[holder])}; all others are kept and shown",
                fix="rename or move it; docs/reference/custom-properties.md has the table",
            )


def _meant(name: str, holder: Holder) -> str:
    for other, names in READ.items():
        if name in names:
            return f"; it belongs to a {other}"
    if holder == "schema object" and (
        place := _ELSEWHERE.get(name.lower().replace("_", "").replace(".", ""))
    ):
        return f"; it follows from {place}"
    return did_you_mean(name, READ[holder])
