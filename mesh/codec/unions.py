"""Unions of several types: a struct with one field per branch in Arrow, a tagged value in fastavro."""

from __future__ import annotations

from typing import Any

from mesh.codec.layout import Column


def holds_unions(column: Column) -> bool:
    """Whether a value of the column names its branch anywhere inside."""
    return any(part.kind == "union" for part in column.walk())


def tagged(value: Any, column: Column) -> Any:
    """A storage value with each union as fastavro's `(branch, value)`, also where null is the only other.

    fastavro would look for the branch by the value, and knows none that has such pairs inside.
    """
    if value is None:
        return None
    found = _inside(value, column)
    return (column.branch, found) if column.branch else found


def _inside(value: Any, column: Column) -> Any:
    match column.kind:
        case "union":
            name, part = next((name, part) for name, part in column.parts if value[name] is not None)
            return name, tagged(value[name], part)
        case "record":
            return {name: tagged(value[name], part) for name, part in column.parts}
        case "array":
            return [tagged(item, column.inner) for item in value]
        case "map":
            return {key: tagged(item, column.inner) for key, item in value.items()}
    return value
