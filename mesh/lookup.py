"""A product as a table: the latest event of each key, kept current by reading on."""

from __future__ import annotations

import pyarrow as pa

from mesh.decoding import Decoder
from mesh.interfaces import Receiver
from mesh.port import OutputPort

POLL_EVENTS = 100_000


class LookupTable:
    """Reads a topic from its start and follows it; `current` is what it holds now.

    The first call reads to the end that is there; later calls only take what has come since.
    """

    def __init__(self, port: OutputPort, decoder: Decoder, receiver: Receiver) -> None:
        self._port = port
        self._decoder = decoder
        self._receiver = receiver
        self._table = pa.Table.from_batches([], schema=port.codec.arrow_schema)

    def current(self) -> pa.Table:
        """One row per key, the latest of each."""
        fresh: list[pa.RecordBatch] = []
        while not self._receiver.at_end():
            messages = self._receiver.take(POLL_EVENTS, 0.5)
            if messages:
                fresh.append(self._decoder.decode(messages)[0].events)
        messages = self._receiver.take(POLL_EVENTS, 0.0)
        if messages:
            fresh.append(self._decoder.decode(messages)[0].events)
        if fresh:
            self._table = self._latest(pa.concat_tables([self._table, pa.Table.from_batches(fresh)]))
        return self._table

    def _latest(self, table: pa.Table) -> pa.Table:
        if not self._port.contract.key:
            return table
        numbered = table.append_column("__row", pa.array(range(table.num_rows), pa.int64()))
        last = numbered.group_by(list(self._port.contract.key)).aggregate([("__row", "max")])
        return table.take(last["__row_max"].combine_chunks().sort())

    def close(self) -> None:
        """Let go of the connection."""
        self._receiver.close()
