"""The bytes of a record key: one part as its text, several as a JSON array of their texts.

Different keys never have the same bytes, whatever their parts hold: the array is in the canonical form of
RFC 8785 (no blanks, only what must be escaped is), so it is what `JSON.stringify` writes too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mesh.event import format_time, instants_as_text

Text = Callable[[Any], str]
RowKey = Callable[[Mapping[str, Any]], bytes | None]

_WRITTEN_AS_IN_PYTHON = (pa.string(), pa.int32(), pa.int64(), pa.date32())
#: what JSON must escape; a quote and a backslash by themselves are replaced column-wise
_CONTROL = r"[\x00-\x1f]"


def record_keys(parts: Sequence[pa.Array]) -> list[bytes | None]:
    """The key of each row, from the columns of its parts in their order; None where a part is null."""
    texts = [_text(part) for part in parts]
    if len(texts) == 1:
        return list(texts[0].cast(pa.binary()).to_pylist())
    if any(pc.any(pc.match_substring_regex(text, _CONTROL)).as_py() for text in texts):
        rows = zip(*(text.to_pylist() for text in texts), strict=True)
        return [None if None in row else composite_key(row) for row in rows]
    joined = pc.binary_join_element_wise(*map(_escaped, texts), '","')
    return list(pc.binary_join_element_wise('["', joined, '"]', "").cast(pa.binary()).to_pylist())


def row_key(names: Sequence[str], schema: pa.Schema) -> RowKey | None:
    """How one event in hand gets the same key; None where only a column says how a part is written.

    It answers None for an event without a key: a part of it is null.
    """
    texts = [_text_of(schema.field(name).type) for name in names]
    if not names:
        return lambda _: None
    if None in texts:
        return None
    parts = [(name, text) for name, text in zip(names, texts, strict=True) if text is not None]

    def key(event: Mapping[str, Any]) -> bytes | None:
        values = [event.get(name) for name, _ in parts]
        if None in values:
            return None
        found = [text(value) for (_, text), value in zip(parts, values, strict=True)]
        return found[0].encode() if len(found) == 1 else composite_key(found)

    return key


def composite_key(parts: Sequence[str]) -> bytes:
    """The key of several parts."""
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":")).encode()


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return instants_as_text(column)
    return column.cast(pa.string())


def _text_of(kind: pa.DataType) -> Text | None:
    if pa.types.is_timestamp(kind):
        return format_time if kind.unit == "us" and kind.tz else None
    return str if kind in _WRITTEN_AS_IN_PYTHON else None


def _escaped(text: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
