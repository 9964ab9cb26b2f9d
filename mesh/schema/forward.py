"""References to types defined later in the same text: the definition moves to where it is first named.

Apache Avro's Java accepts such texts since 1.12 and spells them this way, and other libraries can read the
result: they want a definition before its first use.
"""

from __future__ import annotations

from mesh import limits
from mesh.schema.names import resolve
from mesh.schema.nodes import PRIMITIVES
from mesh.schema.parts import Tree
from mesh.schema.strict_json import Json

_NAMED = ("record", "enum", "fixed")


def definitions_first(tree: Json) -> Json:
    """`tree` with every definition where its name comes first; malformed parts stay as they are."""
    found: dict[str, Tree] = {}
    _collect(tree, "", found)
    return _Settling(found).settle(tree, "", 1) if found else tree


def _own_name(tree: Tree, namespace: str) -> str:
    """The full name of a definition; empty when it has none that is text."""
    name, own = tree.get("name"), tree.get("namespace")
    if not isinstance(name, str):
        return ""
    return resolve(name, own if isinstance(own, str) else namespace)


def _collect(tree: Json, namespace: str, found: dict[str, Tree]) -> None:
    if isinstance(tree, list):
        for branch in tree:
            _collect(branch, namespace, found)
    elif isinstance(tree, dict):
        inner = namespace
        if tree.get("type") in _NAMED:
            fullname = _own_name(tree, namespace)
            found.setdefault(fullname, tree)
            inner = fullname.rpartition(".")[0]
        fields = tree.get("fields")
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, dict):
                _collect(field.get("type"), inner, found)
        for part in ("items", "values"):
            _collect(tree.get(part), namespace, found)


class _Settling:
    def __init__(self, definitions: dict[str, Tree]) -> None:
        self._definitions = definitions
        self._placed: set[str] = set()
        self._moved: set[str] = set()

    def settle(self, tree: Json, namespace: str, depth: int) -> Json:
        if depth > limits.SCHEMA_DEPTH:
            return tree  # the reader of the tree refuses it, with its place
        if isinstance(tree, str):
            return self._named(tree, namespace, depth)
        if isinstance(tree, list):
            return [self.settle(branch, namespace, depth + 1) for branch in tree]
        if not isinstance(tree, dict):
            return tree
        kind = tree.get("type")
        if kind in _NAMED:
            fullname = _own_name(tree, namespace)
            if fullname in self._moved and tree is self._definitions[fullname]:
                return fullname
            self._placed.add(fullname)
            namespace = fullname.rpartition(".")[0]
        made = dict(tree)
        for part in ("items", "values"):
            if part in made and kind in ("array", "map"):
                made[part] = self.settle(made[part], namespace, depth + 1)
        if kind == "record" and "fields" in made:
            made["fields"] = self._fields(made["fields"], namespace, depth)
        return made

    def _fields(self, fields: Json, namespace: str, depth: int) -> Json:
        if not isinstance(fields, list):
            return fields
        return [
            {**field, "type": self.settle(field["type"], namespace, depth + 1)}
            if isinstance(field, dict) and "type" in field
            else field
            for field in fields
        ]

    def _named(self, name: str, namespace: str, depth: int) -> Json:
        fullname = resolve(name, namespace)
        definition = self._definitions.get(fullname)
        if name in PRIMITIVES or definition is None or fullname in self._placed:
            return name
        if "." not in fullname and namespace:
            return name  # a name without namespace cannot be written inside one
        moved = {**definition, "name": fullname.rpartition(".")[2], "namespace": fullname.rpartition(".")[0]}
        self._moved.add(fullname)
        return self.settle(moved, namespace, depth)
