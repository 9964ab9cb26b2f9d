"""Avro types without parts as properties: primitives, enums, fixed, and their logical types."""

from __future__ import annotations

from typing import Any, Final

from mesh.contract.avro_types import Place
from mesh.contract.model import Property
from mesh.schema.logical import Logical, logical_type
from mesh.schema.nodes import Enum, Fixed, Named, Primitive

_PLAIN: Final[dict[str, tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "null": ("string", {}, {"avroType": "null"}),
    "boolean": ("boolean", {}, {}),
    "int": ("integer", {"format": "i32"}, {}),
    "long": ("integer", {}, {}),
    "float": ("number", {"format": "f32"}, {}),
    "double": ("number", {}, {}),
    "bytes": ("string", {}, {"avroType": "bytes"}),
    "string": ("string", {}, {}),
}
_NATIVE: Final = {"date": "date", "time-micros": "time", "timestamp-micros": "timestamp"}


def leaf(name: str, node: Primitive | Enum | Fixed, place: Place) -> Property:
    """The property that says a type in the standard's words, the rest in avro… custom properties."""
    if isinstance(node, Enum):
        custom: dict[str, Any] = {"avroType": "enum", **named_custom(node, place)}
        if node.default is not None:
            custom["avroEnumDefault"] = node.default
        custom |= _rest(node, ())
        return Property(name=name, logical_type="string", description="", enum=node.symbols, custom=custom)
    logical = logical_type(node)
    if isinstance(node, Fixed):
        custom = {"avroType": "fixed", "avroSize": node.size, **named_custom(node, place)}
        kind, options, said = _meaning(logical) if logical else ("string", {}, {})
    else:
        custom = {}
        kind, options, said = _meaning(logical) if logical else _PLAIN[node.kind]
    return _property(name, kind, options, custom | said | _rest(node, _spoken(logical)))


def named_custom(node: Named, place: Place) -> dict[str, Any]:
    """The name, documentation and aliases of a named type, where they do not follow from its place."""
    custom: dict[str, Any] = {}
    following = f"{place.namespace}.{place.path}" if place.namespace else place.path
    if node.fullname != following:
        custom["avroName"] = node.fullname
    if node.doc is not None:
        custom["avroTypeDoc"] = node.doc
    if node.aliases:
        custom["avroTypeAliases"] = list(node.aliases)
    return custom


def _meaning(logical: Logical) -> tuple[str, dict[str, Any], dict[str, Any]]:
    name = logical.name
    if name == "decimal":
        return "number", {}, {"precision": logical.precision, "scale": logical.scale}
    if name == "uuid":
        return "string", {"format": "uuid"}, {}
    if name in ("duration", "big-decimal"):
        return "string" if name == "duration" else "number", {}, {"avroLogicalType": name}
    options = {"timezone": False} if name.startswith("local-") else {}
    native = name.removeprefix("local-") in _NATIVE
    kind = "timestamp" if "timestamp" in name else name.partition("-")[0]
    return kind, options, {} if native else {"avroLogicalType": name}


def _spoken(logical: Logical | None) -> tuple[str, ...]:
    if logical is None:
        return ()
    return ("logicalType", "precision", "scale") if logical.name == "decimal" else ("logicalType",)


def _rest(node: Primitive | Enum | Fixed, spoken: tuple[str, ...]) -> dict[str, Any]:
    rest = {key: value for key, value in node.attributes.items() if key not in spoken}
    return {"avroAttributes": rest} if rest else {}


def _property(name: str, kind: str, options: dict[str, Any], custom: dict[str, Any]) -> Property:
    return Property(name=name, logical_type=kind, description="", options=options, custom=custom)
