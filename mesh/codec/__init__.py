"""Events as columns: rows to Arrow, Arrow to Avro datums, and back.

    batch = to_batch(rows, codec)                 what people pass, checked field by field
    values = codec.encode(batch, frame_prefix(schema_id))
    decoded = codec.decode_with_poison(datums)

`codec_for` picks the engine: pyruhvro for many events of a schema where it is proven equal to fastavro,
fastavro elsewhere.
"""

from __future__ import annotations

from typing import Literal

from mesh.codec.interface import Codec, Decoded
from mesh.codec.layout import Column, arrow_schema, layout_of
from mesh.codec.rows import to_batch
from mesh.schema import AvroSchema

__all__ = ["Codec", "Column", "Decoded", "EngineChoice", "arrow_schema", "codec_for", "layout_of", "to_batch"]

EngineChoice = Literal["auto", "fastavro"]


def codec_for(schema: AvroSchema, engine: EngineChoice = "auto") -> Codec:
    """The codec of a schema; raises SchemaError when its events have no columns.

    `engine="fastavro"` leaves the fast engine out.
    """
    from mesh.codec.reference import FastavroCodec

    if engine == "auto":
        from mesh.codec.fast import declines
        from mesh.codec.sized import SizedCodec

        if declines(schema) is None:
            return SizedCodec(schema)
    return FastavroCodec(schema)
