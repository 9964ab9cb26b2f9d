"""A schema back as JSON, spelled one way: what makes two texts the same schema.

The spelling is the one schema registries keep (Apache Avro's `Schema.toString`): standard
attributes in a fixed order, white space gone, an inherited namespace and the same one written
out made alike; documentation, defaults and aliases stay.
"""

from __future__ import annotations

from collections.abc import Callable

from mesh.schema.logical import logical_type
from mesh.schema.nodes import (
    Array,
    Attributes,
    Enum,
    Field,
    Fixed,
    Map,
    Missing,
    Named,
    Node,
    Primitive,
    Record,
    Reference,
    Union,
    namespace_of,
    simple_name,
)
from mesh.schema.strict_json import Json

AttributesOf = Callable[[Node | Field], Attributes]
Tree = dict[str, Json]


def full_tree(node: Node) -> Json:
    """The schema with all that its author wrote: the identity of a schema."""
    return _render(node, "", _own_attributes)


def codec_tree(node: Node) -> Json:
    """The schema for Avro libraries: no attribute they do not know, no logical type that does not hold."""
    return _render(node, "", _codec_attributes)


def _codec_attributes(part: Node | Field) -> Attributes:
    if isinstance(part, Field):
        return {}
    logical = logical_type(part)
    if logical is None:
        return {}
    digits: Tree = {"precision": logical.precision, "scale": logical.scale} if logical.precision else {}
    return {"logicalType": logical.name, **digits}


def _render(node: Node, namespace: str, attributes_of: AttributesOf) -> Json:
    match node:
        case Primitive(kind):
            attributes = attributes_of(node)
            return {"type": kind, **attributes} if attributes else kind
        case Reference(fullname):
            return _seen_from(fullname, namespace)
        case Union(branches):
            return [_render(branch, namespace, attributes_of) for branch in branches]
        case Array(items):
            return {"type": "array", "items": _render(items, namespace, attributes_of), **attributes_of(node)}
        case Map(values):
            return {"type": "map", "values": _render(values, namespace, attributes_of), **attributes_of(node)}
    own = namespace_of(node.fullname)
    tree = _name(node, namespace)
    match node:
        case Record():
            tree["fields"] = [_field(field, own, attributes_of) for field in node.fields]
        case Enum():
            tree["symbols"] = list(node.symbols)
            if node.default is not None:
                tree["default"] = node.default
        case Fixed():
            tree["size"] = node.size
    tree.update(attributes_of(node))
    if node.aliases:
        tree["aliases"] = [_seen_from(alias, own) for alias in node.aliases]
    return tree


def _name(node: Named, namespace: str) -> Tree:
    own = namespace_of(node.fullname)
    tree: Tree = {"type": node.kind, "name": simple_name(node.fullname)}
    if own != namespace:
        tree["namespace"] = own
    if node.doc is not None:
        tree["doc"] = node.doc
    return tree


def _field(field: Field, namespace: str, attributes_of: AttributesOf) -> Json:
    tree: Tree = {"name": field.name, "type": _render(field.type, namespace, attributes_of)}
    if field.doc is not None:
        tree["doc"] = field.doc
    if not isinstance(field.default, Missing):
        tree["default"] = field.default
    if field.order != "ascending":
        tree["order"] = field.order
    if field.aliases:
        tree["aliases"] = list(field.aliases)
    tree.update(attributes_of(field))
    return tree


def _seen_from(fullname: str, namespace: str) -> str:
    return simple_name(fullname) if namespace_of(fullname) == namespace else fullname


def normal_tree(node: Node) -> Json:
    """As `full_tree`, with the attributes that Avro does not define in alphabetical order."""
    return _render(node, "", lambda part: dict(sorted(_own_attributes(part).items())))


def _own_attributes(part: Node | Field) -> Attributes:
    return {} if isinstance(part, Union | Reference) else part.attributes
