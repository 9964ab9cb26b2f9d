"""A product as a table: the latest event of each key, kept current beside whoever looks things up in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pyarrow as pa

from mesh.decoding import Decoder
from mesh.errors import UnreachableError
from mesh.interfaces import Message, Receiver
from mesh.port import OutputPort

POLL_EVENTS = 100_000
#: how long one look for news may take; closing waits so long
FOLLOW_SECONDS = 0.2
#: how long the first reading may go on without an event
PATIENCE_SECONDS = 60.0
#: looking things up in many small pieces is slow
MOST_CHUNKS = 16
_KEY = "__key"


class LookupTable:
    """Reads a topic from its start and follows it in a thread of its own; `current` never waits for news.

    The first call waits until everything was read that was there. A tombstone takes its key out.
    """

    def __init__(self, port: OutputPort, decoder: Decoder, receiver: Receiver) -> None:
        self._port = port
        self._decoder = decoder
        self._receiver = receiver
        self._kept = port.codec.arrow_schema.append(pa.field(_KEY, pa.binary())).empty_table()
        self._table = self._kept.drop_columns([_KEY])
        self._ready = threading.Event()
        self._closed = threading.Event()
        self._trouble: Exception | None = None
        self._thread: threading.Thread | None = None

    def follow(self) -> None:
        """Begin to read, if that was not done before."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._follow, name=f"table {self._port.topic}", daemon=True
            )
            self._thread.start()

    def current(self) -> pa.Table:
        """One row per key, the latest of each; raises what stopped the reading."""
        self.follow()
        self._ready.wait()
        if self._trouble is not None:
            raise self._trouble
        return self._table

    def close(self) -> None:
        """Let go of the connection."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._receiver.close()

    def _follow(self) -> None:
        try:
            self._read_all()
            self._ready.set()
            while not self._closed.is_set():
                messages = self._receiver.take(POLL_EVENTS, FOLLOW_SECONDS)
                if messages:
                    self._take_in([messages])
        except Exception as error:
            self._trouble = error
        finally:
            self._ready.set()

    def _read_all(self) -> None:
        """To the end that is there; merged once, because merging costs as much as the table is long."""
        found: list[Sequence[Message]] = []
        quiet = 0.0
        while not self._receiver.at_end() and not self._closed.is_set():
            messages = self._receiver.take(POLL_EVENTS, FOLLOW_SECONDS)
            quiet = 0.0 if messages else quiet + FOLLOW_SECONDS
            if quiet > PATIENCE_SECONDS:
                raise UnreachableError(
                    "a lookup table cannot be read",
                    code="MESH-K057",
                    where=self._port.topic,
                    why=f"its end was not reached, and nothing came for {PATIENCE_SECONDS:.0f} s",
                    fix="mesh status",
                )
            if messages:
                found.append(messages)
        self._take_in(found)

    def _take_in(self, taken: Sequence[Sequence[Message]]) -> None:
        """Put the news in the place of what they replace, and show the table that comes of it."""
        import pyarrow.compute as pc

        parts: list[pa.RecordBatch] = []
        keys: list[bytes | None] = []
        touched: dict[bytes | None, int | None] = {}
        for messages in taken:
            batch, _unreadable = self._decoder.decode(messages)
            rows = iter(range(len(keys), len(keys) + len(batch)))
            readable = {id(message) for message in batch.messages}
            for message in messages:
                if id(message) in readable:
                    touched[message.key()] = next(rows)
                elif message.value() is None:
                    touched[message.key()] = None
            keys += [message.key() for message in batch.messages]
            parts.append(batch.events)
        fresh = pa.Table.from_batches(parts, self._port.codec.arrow_schema)
        fresh = fresh.append_column(pa.field(_KEY, pa.binary()), pa.array(keys, pa.binary()))
        kept = self._kept
        if self._port.contract.key:
            replaced = pc.is_in(kept[_KEY], pa.array(list(touched), pa.binary()))
            kept = kept.filter(pc.invert(replaced))
            last = sorted(row for row in touched.values() if row is not None)
            fresh = fresh.take(pa.array(last, pa.int64()))
        whole = pa.concat_tables([kept, fresh])
        self._kept = whole.combine_chunks() if whole[_KEY].num_chunks > MOST_CHUNKS else whole
        self._table = self._kept.drop_columns([_KEY])
