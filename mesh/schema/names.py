"""Avro names: which are allowed, and what they mean where they stand."""

from __future__ import annotations

import re

from mesh import limits
from mesh.schema.nodes import PRIMITIVES
from mesh.schema.refusal import BAD_ATTRIBUTE, BAD_NAME, NAME_TAKEN, REPEATED, refuse
from mesh.schema.strict_json import Json

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_RULE = "a name is letters, digits and _, not starting with a digit; parts are joined with dots"


def resolve(name: str, namespace: str) -> str:
    """The full name of `name` where `namespace` is the surrounding one."""
    return name if "." in name or not namespace else f"{namespace}.{name}"


def declared_name(tree: dict[str, Json], namespace: str, path: str) -> str:
    """The full name that a type definition declares; raises SchemaError when Avro does not allow it."""
    name, own = tree.get("name"), tree.get("namespace")
    if not isinstance(name, str):
        refuse(BAD_ATTRIBUTE, f"{path}.name", "a named type needs a name")
    if own is not None and not isinstance(own, str):
        refuse(BAD_ATTRIBUTE, f"{path}.namespace", "a namespace is text")
    if own and "." not in name:
        check_name(own, f"{path}.namespace")
    fullname = resolve(name, namespace if own is None else own)
    check_name(fullname, f"{path}.name")
    if fullname in PRIMITIVES:
        refuse(NAME_TAKEN, f"{path}.name", f"{fullname!r} is the name of a primitive type")
    return fullname


def check_name(fullname: str, path: str) -> None:
    """Raise SchemaError unless every part of `fullname` is a legal name and all are short enough."""
    if len(fullname) > limits.NAME_LENGTH:
        shown = f"{fullname[:40]}…"
        refuse(BAD_NAME, path, f"the name {shown!r} is longer than {limits.NAME_LENGTH} characters")
    if _NAME.match(fullname) is None:
        refuse(BAD_NAME, path, f"{fullname!r} is not an Avro name", why=_RULE)


def check_simple_name(name: Json, path: str, kind: str) -> str:
    """A field name, symbol or field alias: one part, no dots."""
    if not isinstance(name, str):
        refuse(BAD_ATTRIBUTE, path, f"a {kind} is text")
    if "." in name:
        refuse(BAD_NAME, path, f"{name[:80]!r} is not a {kind}", why=f"a {kind} has no dots")
    check_name(name, path)
    return name


def check_distinct(names: list[str], path: str, kind: str) -> tuple[str, ...]:
    """The names as they are; raises SchemaError when one appears twice."""
    if len(set(names)) == len(names):
        return tuple(names)
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            refuse(REPEATED, f"{path}[{index}]", f"the {kind} {name!r} appears twice")
        seen.add(name)
    return tuple(names)


def text_list(tree: dict[str, Json], key: str, path: str) -> list[str]:
    """The list of texts at `key`, empty when absent; raises SchemaError for anything else."""
    found = tree.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        refuse(BAD_ATTRIBUTE, f"{path}.{key}", f"{key} is a list of names")
    return [str(name) for name in found]
