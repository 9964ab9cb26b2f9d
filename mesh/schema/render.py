"""A schema back as JSON, spelled one way: what makes two texts the same schema.

The spelling is the one schema registries keep (Apache Avro's `Schema.toString`): standard
attributes in a fixed order, white space gone, an inherited namespace and the same one written
out made alike; documentation, defaults and aliases stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    return _Spelling(_own_attributes).render(node, "")


def normal_tree(node: Node) -> Json:
    """As `full_tree`, with the attributes that Avro does not define in alphabetical order."""
    return _Spelling(lambda part: dict(sorted(_own_attributes(part).items()))).render(node, "")


def complete_tree(node: Node, names: Mapping[str, Named]) -> Json:
    """As `full_tree`, with the types of other schemas written out where they are first named."""
    return _Spelling(_own_attributes, names).render(node, "")


def codec_tree(node: Node, names: Mapping[str, Named]) -> Json:
    """As `complete_tree` for Avro libraries: no attribute they do not know, no logical type that fails."""
    return _Spelling(_codec_attributes, names).render(node, "")


def _own_attributes(part: Node | Field) -> Attributes:
    return {} if isinstance(part, Union | Reference) else part.attributes


def _codec_attributes(part: Node | Field) -> Attributes:
    if isinstance(part, Field):
        return {}
    logical = logical_type(part)
    if logical is None:
        return {}
    digits: Tree = {"precision": logical.precision, "scale": logical.scale} if logical.precision else {}
    return {"logicalType": logical.name, **digits}


class _Spelling:
    """One walk over the types; `elsewhere` holds those to be written out at their first name."""

    def __init__(self, attributes_of: AttributesOf, elsewhere: Mapping[str, Named] | None = None) -> None:
        self._attributes_of = attributes_of
        self._elsewhere = dict(elsewhere or {})

    def render(self, node: Node, namespace: str) -> Json:
        attributes = self._attributes_of(node)
        match node:
            case Primitive(kind):
                return {"type": kind, **attributes} if attributes else kind
            case Reference(fullname):
                definition = self._elsewhere.get(fullname)
                return self.render(definition, namespace) if definition else _seen_from(fullname, namespace)
            case Union(branches):
                return [self.render(branch, namespace) for branch in branches]
            case Array(items):
                return {"type": "array", "items": self.render(items, namespace), **attributes}
            case Map(values):
                return {"type": "map", "values": self.render(values, namespace), **attributes}
        return self._named(node, namespace, attributes)

    def _named(self, node: Named, namespace: str, attributes: Attributes) -> Json:
        self._elsewhere.pop(node.fullname, None)
        own = namespace_of(node.fullname)
        tree = _name(node, namespace)
        match node:
            case Record():
                tree["fields"] = [self._field(field, own) for field in node.fields]
            case Enum():
                tree["symbols"] = list(node.symbols)
                if node.default is not None:
                    tree["default"] = node.default
            case Fixed():
                tree["size"] = node.size
        tree.update(attributes)
        if node.aliases:
            tree["aliases"] = [_seen_from(alias, own) for alias in node.aliases]
        return tree

    def _field(self, field: Field, namespace: str) -> Json:
        tree: Tree = {"name": field.name, "type": self.render(field.type, namespace), **stated(field)}
        tree.update(self._attributes_of(field))
        return tree


def stated(field: Field) -> Tree:
    """What a field says beside its name, its type and attributes of its own, in one order."""
    tree: Tree = {}
    if field.doc is not None:
        tree["doc"] = field.doc
    if not isinstance(field.default, Missing):
        tree["default"] = field.default
    if field.order != "ascending":
        tree["order"] = field.order
    if field.aliases:
        tree["aliases"] = list(field.aliases)
    return tree


def _name(node: Named, namespace: str) -> Tree:
    own = namespace_of(node.fullname)
    tree: Tree = {"type": node.kind, "name": simple_name(node.fullname)}
    if own != namespace:
        tree["namespace"] = own
    if node.doc is not None:
        tree["doc"] = node.doc
    return tree


def _seen_from(fullname: str, namespace: str) -> str:
    return simple_name(fullname) if namespace_of(fullname) == namespace else fullname
