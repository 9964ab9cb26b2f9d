"""A window as the pandas frame that Great Expectations looks at, column by column from Arrow.

The types are chosen so that nothing is lost (a null stays a null, NaN stays NaN, 2**53 + 1 stays itself) and
Great Expectations stays on its vectorised paths. Dates and times become instants in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from mesh.rules.masks import compile_masks
from mesh.rules.model import Required, Rule

if TYPE_CHECKING:
    import pandas

EXACT_IN_FLOAT = 2**53  #: up to here a 64-bit float has every whole number
EXACT_DIGITS = 15  #: decimals of so many digits stay apart as 64-bit floats
Window: TypeAlias = pa.RecordBatch | pa.Table


@dataclass(frozen=True, slots=True)
class Frame:
    """The columns that could be made, and why the others could not."""

    data: pandas.DataFrame
    missing: Mapping[str, str]


def frame_of(window: Window, columns: Iterable[str], verdicts: Mapping[str, Rule]) -> Frame:
    """Columns by their dotted paths, and one of true and false per rule (null where its property is null)."""
    import pandas as pd

    batch = _one_batch(window)
    made: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name in columns:
        column = _column(batch, name)
        if column is None:
            missing[name] = f"the window has no property {name!r}"
        else:
            _try(made, missing, name, column)
    for name, rule in verdicts.items():
        try:
            _try(made, missing, name, _verdict(batch, rule))
        except Exception as error:
            missing[name] = f"{rule.sentence!r} could not be computed: {error}"
    return Frame(pd.DataFrame(made, index=range(batch.num_rows)), missing)


def _one_batch(window: Window) -> pa.RecordBatch:
    if isinstance(window, pa.RecordBatch):
        return window
    batches = window.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=window.schema)


def _column(batch: pa.RecordBatch, path: str) -> pa.Array | None:
    head, *rest = path.split(".")
    if head not in batch.schema.names:
        return None
    column = batch.column(head)
    for name in rest:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
            return None
        column = pc.struct_field(column, name)
    return column


def _verdict(batch: pa.RecordBatch, rule: Rule) -> pa.Array:
    broken = compile_masks([rule], batch.schema).check(batch).broken
    mask = broken[0][1] if broken else pa.repeat(pa.scalar(value=True), batch.num_rows)
    column = None if isinstance(rule.check, Required) else _column(batch, rule.path)
    return mask if column is None else pc.if_else(column.is_valid(), mask, pa.scalar(None, pa.bool_()))


def _try(made: dict[str, Any], missing: dict[str, str], name: str, column: pa.Array) -> None:
    try:
        made[name] = _series(column)
    except Exception as error:
        missing[name] = f"{name!r} of type {column.type} could not be laid out: {error}"


def _series(column: pa.Array) -> Any:
    import numpy as np
    import pandas as pd

    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _series(column.dictionary_decode())
    if types.is_string(kind):
        return pd.array(column, dtype=pd.StringDtype("pyarrow", na_value=np.nan))
    if types.is_boolean(kind):
        values = np.asarray(column.fill_null(fill_value=False).to_numpy(zero_copy_only=False))
        return pd.arrays.BooleanArray(values, np.asarray(column.is_null().to_numpy(zero_copy_only=False)))
    if types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None):
        return column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")).to_pandas()
    if types.is_timestamp(kind):
        return column.to_pandas()
    if types.is_nested(kind):
        return _series(pa.array([_as_text(value) for value in column.to_pylist()], pa.string()))
    if types.is_floating(kind) and not _has_nan(column):
        return column.cast(pa.float64()).to_pandas()
    if types.is_integer(kind) and _fits_float(column):
        return column.cast(pa.int64()).to_pandas()
    if types.is_decimal(kind) and kind.precision <= EXACT_DIGITS:
        return column.cast(pa.float64()).to_pandas()
    return pd.array(column, dtype=pd.ArrowDtype(kind))


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, default=str)


def _has_nan(column: pa.Array) -> bool:
    return bool(pc.any(pc.is_nan(column)).as_py())


def _fits_float(column: pa.Array) -> bool:
    """Whether pandas keeps each integer: with nulls among them they become floats."""
    if not column.null_count or column.null_count == len(column):
        return True
    ends = pc.min_max(column).as_py()
    return bool(ends["min"] >= -EXACT_IN_FLOAT and ends["max"] <= EXACT_IN_FLOAT)
