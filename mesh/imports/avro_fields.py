"""The fields of an Avro record as properties; what needs an avro… custom property is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mesh import limits
from mesh.contract.avro_names import NAMED
from mesh.contract.avro_types import Place, takes_null, type_tree
from mesh.contract.model import Property
from mesh.imports.avro_leaves import leaf, named_custom
from mesh.imports.avro_trees import expanded, same
from mesh.schema.nodes import (
    Array,
    Field,
    Map,
    Missing,
    Named,
    Node,
    Record,
    Reference,
    Union,
    namespace_of,
    simple_name,
)
from mesh.schema.refusal import OVER_BUDGET, refuse

#: What a custom property keeps, in words for people; the others only name what the mesh would name itself.
_WORDS: Final = {
    "avroType": "the type",
    "avroLogicalType": "the logical type",
    "avroName": "the name of the type",
    "avroTypeAliases": "the aliases of the type",
    "avroTypeDoc": "the documentation of the type",
    "avroNull": "where null stands in the union",
    "avroNoDefault": "a field that may be null and has no default",
    "avroOrder": "the order of the field",
    "avroAttributes": "attributes of the type beyond Avro's",
    "avroFieldAttributes": "attributes of the field beyond Avro's",
    "avroDoc": "documentation laid out in lines",
}


class Fields:
    """Turns fields into properties; `notes` collects (path, what, custom property)."""

    def __init__(self, names: Mapping[str, Named]) -> None:
        self._names = names
        self._count = 0
        self.notes: list[tuple[str, str, str]] = []

    def of_root(self, root: Record) -> tuple[Property, ...]:
        """The properties of an event."""
        place = Place(namespace_of(root.fullname), simple_name(root.fullname))
        return self._of(root, place, "$")

    def _of(self, record: Record, place: Place, path: str) -> tuple[Property, ...]:
        inside = Place(namespace_of(record.fullname), place.path)
        return tuple(self._field(field, inside, f"{path}.{field.name}") for field in record.fields)

    def _field(self, field: Field, owner: Place, path: str) -> Property:
        null, inner = _without_null(field.type)
        prop = self._typed(field.name, inner, owner.inner(field.name), path)
        custom = dict(prop.custom)
        optional = null is not None or takes_null(custom.get("avroType"))
        has_default = not isinstance(field.default, Missing)
        if optional and not has_default:
            custom["avroNoDefault"] = True
        elif has_default and field.default is not None:
            custom["avroDefault"] = field.default
        if null is not None and null != ("last" if "avroDefault" in custom else "first"):
            custom["avroNull"] = null
        description = " ".join((field.doc or "").split())
        if field.doc is not None and (field.doc != description or not description):
            custom["avroDoc"] = field.doc
        if field.aliases:
            custom["avroAliases"] = list(field.aliases)
        if field.order != "ascending":
            custom["avroOrder"] = field.order
        if field.attributes:
            custom["avroFieldAttributes"] = dict(field.attributes)
        self._note({key: value for key, value in custom.items() if key not in prop.custom}, path)
        return replace(prop, required=not optional, description=description, custom=custom)

    def _part(self, name: str, node: Node, place: Place, path: str) -> Property:
        null, inner = _without_null(node)
        prop = self._typed(name, inner, place, path)
        return prop if null is None else replace(prop, custom={**prop.custom, "avroNull": null})

    def _typed(self, name: str, node: Node, place: Place, path: str) -> Property:
        self._count += 1
        if self._count > limits.SCHEMA_NODES:
            refuse(OVER_BUDGET, path, f"written out, the schema has more than {limits.SCHEMA_NODES:,} types")
        if isinstance(node, Reference):
            return self._typed(name, self._names[node.fullname], place, path)
        made = self._candidate(name, node, place, path)
        if made is None or made.logical_type not in ("array", "map", "object"):
            tree = expanded(node, self._names)
            if made is None:
                made = Property(name=name, logical_type="object", description="", custom={"avroType": tree})
            elif not same(type_tree(made, place), tree):
                made = replace(made, custom={**made.custom, "avroType": tree})
        self._note(made.custom, path)
        return made

    def _candidate(self, name: str, node: Node, place: Place, path: str) -> Property | None:
        """What says this type in the standard's words, with avro… custom properties where they must be."""
        if isinstance(node, Union | Reference):
            return None
        if node.kind in NAMED and place.namespace and not namespace_of(getattr(node, "fullname", "")):
            return None
        custom: dict[str, Any] = {"avroAttributes": dict(node.attributes)} if node.attributes else {}
        if isinstance(node, Array):
            item = self._part("item", node.items, place.inner("item"), f"{path}[]")
            return Property(name=name, logical_type="array", description="", items=item, custom=custom)
        if isinstance(node, Map):
            value = self._part("value", node.values, place.inner("value"), f"{path}{{}}")
            return Property(name=name, logical_type="map", description="", values=value, custom=custom)
        if isinstance(node, Record):
            if not node.fields:
                return None
            inner = self._of(node, place, path)
            custom |= named_custom(node, place)
            return Property(name=name, logical_type="object", description="", properties=inner, custom=custom)
        return leaf(name, node, place)

    def _note(self, custom: Mapping[str, Any], path: str) -> None:
        for key in custom:
            if key == "avroType" and custom[key] in ("enum", "bytes"):
                continue
            if key in _WORDS:
                what = _WORDS[key]
                if key == "avroType" and isinstance(custom[key], list):
                    what = "a union of several types"
                elif key == "avroType":
                    what = f"the Avro type {str(custom[key])[:60]}"
                self.notes.append((path, what, key))


def _without_null(node: Node) -> tuple[str | None, Node]:
    """Where null stands in a union of null and one other type, and that type."""
    if isinstance(node, Union) and len(node.branches) == 2:
        first, second = node.branches
        if first.kind == "null" and second.kind != "null" and not getattr(first, "attributes", {}):
            return "first", second
        if second.kind == "null" and first.kind != "null" and not getattr(second, "attributes", {}):
            return "last", first
    return None, node
