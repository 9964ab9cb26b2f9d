"""A compacted topic as the table it is: the latest readable event of each key, without the deleted ones."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mesh.decoding import Batch, Decoder
from mesh.interfaces import Message, Receiver

MOST_PER_TAKE = 50_000


class LatestEvents:
    """Folds records in their order; a record without a value (tombstone) deletes its key."""

    def __init__(self, schema: pa.Schema) -> None:
        self.events = pa.Table.from_batches([], schema=schema)
        self._keys = pa.chunked_array([], pa.binary())

    def read(self, receiver: Receiver, decoder: Decoder) -> None:
        """Everything that is on the topic now. Raises UnreachableError."""
        try:
            while not receiver.at_end():
                messages = receiver.take(MOST_PER_TAKE, 1.0)
                if messages:
                    self.fold(messages, decoder.decode(messages)[0])
        finally:
            receiver.close()

    def fold(self, messages: Sequence[Message], batch: Batch) -> None:
        """Take in records; `batch` holds those that could be read."""
        rows = {id(message): row for row, message in enumerate(batch.messages)}
        latest: dict[bytes, int | None] = {}
        for message in messages:
            key = message.key()
            if key is not None and (message.value() is None or id(message) in rows):
                latest[key] = rows.get(id(message))
        if not latest:
            return
        untouched = pc.invert(pc.is_in(self._keys, value_set=pa.array(list(latest), pa.binary())))
        kept = {key: row for key, row in latest.items() if row is not None}
        fresh = pa.Table.from_batches([batch.events.take(pa.array(list(kept.values()), pa.int64()))])
        self.events = pa.concat_tables([self.events.filter(untouched), fresh]).combine_chunks()
        self._keys = pa.chunked_array(
            [*self._keys.filter(untouched).chunks, pa.array(list(kept), pa.binary())], pa.binary()
        )
