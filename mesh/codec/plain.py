"""Plain rows straight to their datums, without Arrow: what one event costs is what a loop of calls costs.

A row is plain when each value is of the very type that its field stores, in its range. Nothing is refused
here and nothing converted that could lose something: a row that is not plain is left to `to_batch`, which
takes or refuses it and says why. So what is written here is byte for byte what the engines write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from mesh.codec.layout import Column
from mesh.codec.models import reader_of
from mesh.codec.reference import FastavroCodec
from mesh.codec.storage import twos_complement
from mesh.years import EPOCH, EPOCH_DAY, LOCAL_EPOCH, bounds

Store = Callable[[Any], Any]

#: Of so few events each is looked at by itself: beyond, calls into Arrow are sooner over.
FEW: Final = 32

_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST, _END = bounds(pa.timestamp("us"))
#: the largest number of 32 bits; what is beyond may still round down to it, which is not for us to say
_FLOAT_MAX: Final = (2 - 2**-23) * 2.0**127
#: up to here every whole number is a double
_WHOLE: Final = 2**53


class NotPlain(Exception):
    """A row that asks for a closer look."""


class PlainRows:
    """Rows of one schema: `events` reads them, `datum` writes one."""

    def __init__(self, codec: FastavroCodec, store: Store) -> None:
        self._codec = codec
        self._store = store

    def events(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Rows as dicts, models read; raises NotPlain."""
        return [row if type(row) is dict else _read(row) for row in rows]

    def datum(self, event: dict[str, Any], prefix: bytes = b"") -> bytes:
        """The datum of an event after `prefix`; raises NotPlain."""
        try:
            return self._codec.datum(self._store(event), prefix)
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise NotPlain from error


def plain_rows(codec: FastavroCodec) -> PlainRows | None:
    """None where some value of the schema is never plain."""
    store = _store_of(codec.layout)
    return None if store is None else PlainRows(codec, store)


def _read(row: Any) -> dict[str, Any]:
    if not hasattr(row, "model_dump"):
        raise NotPlain
    model: Any = type(row)
    found: dict[str, Any] = reader_of(model)(row)
    return found


def _store_of(column: Column) -> Store | None:
    store = _present(column)
    if store is None or column.kind == "null" or not column.nullable:
        return store
    return lambda value: None if value is None else store(value)


def _present(column: Column) -> Store | None:
    match column.kind:
        case "record":
            return _record(column)
        case "array":
            item = _store_of(column.inner)
            return None if item is None else _array(item)
        case "map":
            value = _store_of(column.inner)
            return None if value is None else _map(value)
        case "enum":
            return _symbol(frozenset(column.symbols))
        case _:
            return _leaf(column)


def _record(column: Column) -> Store | None:
    parts = []
    for name, part in column.parts:
        store = _store_of(part)
        if store is None:
            return None
        parts.append((name, store, part.nullable))

    def record(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise NotPlain
        found, absent = {}, 0
        for name, store, nullable in parts:
            if name in value:
                found[name] = store(value[name])
            elif nullable:
                found[name] = None
                absent += 1
            else:
                raise NotPlain
        if len(value) + absent != len(parts):
            raise NotPlain
        return found

    return record


def _array(item: Store) -> Store:
    def array(value: Any) -> list[Any]:
        if type(value) is not list:
            raise NotPlain
        return [item(one) for one in value]

    return array


def _map(inner: Store) -> Store:
    def entries(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise NotPlain
        return {_text(name): inner(one) for name, one in value.items()}

    return entries


def _symbol(symbols: frozenset[str]) -> Store:
    def symbol(value: Any) -> Any:
        if type(value) is not str or value not in symbols:
            raise NotPlain
        return value

    return symbol


def _leaf(column: Column) -> Store | None:
    arrow, types = column.arrow, pa.types
    if types.is_decimal(arrow):
        size = column.storage.byte_width if types.is_fixed_size_binary(column.storage) else 0
        return _decimal(arrow.precision, arrow.scale, size)
    if types.is_timestamp(arrow) and arrow.unit == "us":
        return _instant if arrow.tz else _local
    if types.is_fixed_size_binary(arrow):
        return _fixed(arrow.byte_width)
    return _LEAVES.get(arrow)


def _exactly(kind: type) -> Store:
    def exact(value: Any) -> Any:
        if type(value) is not kind:
            raise NotPlain
        return value

    return exact


_text: Final = _exactly(str)


def _whole(bits: int) -> Store:
    first, last = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def whole(value: Any) -> Any:
        if type(value) is not int or not first <= value <= last:
            raise NotPlain
        return value

    return whole


def _double(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int and -_WHOLE <= value <= _WHOLE:
        return float(value)
    raise NotPlain


def _single(value: Any) -> float:
    if type(value) is not float or _FLOAT_MAX < abs(value) != float("inf"):
        raise NotPlain
    return value


def _fixed(size: int) -> Store:
    def fixed(value: Any) -> Any:
        if type(value) is not bytes or len(value) != size:
            raise NotPlain
        return value

    return fixed


def _day(value: Any) -> int:
    if type(value) is not date:
        raise NotPlain
    return value.toordinal() - EPOCH_DAY


def _instant(value: Any) -> int:
    if type(value) is not datetime:
        raise NotPlain
    since = (value - (LOCAL_EPOCH if value.tzinfo is None else EPOCH)) // _MICROSECOND
    if not _FIRST <= since < _END:  # the zone may carry it out of the years that there are
        raise NotPlain
    return since


def _local(value: Any) -> int:
    if type(value) is not datetime or value.tzinfo is not None:
        raise NotPlain
    return (value - LOCAL_EPOCH) // _MICROSECOND


def _decimal(precision: int, scale: int, size: int) -> Store:
    def decimal(value: Any) -> bytes:
        if type(value) is not Decimal or not value.is_finite():
            raise NotPlain
        sign, digits, exponent = value.as_tuple()
        shift = int(exponent) + scale
        if not 0 <= shift <= precision or len(digits) + shift > precision:
            raise NotPlain
        number = int("".join(map(str, digits))) * 10**shift
        return twos_complement(-number if sign else number, size)

    return decimal


_LEAVES: Final[dict[pa.DataType, Store]] = {
    pa.null(): _exactly(type(None)),
    pa.bool_(): _exactly(bool),
    pa.int32(): _whole(32),
    pa.int64(): _whole(64),
    pa.float32(): _single,
    pa.float64(): _double,
    pa.string(): _text,
    pa.binary(): _exactly(bytes),
    pa.date32(): _day,
}
