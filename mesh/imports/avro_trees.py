"""Avro types written out whole: full names everywhere, no reference left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.schema.nodes import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Named,
    Node,
    Primitive,
    Record,
    Reference,
    Union,
    namespace_of,
)
from mesh.schema.render import stated


def expanded(node: Node, names: Mapping[str, Named], namespace: str = "") -> Any:
    """The JSON of a type that stands in `namespace`, nothing in it depending on what was defined before."""
    match node:
        case Primitive(kind):
            return {"type": kind, **node.attributes} if node.attributes else kind
        case Reference(fullname):
            return expanded(names[fullname], names, namespace)
        case Union(branches):
            return [expanded(branch, names, namespace) for branch in branches]
        case Array(items):
            return {"type": "array", "items": expanded(items, names, namespace), **node.attributes}
        case Map(values):
            return {"type": "map", "values": expanded(values, names, namespace), **node.attributes}
    return _named(node, names)


def _named(node: Named, names: Mapping[str, Named]) -> Any:
    own = namespace_of(node.fullname)
    tree: dict[str, Any] = {"type": node.kind, "name": node.fullname}
    if not own:
        # Without it, the name would take the namespace around it.
        tree["namespace"] = ""
    if node.doc is not None:
        tree["doc"] = node.doc
    match node:
        case Record():
            tree["fields"] = [_field(field, names, own) for field in node.fields]
        case Enum():
            tree["symbols"] = list(node.symbols)
            if node.default is not None:
                tree["default"] = node.default
        case Fixed():
            tree["size"] = node.size
    if node.aliases:
        tree["aliases"] = list(node.aliases)
    return tree | dict(node.attributes)


def _field(field: Field, names: Mapping[str, Named], namespace: str) -> dict[str, Any]:
    tree: dict[str, Any] = {"name": field.name, "type": expanded(field.type, names, namespace)}
    return tree | stated(field) | dict(field.attributes)


def same(one: Any, other: Any) -> bool:
    """Whether two types are spelled alike, whatever the order of their attributes."""
    return bool(_sorted(one) == _sorted(other))


def _sorted(tree: Any) -> Any:
    if isinstance(tree, dict):
        # An empty namespace says the same as none where there is none around.
        kept = {key: value for key, value in tree.items() if not (key == "namespace" and value == "")}
        return {key: _sorted(value) for key, value in sorted(kept.items())}
    return [_sorted(item) for item in tree] if isinstance(tree, list) else tree
