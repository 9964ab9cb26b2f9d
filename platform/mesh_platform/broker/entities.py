"""Kafka messages to and from bytes, driven by the protocol definitions of `kio`.

The native decoder of kio reserves memory for an array before it looks at the bytes, so a frame that
claims two thousand million items would end the process. This reader takes kio's definitions and its
primitive readers. It refuses an array that claims more items than there are bytes left or than a request
may have in all, null where the definition allows none, and a text longer than Kafka's longest. Times are
plain integers in milliseconds and error codes plain integers, on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import NoneType
from typing import Any, get_args

from kio.serial import readers, writers
from kio.static.constants import uuid_zero

from mesh import limits

Read = Callable[[bytes, int], tuple[Any, int]]
Write = Callable[[Any, Any], None]

_READERS: Mapping[str, tuple[Any, Any]] = {
    # kafka type: (reader, reader when nullable)
    "int8": (readers.read_int8, None),
    "int16": (readers.read_int16, None),
    "int32": (readers.read_int32, None),
    "int64": (readers.read_int64, None),
    "uint16": (readers.read_uint16, None),
    "uint32": (readers.read_uint32, None),
    "float64": (readers.read_float64, None),
    "bool": (readers.read_boolean, None),
    "uuid": (readers.read_uuid, readers.read_uuid),
    "string": (readers.read_legacy_string, readers.read_nullable_legacy_string),
    "bytes": (readers.read_legacy_bytes, readers.read_nullable_legacy_bytes),
    "compact string": (readers.read_compact_string, readers.read_compact_string_nullable),
    "compact bytes": (readers.read_compact_string_as_bytes, readers.read_compact_string_as_bytes_nullable),
}
_WRITERS: Mapping[str, tuple[Any, Any]] = {
    "int8": (writers.write_int8, None),
    "int16": (writers.write_int16, None),
    "int32": (writers.write_int32, None),
    "int64": (writers.write_int64, None),
    "uint16": (writers.write_uint16, None),
    "uint32": (writers.write_uint32, None),
    "float64": (writers.write_float64, None),
    "bool": (writers.write_boolean, None),
    "uuid": (writers.write_uuid, writers.write_uuid),
    "string": (writers.write_legacy_string, writers.write_nullable_legacy_string),
    "bytes": (writers.write_legacy_bytes, writers.write_nullable_legacy_bytes),
    "compact string": (writers.write_compact_string, writers.write_nullable_compact_string),
    "compact bytes": (writers.write_compact_string, writers.write_nullable_compact_string),
}
_PLAIN = {
    "error_code": "int16",
    "timedelta_i32": "int32",
    "timedelta_i64": "int64",
    "datetime_i64": "int64",
    "records": "bytes",
}
_NOTHING: Mapping[str, object] = {
    "string": "",
    "bytes": b"",
    "bool": False,
    "uuid": uuid_zero,
    "float64": 0.0,
}
_MESSAGE = "error_message"
_LONGEST_PREFIX = 3  # bytes that the length of the longest text takes in front of it
#: Array items and tagged fields that what is being read may still have.
_items_left: ContextVar[int] = ContextVar("_items_left")


class BadFrame(Exception):
    """The bytes are no Kafka request; the connection they came on is closed."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    tag: int | None
    entity: Any
    kafka_type: str
    is_array: bool
    nullable: bool
    default: object


@cache
def _layout(entity: Any) -> tuple[tuple[_Field, ...], tuple[_Field, ...]]:
    """The fields of a kio entity: those always on the wire, and the tagged ones in tag order."""
    found = [_describe(field, entity.__flexible__) for field in dataclasses.fields(entity)]
    tagged = sorted((f for f in found if f.tag is not None), key=lambda f: f.tag or 0)
    return tuple(f for f in found if f.tag is None), tuple(tagged)


def _describe(field: Any, flexible: bool) -> _Field:
    kind, nullable = field.type, False
    if NoneType in get_args(kind):
        kind, nullable = next(a for a in get_args(kind) if a is not NoneType), True
    is_array = getattr(kind, "__origin__", None) is tuple
    if is_array:
        kind = get_args(kind)[0]
    entity = kind if dataclasses.is_dataclass(kind) else None
    kafka_type = _PLAIN.get(raw := field.metadata.get("kafka_type", ""), raw)
    default: object
    if raw == "datetime_i64":
        default, nullable = -1, False
    elif isinstance(field.default, timedelta):
        default = field.default // timedelta(milliseconds=1)
    elif isinstance(field.default, int) and not isinstance(field.default, bool):
        default = int(field.default)
    elif field.default is not dataclasses.MISSING and entity is None:
        default = field.default
    elif is_array:
        default = ()
    elif entity is not None:
        default = None if nullable else {}
    else:
        default = None if nullable and kafka_type in ("string", "bytes") else _NOTHING.get(kafka_type, 0)
    if flexible and kafka_type in ("string", "bytes"):
        kafka_type = f"compact {kafka_type}"
    return _Field(field.name, field.metadata.get("tag"), entity, kafka_type, is_array, nullable, default)


