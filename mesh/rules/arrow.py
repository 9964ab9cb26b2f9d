"""Arrow's types as the types that rules know."""

from __future__ import annotations

import pyarrow as pa

from mesh.rules.types import Day, Entries, Exact, Flag, Items, Moment, Object, Opaque, Real, Text, Type, Whole


def object_of(schema: pa.Schema) -> Object:
    """The event that has an Arrow schema."""
    return Object(tuple((field.name, type_of(field.type)) for field in schema))


def type_of(found: pa.DataType) -> Type:
    """The rules' type of an Arrow type; what rules do not look into is opaque."""
    types = pa.types
    if types.is_integer(found):
        return Whole(found.bit_width)
    if types.is_floating(found):
        return Real(found.bit_width)
    if types.is_decimal(found):
        return Exact(found.precision, found.scale)
    if types.is_string(found):
        return Text()
    if types.is_boolean(found):
        return Flag()
    if types.is_timestamp(found):
        return Moment(utc=found.tz is not None, unit=found.unit)
    if types.is_date(found):
        return Day()
    if types.is_map(found):
        return Entries(type_of(found.item_type))
    if types.is_list(found):
        return Items(type_of(found.value_type))
    if types.is_struct(found):
        return Object(tuple((part.name, type_of(part.type)) for part in found))
    if types.is_time(found):
        return Opaque("time of day")
    return Opaque("bytes" if types.is_binary(found) else str(found))
