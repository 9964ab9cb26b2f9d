"""Named types written once: Avro defines a name at its first place and refers to it afterwards."""

from __future__ import annotations

from typing import Any

from mesh.schema.names import resolve

NAMED = ("record", "enum", "fixed")


def written_once(tree: Any) -> Any:
    """The schema with every repeated definition of the same type replaced by its name."""
    return _once(tree, "", {})


def _once(tree: Any, namespace: str, known: dict[str, Any]) -> Any:
    if isinstance(tree, list):
        return [_once(branch, namespace, known) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    kind = tree.get("type")
    if kind in NAMED and isinstance(tree.get("name"), str):
        own = tree.get("namespace", namespace)
        fullname = resolve(tree["name"], own if isinstance(own, str) else namespace)
        if known.get(fullname) == tree:
            return fullname
        known.setdefault(fullname, tree)
        namespace = fullname.rpartition(".")[0]
    made = dict(tree)
    if kind == "record" and isinstance(tree.get("fields"), list):
        made["fields"] = [_field(field, namespace, known) for field in tree["fields"]]
    part = {"array": "items", "map": "values"}.get(str(kind))
    if part in tree:
        made[part] = _once(tree[part], namespace, known)
    return made


def _field(field: Any, namespace: str, known: dict[str, Any]) -> Any:
    if not isinstance(field, dict) or "type" not in field:
        return field
    return {**field, "type": _once(field["type"], namespace, known)}
