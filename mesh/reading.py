"""Reading what is on an output port now, once: no group, nothing committed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mesh.decoding import Batch, Decoder, to_polars
from mesh.interfaces import Receiver
from mesh.port import OutputPort

if TYPE_CHECKING:
    import pandas
    import polars

BATCH = 10_000


class Reading:
    """Everything that is on a port now, once, without a group and without committing anything."""

    def __init__(self, port: OutputPort, decoder: Decoder, receiver: Receiver) -> None:
        self._port = port
        self._decoder = decoder
        self._receiver = receiver
        self.unreadable = 0

    def batches(self, *, most: int = BATCH) -> Iterator[Batch]:
        """Batches until the end that was there when the reading began."""
        try:
            while not self._receiver.at_end():
                messages = self._receiver.take(most, 1.0)
                if messages:
                    batch, poison = self._decoder.decode(messages)
                    self.unreadable += len(poison)
                    if len(batch):
                        yield batch
        finally:
            self._receiver.close()

    def to_arrow(self) -> pa.Table:
        """All events as one Arrow table."""
        return pa.Table.from_batches([b.events for b in self.batches()], schema=self._port.codec.arrow_schema)

    def to_polars(self) -> polars.DataFrame:
        """All events as one Polars frame."""
        return to_polars(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """All events as one pandas frame."""
        return self.to_arrow().to_pandas()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All events as dicts."""
        for batch in self.batches():
            yield from batch.rows()
