"""An Avro schema as the types that record rules know; the codec's Arrow layout says the same of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.rules.types import Day, Entries, Exact, Flag, Items, Moment, Object, Opaque, Real, Text, Type, Whole
from mesh.schema import AvroSchema, logical_type
from mesh.schema.nodes import Array, Enum, Fixed, Map, Named, Node, Primitive, Record, Reference, Union

_PLAIN: Final[Mapping[str, Type]] = {
    "boolean": Flag(),
    "int": Whole(32),
    "long": Whole(64),
    "float": Real(32),
    "double": Real(64),
    "string": Text(),
}
_LOGICAL: Final[Mapping[str, Type]] = {
    "date": Day(),
    "time-millis": Opaque("time of day"),
    "time-micros": Opaque("time of day"),
    "timestamp-millis": Moment(utc=True, unit="ms"),
    "timestamp-micros": Moment(utc=True, unit="us"),
    "timestamp-nanos": Moment(utc=True, unit="ns"),
    "local-timestamp-millis": Moment(utc=False, unit="ms"),
    "local-timestamp-micros": Moment(utc=False, unit="us"),
    "local-timestamp-nanos": Moment(utc=False, unit="ns"),
}
_MOST_DIGITS: Final = 76  # beyond, Arrow has no decimals and the value stays bytes


def event_of(schema: AvroSchema) -> Object:
    """The event that an Avro schema describes; a recursive part of it is opaque."""
    found = _type(schema.root, schema.names, ())
    return found if isinstance(found, Object) else Object(())


def _type(node: Node, names: Mapping[str, Named], above: tuple[str, ...]) -> Type:
    match node:
        case Reference(fullname):
            return Opaque(fullname) if fullname in above else _type(names[fullname], names, above)
        case Union(branches):
            values = [branch for branch in branches if branch.kind != "null"]
            return _type(values[0], names, above) if len(values) == 1 else Opaque("union")
        case Array(items):
            return Items(_type(items, names, above))
        case Map(values):
            return Entries(_type(values, names, above))
        case Record(fullname=fullname, fields=fields):
            inside = (*above, fullname)
            return Object(tuple((field.name, _type(field.type, names, inside)) for field in fields))
        case Enum():
            return Text()
        case Primitive() | Fixed():
            return _leaf(node)


def _leaf(node: Primitive | Fixed) -> Type:
    logical = logical_type(node)
    if logical is not None and logical.name == "decimal" and logical.precision <= _MOST_DIGITS:
        return Exact(logical.precision, logical.scale)
    plain = _PLAIN.get(node.kind, Opaque(node.kind))
    return plain if logical is None else _LOGICAL.get(logical.name, plain)
