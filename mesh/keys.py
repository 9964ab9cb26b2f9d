"""The bytes of a record key: one part as its text, several as a JSON array of their texts.

Different keys never have the same bytes, whatever their parts hold: the array is in the canonical form of
RFC 8785 (no blanks, only what must be escaped is), so it is what `JSON.stringify` writes too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mesh.event import instants_as_text

#: what JSON must escape; a quote and a backslash by themselves are replaced column-wise
_CONTROL = r"[\x00-\x1f]"


def record_keys(parts: Sequence[pa.Array]) -> list[bytes | None]:
    """The key of each row, from the columns of its parts in their order."""
    texts = [_text(part) for part in parts]
    if len(texts) == 1:
        return list(texts[0].cast(pa.binary()).to_pylist())
    if any(pc.any(pc.match_substring_regex(text, _CONTROL)).as_py() for text in texts):
        return [composite_key(row) for row in zip(*(text.to_pylist() for text in texts), strict=True)]
    joined = pc.binary_join_element_wise(*map(_escaped, texts), '","')
    return list(pc.binary_join_element_wise('["', joined, '"]', "").cast(pa.binary()).to_pylist())


def composite_key(parts: Sequence[str]) -> bytes:
    """The key of several parts."""
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":")).encode()


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return instants_as_text(column)
    return column.cast(pa.string())


def _escaped(text: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
