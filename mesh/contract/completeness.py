"""What a contract must say for the mesh, and the standard's schema leaves open (MESH-C029 to C049)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesh import naming
from mesh.contract import custom_properties
from mesh.contract.elements import Element, inner
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding, UsageError
from mesh.versioning import Version

STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
_AVRO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def beyond_the_standard(document: Document) -> Iterator[Finding]:
    """MESH-C029…C049: what the mesh needs and the standard's schema leaves open."""
    data = document.data

    def finding(code: str, message: str, path: Path, why: str, fix: str) -> Finding:
        return Finding(code=code, message=message, where=document.at(*path), why=why, fix=fix)

    try:
        version = Version.parse(str(data["version"]))
    except UsageError as error:
        yield finding("MESH-C030", error.what, ("version",), error.why, "write version: 1.0.0")
        return
    status = data.get("status", "draft")
    if status not in STATUSES:
        yield finding(
            "MESH-C031",
            f"status cannot be {status!r}",
            ("status",),
            "allowed: " + ", ".join(STATUSES),
            "write status: draft, until the contract is in force",
        )
    schema = data.get("schema") or []
    if len(schema) != 1:
        why = "a contract stands behind one output port, and a port is one topic"
        yield finding(
            "MESH-C032", f"{len(schema)} schema objects, expected 1", ("schema",), why, "split the contract"
        )
        return
    topic = str(schema[0].get("physicalName", ""))
    try:
        name = naming.parse_topic(topic)
    except UsageError as error:
        yield finding(
            "MESH-C033",
            error.what,
            ("schema", 0, "physicalName"),
            error.why,
            "write physicalName: <domain>.<product>.v1",
        )
        return
    if name.domain != data.get("domain"):
        why = f"the topic {topic} belongs to {name.domain!r}: the owner comes first in every name"
        yield finding(
            "MESH-C034", f"domain is {data.get('domain')!r}", ("domain",), why, f"write domain: {name.domain}"
        )
    if name.major != version.major:
        why = "a new major version is a new file, a new port and a new topic"
        yield finding(
            "MESH-C035",
            f"version {version} on topic {topic}",
            ("version",),
            why,
            "rename the topic or the version",
        )
    if data["id"] != topic:
        why = "one name for contract and topic keeps every message clear"
        yield finding("MESH-C036", f"id is {data['id']!r}", ("id",), why, f"write id: {topic}")
    properties = schema[0].get("properties") or []
    if not properties:
        yield finding(
            "MESH-C037",
            "the schema has no properties",
            ("schema", 0),
            "an event needs at least one",
            "add properties:, each with name and logicalType",
        )
    yield from _property_findings(document, properties, ("schema", 0, "properties"))
    yield from custom_properties.values(document, schema[0], ("schema", 0))
    yield from _key_findings(document, schema[0], properties)


def _property_findings(document: Document, properties: list[Any], path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, item in enumerate(properties):
        here = (*path, index)
        name = item.get("name", "")
        if not _AVRO_NAME.match(name):
            yield Finding(
                code="MESH-C038",
                message=f"property name {name!r}",
                where=document.at(*here, "name"),
                why="it becomes an Avro field: letters, digits and underscore, not starting with a digit",
                fix="rename it; businessName may hold any text",
            )
        if name in seen:
            yield Finding(
                code="MESH-C039",
                message=f"the property {name!r} stands twice",
                where=document.at(*here, "name"),
                why="a field of an event has one meaning",
                fix="rename or remove one of them",
            )
        seen.add(name)
        yield from _type_findings(document, item, here, f"the property {name!r}")


def _pattern_findings(document: Document, holder: Any, path: Path) -> Iterator[Finding]:
    import re2

    pattern = holder.get("pattern") if isinstance(holder, Mapping) else None
    if not isinstance(pattern, str):
        return
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        yield Finding(
            code="MESH-C049",
            message=f"the pattern {pattern[:80]!r} cannot be used",
            where=document.at(*path, "pattern"),
            why=f"patterns are RE2, which answers in linear time; it says: {reason}",
            fix="write it without look-around and back references, and close every bracket",
        )


def _type_findings(document: Document, item: Mapping[str, Any], path: Path, name: str) -> Iterator[Finding]:
    if "logicalType" not in item:
        yield Finding(
            code="MESH-C045",
            message=f"{name} has no logicalType",
            where=document.at(*path),
            why="the Avro type follows from it",
            fix="add logicalType: string (or integer, number, boolean, date, timestamp, array, object, map)",
        )
    options = (*path, "logicalTypeOptions")
    yield from _pattern_findings(document, item.get("logicalTypeOptions"), options)
    for number, rule in enumerate(item.get("quality") or []):
        yield from _pattern_findings(document, rule.get("arguments"), (*path, "quality", number, "arguments"))
    yield from _property_findings(document, item.get("properties") or [], (*path, "properties"))
    if "items" in item:
        yield from _type_findings(document, item["items"], (*path, "items"), f"what {name} lists")
    if "value" in item.get("map", {}):
        value = item["map"]["value"]
        yield from _type_findings(document, value, (*path, "map", "value"), f"what {name} maps to")


def _key_findings(document: Document, schema: Mapping[str, Any], properties: list[Any]) -> Iterator[Finding]:
    for index, entry in enumerate(schema.get("customProperties") or []):
        compacts = entry["property"] == "cleanupPolicy" and "compact" in str(entry["value"])
        if compacts and not any(item.get("primaryKey") for item in properties):
            yield Finding(
                code="MESH-C029",
                message="a compacted topic without a key",
                where=document.at("schema", 0, "customProperties", index, "value"),
                why="compaction keeps the last event of each key, and Kafka refuses events without one",
                fix="write primaryKey: true on the property that identifies an event",
            )
    for path, problem in _misplaced(properties):
        yield Finding(
            code="MESH-C026",
            message=problem,
            where=document.at("schema", 0, "properties", *path),
            why="the key of an event is made of properties of its schema, in the order of primaryKeyPosition",
            fix="number the parts of the key 1, 2, 3 and so on",
        )


def _misplaced(properties: list[Any]) -> Iterator[tuple[Path, str]]:
    """Positions of a key that are no order: one that stands twice, or on what is not part of the key."""
    taken: dict[int, str] = {}
    for index, item in enumerate(properties):
        name, position = item.get("name", ""), item.get("primaryKeyPosition", -1)
        if item.get("primaryKey") and position >= 1:
            if position in taken:
                what = f"{taken[position]!r} and {name!r} are both part {position} of the key"
                yield (index, "primaryKeyPosition"), what
            taken.setdefault(position, name)
        elif position >= 1 and not item.get("primaryKey"):
            yield (index, "primaryKeyPosition"), f"{name!r} has a position in the key, and is not part of it"
        elif item.get("primaryKey") and position != -1:
            yield (index, "primaryKeyPosition"), f"{name!r} cannot be part {position} of the key"
        for element in inner(item, (index,), name):
            yield from _inside(element)
    keyed = [item for item in properties if item.get("primaryKey")]
    if taken and len(keyed) > len(taken):
        yield (), "some parts of the key have a position, others none"


def _inside(element: Element) -> Iterator[tuple[Path, str]]:
    if element.item.get("primaryKey"):
        yield (
            (*element.path, "primaryKey"),
            f"{element.name!r} stands inside a property, and cannot be the key",
        )
    for child in inner(element.item, element.path, element.name):
        yield from _inside(child)
