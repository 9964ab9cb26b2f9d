"""A few datums straight to rows, without Arrow: the way back of `plain`, and as careful.

What is given out is what the columns of the same datums would give as rows. A datum that is refused, is
written in an unusual way, or holds what a row has no word for is left to the columns, which say why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from mesh.codec.layout import Column
from mesh.codec.plain import NotPlain
from mesh.codec.reference import FastavroCodec
from mesh.codec.storage import WIDEST
from mesh.errors import EventError
from mesh.years import EPOCH, EPOCH_DAY, LOCAL_EPOCH, bounds

Give = Callable[[Any], Any]

_MICROSECONDS: Final = {"ms": 1_000, "us": 1}
_AS_STORED: Final = frozenset({pa.null(), pa.bool_(), pa.int64(), pa.float32(), pa.float64(), pa.string()})


@dataclass(frozen=True, slots=True)
class FewEvents:
    """Events that were read without Arrow, as storage values."""

    codec: FastavroCodec
    give: Give
    stored: Sequence[dict[str, Any]]

    @property
    def num_rows(self) -> int:
        """How many there are."""
        return len(self.stored)

    def rows(self) -> list[dict[str, Any]]:
        """The events as dicts, new ones each time."""
        return [self.give(event) for event in self.stored]

    def batch(self) -> pa.RecordBatch:
        """The same as columns."""
        return self.codec.columns(self.stored)


class PlainReader:
    """Reads datums of one schema."""

    def __init__(self, codec: FastavroCodec, give: Give) -> None:
        self._codec = codec
        self._give = give

    def read(self, datums: Sequence[bytes]) -> FewEvents:
        """All of these datums; raises NotPlain when one of them asks for a closer look."""
        try:
            return FewEvents(self._codec, self._give, [self._codec.stored(datum) for datum in datums])
        except EventError as error:
            raise NotPlain from error


def plain_reader(codec: FastavroCodec) -> PlainReader | None:
    """None where some value of the schema is only to be had from columns."""
    give = _given(codec.layout)
    return None if give is None else PlainReader(codec, give)


def _given(column: Column) -> Give | None:
    give = _present(column)
    if give is None or give is _same or not column.nullable:
        return give
    return lambda value: None if value is None else give(value)


def _present(column: Column) -> Give | None:
    if column.kind == "union":
        return None
    inner = [_given(part) for _, part in column.parts]
    if not all(inner):
        return None
    match column.kind, [give for give in inner if give is not None]:
        case "record", gives:
            return _record(list(zip((name for name, _ in column.parts), gives, strict=True)))
        case "array", [item]:
            return list if item is _same else lambda value: [item(one) for one in value]
        case "map", [item]:
            return lambda value: [(key, item(one)) for key, one in value.items()]
    return _leaf(column)


def _record(parts: Sequence[tuple[str, Give]]) -> Give:
    computed = [(name, give) for name, give in parts if give is not _same]

    def record(value: dict[str, Any]) -> dict[str, Any]:
        found = dict(value)
        for name, give in computed:
            found[name] = give(found[name])
        return found

    return record


def _leaf(column: Column) -> Give | None:
    arrow, types = column.arrow, pa.types
    if types.is_int32(arrow):
        return _int32
    if types.is_date32(arrow):
        return _day
    if types.is_timestamp(arrow) and arrow.unit in _MICROSECONDS:
        return _moment(arrow)
    if types.is_decimal(arrow):
        return _decimal(arrow.precision, arrow.scale)
    if arrow in _AS_STORED or types.is_binary(arrow) or types.is_fixed_size_binary(arrow):
        return _same
    return None


def _same(value: Any) -> Any:
    return value


def _int32(value: int) -> int:
    if not -(2**31) <= value < 2**31:
        raise NotPlain
    return value


def _day(value: int) -> date:
    first, end = bounds(pa.date32())
    if not first <= value < end:
        raise NotPlain
    return date.fromordinal(value + EPOCH_DAY)


def _moment(kind: pa.DataType) -> Give:
    (first, end), scale = bounds(kind), _MICROSECONDS[kind.unit]
    epoch = LOCAL_EPOCH if kind.tz is None else EPOCH

    def moment(value: int) -> datetime:
        if not first <= value < end:
            raise NotPlain
        return epoch + timedelta(microseconds=value * scale)

    return moment


def _decimal(precision: int, scale: int) -> Give:
    most = 10**precision

    def decimal(value: bytes) -> Decimal:
        number = int.from_bytes(value, "big", signed=True)
        if abs(number) >= most or len(value) > WIDEST:
            raise NotPlain
        return Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -scale))

    return decimal