def read_entity(entity: Any, data: bytes, at: int) -> tuple[Any, int]:
    """The entity at `at`, and how many bytes it takes. Raises BadFrame, and what kio's readers raise."""
    _items_left.set(limits.REQUEST_ITEMS)
    return _entity_reader(entity)(data, at)


def _spend(items: int) -> None:
    left = _items_left.get() - items
    if left < 0:
        raise BadFrame(f"more than {limits.REQUEST_ITEMS} items in one request")
    _items_left.set(left)


@cache
def _entity_reader(entity: Any) -> Read:
    fixed, tagged = _layout(entity)
    plan = tuple((f.name, _reader(f, entity.__flexible__)) for f in fixed)
    tags = {f.tag: (f.name, _reader(f, flexible=True)) for f in tagged}
    absent = {f.name: f.default if f.entity is None or f.is_array else None for f in tagged}
    flexible: bool = entity.__flexible__

    def read(data: bytes, at: int) -> tuple[Any, int]:
        start, values = at, dict(absent)
        for name, reader in plan:
            values[name], size = reader(data, at)
            at += size
        if flexible:
            count, size = readers.read_unsigned_varint(data, at)
            at += size
            _spend(count)
            for _ in range(count):
                tag, size = readers.read_unsigned_varint(data, at)
                at += size
                length, size = readers.read_unsigned_varint(data, at)
                at += size
                if at + length > len(data):
                    raise BadFrame("a tagged field is longer than its frame")
                if tag in tags:
                    name, reader = tags[tag]
                    values[name], _ = reader(data, at)
                at += length
        return entity(**values), at - start

    return read


def _reader(field: _Field, flexible: bool) -> Read:
    if field.entity is not None:
        item = _entity_reader(field.entity)
    else:
        pair = _READERS[field.kafka_type]
        item = pair[1] if field.nullable and not field.is_array and pair[1] else pair[0]
        item = _text_reader(item) if field.kafka_type == "compact string" else item
    if field.is_array:
        length = readers.read_compact_array_length if flexible else readers.read_legacy_array_length
        return _array_reader(item, length) if field.nullable else _never_null(_array_reader(item, length))
    if field.entity is not None and field.nullable:
        return _nullable_reader(item)
    return item


def _array_reader(item: Read, read_length: Any) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        start = at
        length, size = read_length(data, at)
        at += size
        if length is None or length == -1:
            return None, size
        if length < 0 or length > len(data) - at:
            raise BadFrame(f"an array claims {length} items with {len(data) - at} bytes left")
        _spend(length)
        items = []
        for _ in range(length):
            value, size = item(data, at)
            at += size
            items.append(value)
        return tuple(items), at - start

    return read


def _text_reader(item: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        text, size = item(data, at)
        if size > limits.TEXT_BYTES + _LONGEST_PREFIX:
            raise BadFrame(f"a text of {size} bytes; the most is {limits.TEXT_BYTES}")
        return text, size

    return read


def _never_null(item: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        value, size = item(data, at)
        if value is None:
            raise BadFrame("null where an array must be")
        return value, size

    return read


def _nullable_reader(item: Read) -> Read:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        marker, size = readers.read_int8(data, at)
        if marker < 0:
            return None, size
        value, length = item(data, at + size)
        return value, size + length

    return read


@cache
def entity_writer(entity: Any) -> Write:
    fixed, tagged = _layout(entity)
    plan = tuple((f.name, _writer(f, entity.__flexible__), f.default) for f in fixed)
    tags = tuple((f.name, f.tag, _writer(f, flexible=True), f.default) for f in tagged)
    flexible: bool = entity.__flexible__

    def write(buffer: Any, values: Mapping[str, Any]) -> None:
        get = values.get
        for name, writer, default in plan:
            writer(buffer, get(name, default))
        if flexible:
            present = [t for t in tags if t[0] in values and values[t[0]] != t[3]]
            writers.write_unsigned_varint(buffer, len(present))  # type: ignore[arg-type]
            for name, tag, writer, _ in present:
                writers.write_tagged_field(buffer, tag, writer, values[name])  # type: ignore[arg-type]

    return write


def _writer(field: _Field, flexible: bool) -> Write:
    if field.entity is not None:
        item = entity_writer(field.entity)
    else:
        pair = _WRITERS[field.kafka_type]
        item = pair[1] if field.nullable and not field.is_array and pair[1] else pair[0]
    if field.name == _MESSAGE:
        return _clipped(item)
    if field.is_array:
        return writers.compact_array_writer(item) if flexible else writers.legacy_array_writer(item)
    if field.entity is not None and field.nullable:
        return _nullable_writer(item)
    return item


def _clipped(item: Write) -> Write:
    """What a client is told may quote what it sent; together they could be longer than a text may be."""
    return lambda buffer, value: item(buffer, value and value[: limits.MESSAGE_LENGTH])


def _nullable_writer(item: Write) -> Write:
    def write(buffer: Any, value: Mapping[str, Any] | None) -> None:
        writers.write_int8(buffer, -1 if value is None else 1)  # type: ignore[arg-type]
        if value is not None:
            item(buffer, value)

    return write
