"""Turn the JSON of a schema into types, checking every rule where its place is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mesh import limits
from mesh.schema.names import check_distinct, check_name, check_simple_name, declared_name, resolve, text_list
from mesh.schema.nodes import (
    MISSING,
    PRIMITIVES,
    Array,
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
)
from mesh.schema.parts import (
    ORDERS,
    STANDARD,
    WRITTEN_OUT_NODES,
    Tree,
    attributes_of,
    doc_of,
    refuse_depth,
    refuse_nodes,
    refuse_reserved,
    size_of,
    symbols_of,
)
from mesh.schema.refusal import (
    BAD_ATTRIBUTE,
    BAD_UNION,
    NAME_TAKEN,
    OVER_BUDGET,
    UNKNOWN_TYPE,
    ZERO_WIDTH,
    Hazard,
    refuse,
)
from mesh.schema.shape import Shape, shape_of
from mesh.schema.strict_json import Json


class Known(NamedTuple):
    """Types defined in other texts, by full name, and their shapes."""

    names: Mapping[str, Named]
    shapes: Mapping[str, Shape]


class Builder:
    """Turns one JSON tree into nodes, checking every rule where its place is known."""

    def __init__(self, known: Known | None = None) -> None:
        self.names: dict[str, Named] = dict(known.names) if known else {}
        self.shapes: dict[str, Shape] = dict(known.shapes) if known else {}
        self.recursive = False
        #: What makes the schema unsafe to decode with, in the order of the text.
        self.hazards: list[Hazard] = []
        #: The full names of types defined elsewhere that the text refers to.
        self.used: set[str] = set()
        self._elsewhere = frozenset(self.names)
        self._open: set[str] = set()
        self._count = 0
        #: (default, type, path) of every field that has one: checked when all names are known.
        self.defaults: list[tuple[Json, Node, str]] = []

    def build(self, tree: Json, namespace: str, path: str, depth: int) -> Node:
        self._count += 1
        if self._count > limits.SCHEMA_NODES:
            refuse_nodes(path, limits.SCHEMA_NODES)
        if depth > limits.SCHEMA_DEPTH:
            refuse_depth(path)
        if isinstance(tree, str):
            return Primitive(tree) if tree in PRIMITIVES else self._refer(tree, namespace, path, depth)
        if isinstance(tree, list):
            return self._union(tree, namespace, path, depth)
        if not isinstance(tree, dict):
            refuse(BAD_ATTRIBUTE, path, "a type is a name, a union (list) or a definition (object)")
        return self._complex(tree, namespace, path, depth)

    def _complex(self, tree: Tree, namespace: str, path: str, depth: int) -> Node:
        kind = tree.get("type")
        if not isinstance(kind, str):
            refuse(BAD_ATTRIBUTE, f"{path}.type", "a type definition needs a type that is text")
        for key in tree:
            refuse_reserved(key, path)
        if kind in PRIMITIVES:
            return Primitive(kind, attributes_of(tree, {"type"}))
        if kind in ("array", "map"):
            return self._collection(kind, tree, namespace, path, depth)
        if kind not in STANDARD or kind == "field":
            return self._refer(kind, namespace, f"{path}.type", depth)
        return self._named(kind, tree, namespace, path, depth)

    def _refer(self, name: str, namespace: str, path: str, depth: int) -> Node:
        fullname = resolve(name, namespace)
        if fullname in self._open:
            self.recursive = True
        elif fullname not in self.names:
            why = f"the primitive types are {', '.join(sorted(PRIMITIVES))}; others need a definition first"
            refuse(
                UNKNOWN_TYPE, path, f"the type {fullname[:80]!r} is not defined before this place", why=why
            )
        elif depth + self.shapes[fullname].height - 1 > limits.SCHEMA_DEPTH:
            refuse_depth(path)
        if fullname in self._elsewhere:
            self.used.add(fullname)
        return Reference(fullname)

    def _union(self, branches: list[Json], namespace: str, path: str, depth: int) -> Node:
        if not branches:
            refuse(BAD_UNION, path, "the union is empty")
        if len(branches) > limits.UNION_BRANCHES:
            refuse(OVER_BUDGET, path, f"the union has more than {limits.UNION_BRANCHES} branches")
        nodes = []
        keys = []
        for index, branch in enumerate(branches):
            if isinstance(branch, list):
                refuse(BAD_UNION, f"{path}[{index}]", "a union stands directly inside a union")
            node = self.build(branch, namespace, f"{path}[{index}]", depth + 1)
            nodes.append(node)
            keys.append(node.fullname if isinstance(node, Reference | Record | Enum | Fixed) else node.kind)
        check_distinct(keys, path, "union branch")
        return Union(tuple(nodes))

    def _collection(self, kind: str, tree: Tree, namespace: str, path: str, depth: int) -> Node:
        part = "items" if kind == "array" else "values"
        if part not in tree:
            refuse(BAD_ATTRIBUTE, path, f"{kind} needs {part}")
        inner = self.build(tree[part], namespace, f"{path}.{part}", depth + 1)
        if shape_of(inner, self.shapes).width == 0:
            why = "six bytes could then announce billions of them"
            what = f"the {part} of this {kind} take no bytes"
            self.hazards.append(Hazard(ZERO_WIDTH, f"{path}.{part}", what, why))
        attributes = attributes_of(tree, STANDARD[kind])
        return Array(inner, attributes) if kind == "array" else Map(inner, attributes)

    def _named(self, kind: str, tree: Tree, namespace: str, path: str, depth: int) -> Node:
        fullname = declared_name(tree, namespace, path)
        if fullname in self.names or fullname in self._open:
            refuse(NAME_TAKEN, f"{path}.name", f"the type {fullname!r} is defined twice")
        own = fullname.rpartition(".")[0]
        aliases = [resolve(alias, own) for alias in text_list(tree, "aliases", path)]
        for index, alias in enumerate(aliases):
            check_name(alias, f"{path}.aliases[{index}]")
        others = check_distinct(aliases, f"{path}.aliases", "alias")
        doc, attributes = doc_of(tree), attributes_of(tree, STANDARD[kind])
        self._open.add(fullname)
        node: Named
        if kind == "record":
            fields = self._fields(tree, own, path, depth)
            node = Record(fullname=fullname, fields=fields, aliases=others, doc=doc, attributes=attributes)
        elif kind == "enum":
            symbols, default = symbols_of(tree, path)
            node = Enum(
                fullname=fullname,
                symbols=symbols,
                default=default,
                aliases=others,
                doc=doc,
                attributes=attributes,
            )
        else:
            size = size_of(tree, path)
            node = Fixed(fullname=fullname, size=size, aliases=others, doc=doc, attributes=attributes)
        self._close(node, path)
        return node

    def _close(self, node: Named, path: str) -> None:
        self._open.remove(node.fullname)
        shape = shape_of(node, self.shapes)
        if shape.nodes > WRITTEN_OUT_NODES:
            refuse_nodes(path, WRITTEN_OUT_NODES)
        self.names[node.fullname] = node
        self.shapes[node.fullname] = shape

    def _fields(self, tree: Tree, namespace: str, path: str, depth: int) -> tuple[Field, ...]:
        found = tree.get("fields")
        if not isinstance(found, list):
            refuse(BAD_ATTRIBUTE, f"{path}.fields", "a record needs a list of fields")
        fields = [
            self._field(field, namespace, f"{path}.fields[{index}]", depth)
            for index, field in enumerate(found)
        ]
        check_distinct([field.name for field in fields], f"{path}.fields", "field")
        return tuple(fields)

    def _field(self, tree: Json, namespace: str, path: str, depth: int) -> Field:
        if not isinstance(tree, dict) or "type" not in tree:
            refuse(BAD_ATTRIBUTE, path, "a field is an object with a name and a type")
        for key in tree:
            refuse_reserved(key, path)
        name = check_simple_name(tree.get("name"), f"{path}.name", "field name")
        order = tree.get("order", "ascending")
        if not isinstance(order, str) or order not in ORDERS:
            refuse(BAD_ATTRIBUTE, f"{path}.order", f"the order of a field is one of {', '.join(ORDERS)}")
        aliases = text_list(tree, "aliases", path)
        for index, alias in enumerate(aliases):
            check_simple_name(alias, f"{path}.aliases[{index}]", "field alias")
        node = self.build(tree["type"], namespace, f"{path}.type", depth + 1)
        default: Json | Missing = MISSING
        if "default" in tree:
            default = tree["default"]
            self.defaults.append((default, node, f"{path}.default"))
        return Field(
            name=name,
            type=node,
            default=default,
            order=order,
            aliases=check_distinct(aliases, f"{path}.aliases", "alias"),
            doc=doc_of(tree),
            attributes=attributes_of(tree, STANDARD["field"]),
        )
