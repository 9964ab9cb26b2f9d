"""Single values to Arrow: which Python types a field takes, and what to say about the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from numbers import Integral, Real
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from mesh.codec.layout import Column
from mesh.years import EPOCH, LOCAL_EPOCH

_NONE: Final = type(None)
_EPOCHS: Final = {_NONE: LOCAL_EPOCH} | dict.fromkeys((timezone, ZoneInfo), EPOCH)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The Python types of a field: `takes`, except `but_not`; `called` is how an error names them."""

    takes: tuple[type, ...]
    called: str
    but_not: tuple[type, ...] = ()

    def takes_type(self, found: type) -> bool:
        """Whether values of a Python type may go into the field."""
        return issubclass(found, self.takes) and not issubclass(found, self.but_not)


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that cannot be stored: its index, the code and the reason."""

    index: int
    code: str
    why: str


_INTEGER: Final = Accepted((Integral,), "a whole number", (bool,))
_NUMBER: Final = Accepted((Real,), "a number", (bool,))
_TEXT: Final = Accepted((str, UUID), "a text")
_BYTES: Final = Accepted((bytes, bytearray, memoryview), "bytes")
_DATE: Final = Accepted((date,), "a date", (datetime,))
_DATETIME: Final = Accepted((datetime,), "a datetime")
_TIME: Final = Accepted((time,), "a time of day")
_DECIMAL: Final = Accepted((Decimal, int), "a Decimal", (bool,))
_RECORD: Final = Accepted((dict,), "an object with fields")
_LIST: Final = Accepted((Sequence,), "a list", (str, bytes, bytearray, memoryview))


@cache
def accepted_by(arrow: pa.DataType) -> Accepted:
    """The Python types that a field of an Arrow type takes."""
    types = pa.types
    if types.is_boolean(arrow):
        return Accepted((bool,), "true or false")
    if types.is_timestamp(arrow):
        return _DATETIME
    for is_kind, accepted in (
        (types.is_integer, _INTEGER),
        (types.is_floating, _NUMBER),
        (types.is_string, _TEXT),
        (types.is_date, _DATE),
        (types.is_time, _TIME),
        (types.is_decimal, _DECIMAL),
        (types.is_list, _LIST),
        (types.is_null, Accepted((), "null")),
        (types.is_nested, _RECORD),
    ):
        if is_kind(arrow):
            return accepted
    return _BYTES


def leaves(values: Sequence[Any], types: set[type], column: Column) -> pa.Array | Fault:
    """Values of one field (nulls allowed) as Arrow, or the first that does not go; `types` are theirs."""
    accepted = accepted_by(column.arrow)
    if any(issubclass(found, Enum) for found in types):
        values = [value.value if isinstance(value, Enum) else value for value in values]
        types = set(map(type, values)) - {_NONE}
    if not all(map(accepted.takes_type, types)):
        return wrong_type(values, accepted)
    if UUID in types:
        values = [str(value) if isinstance(value, UUID) else value for value in values]
    if column.symbols:
        unknown = set(values).difference(column.symbols, (None,))
        if unknown:
            at = next(index for index, value in enumerate(values) if value in unknown)
            return Fault(at, "MESH-E025", f"{shown(values[at])} is none of {', '.join(column.symbols[:20])}")
    try:
        array = _times(values, types, column.arrow)
        if array is None:
            array = pa.array(values, column.arrow)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError):
        return _out_of_range(values, column)
    if pa.types.is_float32(column.arrow) and pc.any(pc.is_inf(array)).as_py():
        return _overflow(values, array) or array
    return array


def _times(values: Sequence[Any], types: set[type], arrow: pa.DataType) -> pa.Array | None:
    """Datetimes by their distance from 1970: asking each for its offset, as Arrow does, costs ten times that.

    None where the two might differ: other units, subclasses, zones and no zones among each other.
    """
    if types != {datetime} or not pa.types.is_timestamp(arrow) or arrow.unit != "us":
        return None
    # By their types: zones of dateutil have no hash.
    zones = {type(value.tzinfo) for value in values if value is not None}
    epoch = _EPOCHS.get(zones.pop()) if len(zones) == 1 else None
    if epoch is None:
        return None
    distances = [None if value is None else value - epoch for value in values]
    return pa.array(distances, pa.duration("us")).view(arrow)


def wrong_type(values: Sequence[Any], accepted: Accepted) -> Fault:
    """The fault of the first value whose type is not accepted."""
    at = next(
        index
        for index, value in enumerate(values)
        if value is not None and not accepted.takes_type(type(value))
    )
    return Fault(at, "MESH-E021", f"expected {accepted.called}, got {shown(values[at])}")


def shown(value: object) -> str:
    """A value and its type in an error, shortened."""
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


def _out_of_range(values: Sequence[Any], column: Column) -> Fault:
    for index, value in enumerate(values):
        try:
            pa.array([value], column.arrow)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError) as error:
            return Fault(index, "MESH-E023", f"{shown(value)} does not fit {column.arrow}: {error}")
    return Fault(0, "MESH-E023", f"the values of the batch do not fit {column.arrow}")


def _overflow(values: Sequence[Any], array: pa.Array) -> Fault | None:
    for index in pc.indices_nonzero(pc.is_inf(array)).to_pylist():
        if abs(values[index]) != float("inf"):
            return Fault(index, "MESH-E023", f"{shown(values[index])} is beyond a 32-bit float")
    return None
