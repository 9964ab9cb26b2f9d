"""Whether a JSON default is a value of its type (Avro 1.12: any branch of a union will do).

Text stands for bytes and fixed, one character per byte (ISO-8859-1).
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh import limits
from mesh.schema.nodes import (
    MISSING,
    Array,
    Enum,
    Fixed,
    Map,
    Named,
    Node,
    Primitive,
    Record,
    Reference,
    Union,
)
from mesh.schema.strict_json import Json

_INTEGERS = {"int": 2**31, "long": 2**63}
#: 340,282,346,638,528,859,811,704,183,484,516,925,440: what a float can hold at most.
_FLOAT_MAX = (2 - 2**-23) * 2.0**127


class TooIntricate(ValueError):
    """A default takes more comparisons than a schema is worth."""


class DefaultCheck:
    """Checks the defaults of one schema within one budget of steps."""

    def __init__(self, names: Mapping[str, Named]) -> None:
        self._names = names
        self._steps = limits.COMPATIBILITY_STEPS

    def fits(self, value: Json, node: Node) -> bool:
        """Whether `value` is a default for `node`; raises TooIntricate when the budget is used up."""
        self._steps -= 1
        if self._steps < 0:
            raise TooIntricate
        match node:
            case Reference(fullname):
                return self.fits(value, self._names[fullname])
            case Union(branches):
                return any(self.fits(value, branch) for branch in branches)
            case Primitive(kind):
                return _fits_primitive(value, kind)
            case Array(items):
                return isinstance(value, list) and all(self.fits(item, items) for item in value)
            case Map(values):
                return isinstance(value, dict) and all(self.fits(item, values) for item in value.values())
            case Fixed():
                return _is_bytes(value) and len(str(value)) == node.size
            case Enum():
                return isinstance(value, str) and value in node.symbols
            case Record():
                return isinstance(value, dict) and self._fits_record(value, node)

    def _fits_record(self, value: dict[str, Json], record: Record) -> bool:
        known = {field.name for field in record.fields}
        return value.keys() <= known and all(
            self.fits(value[field.name], field.type) if field.name in value else field.default is not MISSING
            for field in record.fields
        )


def _fits_primitive(value: Json, kind: str) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    if kind == "bytes":
        return _is_bytes(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind in _INTEGERS:
        return isinstance(value, int) and -_INTEGERS[kind] <= value < _INTEGERS[kind]
    return abs(value) <= (_FLOAT_MAX if kind == "float" else 2.0**1023 * (2 - 2**-52))


def _is_bytes(value: Json) -> bool:
    return isinstance(value, str) and all(ord(character) <= 0xFF for character in value)
