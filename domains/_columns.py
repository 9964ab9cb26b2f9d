"""Columns of events in Arrow, as contracts speak of them: required or optional."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

INSTANT = pa.timestamp("us", "UTC")
#: A pa.Array of a batch or a pa.ChunkedArray of a table: Arrow computes with either.
Column: TypeAlias = Any
#: Arrow's functions; untyped, because the published stubs refuse Python scalars that Arrow accepts.
compute: Any = pyarrow.compute


def required(name: str, kind: pa.DataType) -> pa.Field[Any]:
    """A column in which every event has a value."""
    return pa.field(name, kind, nullable=False)


def optional(name: str, kind: pa.DataType) -> pa.Field[Any]:
    """A column in which an event may have no value."""
    return pa.field(name, kind, nullable=True)
