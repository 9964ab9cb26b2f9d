"""Contract to Avro schema, deterministically (standards digest §1.8).

Optional properties become `["null", T]` with default null, so that adding one later stays
compatible. A timestamp is UTC microseconds; a property may say otherwise by `timezone: false`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mesh import naming
from mesh.contract.model import Contract, Property
from mesh.errors import DeclarationError, SchemaError
from mesh.schema import AvroSchema, parse_schema

_INT32 = {"i8", "i16", "i32", "u8", "u16"}
_FIELD = re.compile(r"\$\.fields\[([0-9]+)\]")
_BEYOND_INT64 = {"u64", "i128", "u128"}


def avro_schema(contract: Contract) -> AvroSchema:
    """The Avro schema of a contract's events; raises DeclarationError for a type without an Avro form."""
    topic = naming.parse_topic(contract.topic)
    product = topic.product if topic.port is None else f"{topic.product}-{topic.port}"
    namespace, _, name = naming.avro_fullname(topic.domain, product).rpartition(".")
    record: dict[str, Any] = {"type": "record", "name": name, "namespace": namespace}
    if contract.purpose:
        record["doc"] = " ".join(contract.purpose.split())
    record["fields"] = [_field(p, name) for p in contract.properties]
    try:
        return parse_schema(json.dumps(record, ensure_ascii=False))
    except SchemaError as error:
        place = _FIELD.match(str(error.where))
        raise DeclarationError(
            error.what,
            code=error.error_code,
            where=contract.properties[int(place[1])].where if place else contract.document.at("schema"),
            why=error.why or f"the Avro schema that follows from it does not hold at {error.where}",
            fix="correct the property: name, enum, avro… customProperties, precision or scale",
        ) from error


def _field(prop: Property, owner: str) -> dict[str, Any]:
    field: dict[str, Any] = {"name": prop.name}
    kind = _type(prop, f"{owner}_{prop.name}")
    if prop.required or prop.primary_key is not None:
        field["type"] = kind
    else:
        field["type"] = ["null", kind]
        field["default"] = None
    if prop.description:
        field["doc"] = " ".join(prop.description.split())
    if "avroAliases" in prop.custom:
        field["aliases"] = prop.custom["avroAliases"]
    if "avroDefault" in prop.custom and prop.required:
        field["default"] = prop.custom["avroDefault"]
    return field


def _type(prop: Property, record_name: str) -> Any:
    kind, options = prop.logical_type, prop.options
    if kind == "string":
        if prop.custom.get("avroType") == "enum" and prop.enum:
            return {"type": "enum", "name": record_name, "symbols": [str(value) for value in prop.enum]}
        if options.get("format") == "uuid":
            return {"type": "string", "logicalType": "uuid"}
        return "string"
    if kind == "integer" and options.get("format") not in _BEYOND_INT64:
        return "int" if options.get("format") in _INT32 else "long"
    if kind == "number":
        if "precision" in prop.custom:
            return _decimal(prop, prop.custom["precision"], prop.custom.get("scale", 0))
        return "float" if options.get("format") == "f32" else "double"
    if kind == "boolean":
        return "boolean"
    if kind == "date":
        return {"type": "int", "logicalType": "date"}
    if kind == "time":
        return {"type": "long", "logicalType": "time-micros"}
    if kind == "timestamp":
        local = options.get("timezone") is False
        return {"type": "long", "logicalType": "local-timestamp-micros" if local else "timestamp-micros"}
    if kind == "object" and prop.properties:
        return {
            "type": "record",
            "name": record_name,
            "fields": [_field(p, record_name) for p in prop.properties],
        }
    if kind == "array" and prop.items is not None:
        return {"type": "array", "items": _type(prop.items, f"{record_name}_item")}
    if kind == "map" and prop.values is not None:
        return {"type": "map", "values": _type(prop.values, f"{record_name}_value")}
    raise DeclarationError(
        f"the property {prop.name!r} of logicalType {kind!r} has no Avro type",
        code="MESH-C048",
        where=prop.where,
        why="an object needs properties, an array items, a map its value; "
        "vectors and integers beyond 64 bits are not carried",
        fix="describe what is inside it, or choose a type that Avro has",
    )


def _decimal(prop: Property, precision: Any, scale: Any) -> Any:
    # Avro ignores a decimal that does not hold, and its numbers would travel as bare bytes.
    if not (type(precision) is int and type(scale) is int and 0 <= scale <= precision and precision > 0):
        raise DeclarationError(
            f"the property {prop.name!r} cannot have precision {precision!r} and scale {scale!r}",
            code="MESH-C044",
            where=prop.where,
            why="precision counts all digits, scale those after the point: whole numbers, scale the smaller",
            fix="write precision: 9 and scale: 2, or leave both out for a double",
        )
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
