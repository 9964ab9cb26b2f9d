"""A property as Avro: the type that follows from its logical type, refined by its avro… customProperties.

docs/reference/custom-properties.md has the table. What they say wins over what the logical type says, so
that a schema that came from elsewhere can be kept to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from mesh.contract.avro_logical import decimal_of, logical_of, refused
from mesh.contract.model import Property
from mesh.errors import DeclarationError
from mesh.schema.nodes import PRIMITIVES
from mesh.schema.parts import STANDARD

_INT32: Final = {"i8", "i16", "i32", "u8", "u16"}
_BEYOND_INT64: Final = {"u64", "i128", "u128"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a type stands: the namespace around it, and the name that it has without another."""

    namespace: str
    path: str

    def inner(self, name: str) -> Place:
        """The place of a part."""
        return Place(self.namespace, f"{self.path}_{name}")

    def name_of(self, prop: Property) -> str:
        """The full name of a named type that stands here."""
        found = prop.custom.get("avroName", self.path)
        whole = "." in str(found) or not self.namespace
        return str(found) if whole else f"{self.namespace}.{found}"


def field_tree(prop: Property, owner: Place) -> dict[str, Any]:
    """The Avro field of a property; raises DeclarationError (MESH-C048, C100, C101, C044)."""
    custom = prop.custom
    kind = type_tree(prop, owner.inner(prop.name))
    optional = not prop.required and prop.primary_key is None
    field: dict[str, Any] = {"name": prop.name, "type": _nullable(kind, prop) if optional else kind}
    if "avroDefault" in custom:
        field["default"] = custom["avroDefault"]
    elif optional and not custom.get("avroNoDefault") and takes_null(field["type"]):
        field["default"] = None
    doc = custom.get("avroDoc", " ".join(prop.description.split()) or None)
    if doc is not None:
        field["doc"] = doc
    for key, attribute in (("avroAliases", "aliases"), ("avroOrder", "order")):
        if key in custom:
            field[attribute] = custom[key]
    return field | _attributes(prop, "avroFieldAttributes", STANDARD["field"])


def takes_null(kind: Any) -> bool:
    """Whether null is a value of an Avro type."""
    return kind == "null" or (isinstance(kind, list) and "null" in kind)


def _nullable(kind: Any, prop: Property) -> Any:
    # A union written out in `avroType` says itself whether null belongs to it.
    if isinstance(kind, list) or kind == "null":
        return kind
    # Readers older than Avro 1.12 take a default only of the first branch.
    by_default = "last" if prop.custom.get("avroDefault") is not None else "first"
    last = prop.custom.get("avroNull", by_default) == "last"
    return [kind, "null"] if last else ["null", kind]


def type_tree(prop: Property, place: Place) -> Any:
    """The Avro type of a property without its null; raises DeclarationError as `field_tree`."""
    if prop.custom.get("avroNull") not in (None, "first", "last"):
        raise refused(prop, "avroNull", "`first` or `last`: where null stands in the union")
    wanted = prop.custom.get("avroType")
    if isinstance(wanted, dict | list):
        return wanted
    tree = _asked_for(wanted, prop, place) if wanted is not None else _following(prop, place)
    if "avroAttributes" not in prop.custom:
        return tree
    made = {"type": tree} if isinstance(tree, str) else tree
    return made | _attributes(prop, "avroAttributes", made.keys() | STANDARD.get(made["type"], set()))


def _asked_for(wanted: Any, prop: Property, place: Place) -> Any:
    if wanted == "enum" and prop.enum:
        tree = {"type": "enum", "name": place.name_of(prop), "symbols": [str(value) for value in prop.enum]}
        if "avroEnumDefault" in prop.custom:
            tree["default"] = prop.custom["avroEnumDefault"]
        return tree | _documented(prop)
    if wanted == "enum":
        return "string"
    if wanted == "fixed":
        fixed = {"type": "fixed", "name": place.name_of(prop), "size": prop.custom.get("avroSize")}
        return fixed | logical_of(prop, "fixed") | _documented(prop)
    if wanted in PRIMITIVES:
        logical = logical_of(prop, str(wanted))
        return {"type": wanted, **logical} if logical else wanted
    raise refused(prop, "avroType", "enum, fixed, a primitive type of Avro, or a whole type written out")


def _following(prop: Property, place: Place) -> Any:
    kind, options = prop.logical_type, prop.options
    if kind == "object" and prop.properties:
        name = place.name_of(prop)
        inside = Place(name.rpartition(".")[0], place.path)
        fields = [field_tree(p, inside) for p in prop.properties]
        return {"type": "record", "name": name, **_documented(prop), "fields": fields}
    if kind == "array" and prop.items is not None:
        return {"type": "array", "items": part_tree(prop.items, place.inner("item"))}
    if kind == "map" and prop.values is not None:
        return {"type": "map", "values": part_tree(prop.values, place.inner("value"))}
    if kind == "number" and "precision" in prop.custom:
        return {"type": "bytes", **decimal_of(prop)}
    base = _primitive(kind, options)
    if base is None:
        raise DeclarationError(
            f"the property {prop.name!r} of logicalType {kind!r} has no Avro type",
            code="MESH-C048",
            where=prop.where,
            why="an object needs properties, an array items, a map its value; "
            "vectors and integers beyond 64 bits are not carried",
            fix="describe what is inside it, or choose a type that Avro has",
        )
    if prop.custom.get("avroLogicalType") == "time-millis":
        base = "int"
    elif prop.custom.get("avroLogicalType") == "big-decimal":
        base = "bytes"
    logical = logical_of(prop, base)
    return {"type": base, **logical} if logical else base


def part_tree(prop: Property, place: Place) -> Any:
    """What stands in an array or map: never null, unless `avroNull` says where null goes."""
    kind = type_tree(prop, place)
    return _nullable(kind, prop) if "avroNull" in prop.custom else kind


def _primitive(kind: str, options: Mapping[str, Any]) -> str | None:
    form = options.get("format")
    if kind == "integer":
        if form in _BEYOND_INT64:
            return None
        return "int" if form in _INT32 else "long"
    if kind == "number":
        return "float" if form == "f32" else "double"
    plain = {"string": "string", "boolean": "boolean", "date": "int", "time": "long", "timestamp": "long"}
    return plain.get(kind)


def _documented(prop: Property) -> dict[str, Any]:
    said = (("avroTypeDoc", "doc"), ("avroTypeAliases", "aliases"))
    return {attribute: prop.custom[key] for key, attribute in said if key in prop.custom}


def _attributes(prop: Property, key: str, said: Set[str]) -> dict[str, Any]:
    found = prop.custom.get(key, {})
    # What the contract says elsewhere has one place, or the schema could say something else.
    if not isinstance(found, dict) or not said.isdisjoint(found):
        raise refused(prop, key, "a mapping of attributes that no other word says")
    return found
