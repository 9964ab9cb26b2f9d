"""Strategies: valid Avro schemas, changed versions of them, and data for them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
FIELD_NAMES = ["a", "b", "c", "d"]
SYMBOLS = ["A", "B", "C"]
_VALUES: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [True],
    "int": [0, -1],
    "long": [0, 2**40],
    "float": [0.5],
    "double": [0.25],
    "bytes": [""],
    "string": ["", "x"],
}


@st.composite
def types(draw: st.DrawFn, depth: int = 2) -> Any:
    kinds = ["primitive"] * 4 + ["enum", "fixed"] + (["record", "array", "map", "union"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        return draw(st.sampled_from(PRIMITIVES[1:]))
    if kind == "enum":
        return draw(enums())
    if kind == "fixed":
        return {"type": "fixed", "name": "", "size": draw(st.integers(1, 2))}
    if kind == "array":
        return {"type": "array", "items": draw(types(depth - 1))}
    if kind == "map":
        return {"type": "map", "values": draw(types(depth - 1))}
    if kind == "union":
        branches = draw(st.lists(st.sampled_from(PRIMITIVES), min_size=1, max_size=3, unique=True))
        extra = draw(st.none() | records(depth - 1))
        return branches + ([extra] if extra else [])
    return draw(records(depth - 1))


@st.composite
def enums(draw: st.DrawFn) -> Any:
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
    default = {"default": symbols[0]} if draw(st.booleans()) else {}
    return {"type": "enum", "name": "", "symbols": symbols, **default}


@st.composite
def records(draw: st.DrawFn, depth: int = 2) -> Any:
    names = draw(st.lists(st.sampled_from(FIELD_NAMES), min_size=1, unique=True))
    return {"type": "record", "name": "", "fields": [draw(fields(name, depth)) for name in names]}


@st.composite
def fields(draw: st.DrawFn, name: str, depth: int) -> Any:
    kind = draw(types(depth))
    made = {"name": name, "type": kind}
    if isinstance(kind, str) and draw(st.booleans()):
        made["default"] = draw(st.sampled_from(_VALUES[kind]))
    return made


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """A writer's schema and a reader's: the same after a few edits, named consistently."""
    writer = draw(records())
    reader = copy.deepcopy(writer)
    for _ in range(draw(st.integers(0, 3))):
        edit(draw, reader)
    return named(writer), named(reader)


def edit(draw: st.DrawFn, record: Any) -> None:
    """Change a record as authors do: drop, add, retype, widen, rename or reorder a field."""
    fields_ = record["fields"]
    choice = draw(st.sampled_from(["drop", "add", "retype", "nullable", "reverse", "deeper", "rename"]))
    if choice == "add":
        free = [name for name in FIELD_NAMES if all(name != item["name"] for item in fields_)]
        if free:
            fields_.append(draw(fields(draw(st.sampled_from(free)), 1)))
        return
    if not fields_:
        return
    target = draw(st.sampled_from(fields_))
    if choice == "drop":
        fields_.remove(target)
    elif choice == "rename":
        target["aliases"] = [*target.get("aliases", []), target["name"]]
        target["name"] = f"{target['name']}{len(target['aliases'])}"
    elif choice == "reverse":
        fields_.reverse()
    elif choice == "retype":
        target["type"] = draw(types(1))
        target.pop("default", None)
    elif choice == "nullable" and not isinstance(target["type"], list) and target["type"] != "null":
        target["type"] = ["null", target["type"]]
        target.pop("default", None)
    elif choice == "deeper" and isinstance(target["type"], dict) and target["type"].get("type") == "record":
        edit(draw, target["type"])


def named(tree: Any, path: str = "R") -> Any:
    """Name each named type by its place, so that the same place has the same name on both sides."""
    if isinstance(tree, list):
        return [named(branch, path) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    made = dict(tree)
    if "name" in made and not made["name"]:
        made["name"] = f"{path}_{made['type']}"
    for part in ("items", "values"):
        if part in made:
            made[part] = named(made[part], f"{path}_{part}")
    if made.get("type") == "record":
        made["fields"] = [
            {**field, "type": named(field["type"], f"{path}_{field['name']}")} for field in made["fields"]
        ]
    return made


@st.composite
def data(draw: st.DrawFn, tree: Any) -> Any:
    """A value that the schema's writer can encode."""
    if isinstance(tree, list):
        branch = draw(st.sampled_from(tree))
        value = draw(data(branch))
        # A tuple names the branch, so that the writer does not guess another one.
        return (branch["name"] if isinstance(branch, dict) else branch, value)
    if isinstance(tree, str):
        return draw(_primitive(tree))
    kind = tree["type"]
    if kind == "record":
        return {field["name"]: draw(data(field["type"])) for field in tree["fields"]}
    if kind == "array":
        return draw(st.lists(data(tree["items"]), max_size=2))
    if kind == "map":
        return draw(st.dictionaries(st.text("xyz", max_size=2), data(tree["values"]), max_size=2))
    if kind == "enum":
        return draw(st.sampled_from(tree["symbols"]))
    return draw(st.binary(min_size=tree["size"], max_size=tree["size"]))


def _primitive(kind: str) -> st.SearchStrategy[Any]:
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
        "double": st.floats(allow_nan=False, allow_infinity=False),
        "bytes": st.text("abc", max_size=3).map(str.encode),
        "string": st.text(max_size=3),
    }[kind]
