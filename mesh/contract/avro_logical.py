"""Which Avro logical type a property has, and that it fits: Avro ignores one that does not, in silence."""

from __future__ import annotations

from typing import Any, Final

from mesh.contract.model import Property
from mesh.errors import DeclarationError
from mesh.schema.logical import logical_type
from mesh.schema.nodes import Fixed, Primitive

_MEANING: Final = {
    "date": "date",
    "time-millis": "time",
    "time-micros": "time",
    **{
        f"{local}timestamp-{unit}": "timestamp"
        for local in ("", "local-")
        for unit in ("millis", "micros", "nanos")
    },
    "uuid": "string",
    "duration": "string",
    "decimal": "number",
    "big-decimal": "number",
}


def logical_of(prop: Property, base: str) -> dict[str, Any]:
    """The attributes that say the logical type of a property over an Avro type; empty when it has none."""
    wanted = prop.custom.get("avroLogicalType")
    if wanted is not None:
        return _asked_for(prop, base, wanted)
    if prop.logical_type == "number" and "precision" in prop.custom and base in ("bytes", "fixed"):
        return decimal_of(prop)
    if prop.logical_type == "string" and prop.options.get("format") == "uuid" and base in ("string", "fixed"):
        return {"logicalType": "uuid"}
    if "avroType" in prop.custom:
        return {}
    if prop.logical_type == "timestamp":
        local = prop.options.get("timezone") is False
        return {"logicalType": "local-timestamp-micros" if local else "timestamp-micros"}
    plain = {"date": "date", "time": "time-micros"}
    return {"logicalType": plain[prop.logical_type]} if prop.logical_type in plain else {}


def decimal_of(prop: Property) -> dict[str, Any]:
    """The attributes of a decimal; raises DeclarationError (MESH-C044) for digits that make none."""
    precision, scale = prop.custom["precision"], prop.custom.get("scale", 0)
    # Avro ignores a decimal that does not hold, and its numbers would travel as bare bytes.
    if not (type(precision) is int and type(scale) is int and 0 <= scale <= precision and precision > 0):
        raise DeclarationError(
            f"the property {prop.name!r} cannot have precision {precision!r} and scale {scale!r}",
            code="MESH-C044",
            where=prop.where,
            why="precision counts all digits, scale those after the point: whole numbers, scale the smaller",
            fix="write precision: 9 and scale: 2, or leave both out for a double",
        )
    return {"logicalType": "decimal", "precision": precision, "scale": scale}


def refused(prop: Property, key: str, expected: str) -> DeclarationError:
    """The error for an avro… custom property with a value that means nothing."""
    return DeclarationError(
        f"{key} of the property {prop.name!r} cannot be {str(prop.custom[key])[:80]!r}",
        code="MESH-C100",
        where=prop.where,
        why=f"expected {expected}",
        fix="correct the value; docs/reference/custom-properties.md has the table",
    )


def _asked_for(prop: Property, base: str, wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, str):
        raise refused(prop, "avroLogicalType", "the name of a logical type")
    attributes = {"logicalType": wanted}
    size = prop.custom.get("avroSize")
    node = (
        Fixed(fullname="", size=size if isinstance(size, int) else 0, attributes=attributes)
        if base == "fixed"
        else Primitive(base, attributes)
    )
    meaning = _MEANING.get(wanted)
    if meaning is None or (meaning == prop.logical_type and logical_type(node) is not None):
        return attributes
    raise DeclarationError(
        f"avroLogicalType {wanted!r} does not fit the property {prop.name!r}",
        code="MESH-C101",
        where=prop.where,
        why=f"it is a {prop.logical_type} over Avro's {base}; {wanted} is a {meaning} over another type",
        fix=f"write logicalType: {meaning}, or another avroLogicalType or avroType",
    )
