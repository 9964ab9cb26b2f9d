"""A new contract as ODCS text, from properties as values and the few things that no type can say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesh import naming
from mesh.contract.model import Property
from mesh.contract.writing import write
from mesh.errors import UsageError

_HOST = "${MESH_KAFKA_BOOTSTRAP:-localhost:9092}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Whose contract it is, and of what; `owner` is a user name or address."""

    domain: str
    product: str
    team: str = ""
    owner: str = ""
    key: tuple[str, ...] = ()

    @property
    def contract_id(self) -> str:
        """The id of the contract, which is its topic."""
        return f"{self.domain}.{self.product}.v1"


def contract_text(
    heading: Heading,
    properties: Sequence[Property],
    *,
    purpose: str = "",
    schema_name: str = "",
    custom: Mapping[str, Any] | None = None,
) -> str:
    """The text of a first version, status draft."""
    document: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": heading.contract_id,
        "name": heading.product.replace("-", " ").capitalize(),
        "version": "1.0.0",
        "status": "draft",
        "domain": heading.domain,
    }
    if purpose:
        document["description"] = {"purpose": purpose}
    if heading.team or heading.owner:
        team: dict[str, Any] = {"name": heading.team or heading.domain}
        if heading.owner:
            team["members"] = [{"username": heading.owner, "role": "owner"}]
        document["team"] = team
    document["servers"] = [{"server": "mesh", "type": "kafka", "host": _HOST, "format": "avro"}]
    schema: dict[str, Any] = {
        "name": schema_name or heading.product,
        "physicalType": "topic",
        "physicalName": heading.contract_id,
        "logicalType": "object",
    }
    if custom:
        schema["customProperties"] = _entries(custom)
    schema["properties"] = [property_entry(prop) for prop in _keyed(properties, heading.key)]
    document["schema"] = [schema]
    return write(document)


def _keyed(properties: Sequence[Property], key: tuple[str, ...]) -> Iterator[Property]:
    missing = [name for name in key if all(prop.name != name for prop in properties)]
    if missing:
        raise UsageError(
            f"--key {missing[0]} is no property",
            code="MESH-U117",
            why="the properties are " + ", ".join(prop.name for prop in properties[:30]),
            fix=f"--key {properties[0].name}",
        )
    for prop in properties:
        position = key.index(prop.name) + 1 if prop.name in key else None
        yield replace(prop, primary_key=position) if position else prop


def as_slug(text: str) -> str:
    """`route-delays` of `RouteDelays` or `route_delays`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def require_slug(text: str, option: str) -> str:
    """The text, when it may be a part of a topic name; raises UsageError (MESH-U117)."""
    if not naming.is_slug(text):
        raise UsageError(
            f"--{option} is {'missing' if not text else repr(text)}",
            code="MESH-U117",
            why="it becomes part of the topic: lower case letters, digits and hyphens, 2 to 63",
            fix=f"add --{option} name-in-lower-case",
        )
    return text


def property_entry(prop: Property, *, named: bool = True) -> dict[str, Any]:
    """A property as it stands in an ODCS document; the items of an array need no name."""
    entry: dict[str, Any] = {"name": prop.name} if named else {}
    entry["logicalType"] = prop.logical_type
    if prop.options:
        entry["logicalTypeOptions"] = dict(prop.options)
    if prop.required:
        entry["required"] = True
    if prop.primary_key is not None:
        entry |= {"primaryKey": True, "primaryKeyPosition": prop.primary_key}
    if prop.classification:
        entry["classification"] = prop.classification
    if prop.description:
        entry["description"] = prop.description
    if prop.enum:
        entry["enum"] = [{"value": value} for value in prop.enum]
    if prop.examples:
        entry["examples"] = list(prop.examples)
    if prop.tags:
        entry["tags"] = list(prop.tags)
    if prop.custom:
        entry["customProperties"] = _entries(prop.custom)
    if prop.properties:
        entry["properties"] = [property_entry(inner) for inner in prop.properties]
    if prop.items is not None:
        entry["items"] = property_entry(prop.items, named=False)
    if prop.values is not None:
        entry["map"] = {"key": {"logicalType": "string"}, "value": property_entry(prop.values, named=False)}
    return entry


def _entries(custom: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in custom.items()]
