"""Between what people read (timestamps, decimals) and what Avro stores (longs, bytes).

Same bytes under another type wherever possible; only decimals are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mesh.codec.layout import Column

#: Arrow's widest decimal has 32 bytes; twice that allows for padding and bounds the arithmetic.
WIDEST: Final = 64
_DIGITS: Final = 160

Leaf = Callable[[pa.Array, Column], pa.Array]


def to_arrow(stored: pa.Array, column: Column) -> pa.Array:
    """Storage values as people read them; raises ArrowInvalid for a value its type cannot hold."""
    array = _rebuild(stored, column, _decimals)
    if column.holds_times:
        array.validate(full=True)
    return array


def to_storage(array: pa.Array, column: Column) -> pa.Array:
    """What Avro stores; the inverse of `to_arrow`."""
    return _rebuild(array, column, _unscaled)


def _rebuild(array: pa.Array, column: Column, leaf: Leaf) -> pa.Array:
    target = column.arrow if leaf is _decimals else column.storage
    if not column.holds_decimals:
        return array.view(target)
    if column.kind in ("record", "union"):
        children = [_rebuild(array.field(i), part, leaf) for i, (_, part) in enumerate(column.parts)]
        return pa.StructArray.from_arrays(children, fields=list(target), mask=array.is_null())
    if column.kind == "array":
        values = _rebuild(array.flatten(), column.inner, leaf)
        return pa.ListArray.from_arrays(offsets_of(array), values, type=target, mask=_nulls(array))
    if column.kind == "map":
        entries = entries_of(array)
        keys, values = entries.flatten().flatten()
        pairs = pa.StructArray.from_arrays(
            [keys, _rebuild(values, column.inner, leaf)], fields=list(_entry(target))
        )
        listed = pa.ListArray.from_arrays(
            offsets_of(entries),
            pairs,
            type=pa.list_(pa.field("entries", pairs.type, False)),
            mask=_nulls(array),
        )
        return listed.view(target)
    return leaf(array, column)


def entries_of(array: pa.Array) -> pa.Array:
    """A map as the list of its entries."""
    return array.view(pa.list_(pa.field("entries", _entry(array.type), False)))


def offsets_of(array: pa.Array) -> pa.Array:
    """Offsets into `array.flatten()`, whatever slice `array` is."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


def _entry(map_type: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field("key", map_type.key_type, False), map_type.item_field])


def _nulls(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def _decimals(array: pa.Array, column: Column) -> pa.Array:
    """Big-endian two's complement to decimals; more digits than declared raise ArrowInvalid."""
    raws = array.to_pylist()
    if any(raw is not None and len(raw) > WIDEST for raw in raws):
        raise pa.ArrowInvalid(f"a decimal takes more than {WIDEST} bytes")
    scale = column.arrow.scale
    with localcontext(prec=_DIGITS):
        values = [
            None if raw is None else Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-scale)
            for raw in raws
        ]
    return pa.array(values, column.arrow)


def _unscaled(array: pa.Array, column: Column) -> pa.Array:
    """Decimals to big-endian two's complement, the shortest for bytes, sign-extended for fixed."""
    size = column.storage.byte_width if pa.types.is_fixed_size_binary(column.storage) else 0
    with localcontext(prec=_DIGITS):
        numbers = [None if v is None else int(v.scaleb(column.arrow.scale)) for v in array.to_pylist()]
    return pa.array([None if n is None else twos_complement(n, size) for n in numbers], column.storage)


def twos_complement(number: int, size: int) -> bytes:
    """A number as big-endian bytes: so many, or as few as hold it where `size` is 0."""
    bits = (number if number >= 0 else ~number).bit_length()
    return number.to_bytes(size or bits // 8 + 1, "big", signed=True)
