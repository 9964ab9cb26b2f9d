"""A product as a table that DuckDB reads: again for each look at it, only what is asked, never all at once.

Only the columns that a query needs go on, and its conditions on them are applied batch by batch. Conditions
on `_published` become offsets, so that what was published at other times is not fetched at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from mesh.decoding import Batch, Decoder
from mesh.interfaces import Message, Receiver
from mesh.port import OutputPort
from mesh.query.times import published_between

PUBLISHED: Final = "_published"
PARTITION: Final = "_partition"
OFFSET: Final = "_offset"
#: Facts about an event that its contract does not know; a table has those that its query names.
FACTS: Final[Mapping[str, pa.DataType]] = {
    PUBLISHED: pa.timestamp("us", "UTC"),
    PARTITION: pa.int32(),
    OFFSET: pa.int64(),
}
_KEY: Final = pa.field("key", pa.binary())
_BATCH: Final = 10_000
_WAIT_SECONDS: Final = 0.25

#: By partition: the first offset, and the one to end before.
Bounds = Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Topic:
    """A product's topic as far as queries need it."""

    port: OutputPort
    decoder: Decoder
    bounds: Callable[[int | None, int | None], Bounds]  #: of what was published between two times, in ms
    receiver: Callable[[Bounds], Receiver]


@dataclass(slots=True)
class Reads:
    """What one query reads, over all of its tables."""

    require_time: Callable[[], None]  #: raises when the query's time is up
    unreadable: int = 0
    trouble: BaseException | None = None  #: what went wrong while DuckDB was pulling
    open: list[Iterator[pa.RecordBatch]] = field(default_factory=list)

    def close(self) -> None:
        """Let go of every connection; DuckDB does not read on to an end that it does not need."""
        for batches in self.open:
            batches.close()  # type: ignore[attr-defined]


class _Scan:
    """One look at a table, as DuckDB asks for it."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self._schema = schema
        self._batches = batches

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream."""
        return pa.RecordBatchReader.from_batches(self._schema, self._batches)


class ProductTable(ds.Dataset):  # type: ignore[misc]
    """The events of a topic within fixed bounds. DuckDB calls `scanner` with what it needs of them."""

    def __init__(self, topic: Topic, bounds: Bounds, facts: Sequence[str], reads: Reads) -> None:
        self._topic = topic
        self._bounds = bounds
        self._facts = facts
        self._reads = reads
        events = [pa.field(f.name, _carried(f.type)) for f in topic.port.codec.arrow_schema]
        self._schema = pa.schema([*events, *(pa.field(name, FACTS[name]) for name in facts)])

    @property
    def schema(self) -> pa.Schema:
        """The contract's columns and the facts that were named."""
        return self._schema

    def scanner(
        self,
        columns: list[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002 - as DuckDB calls it
        **_: Any,
    ) -> _Scan:
        """One look: these columns of the events that fulfil the filter."""
        wanted = self._schema if columns is None else pa.schema([self._schema.field(c) for c in columns])
        batches = self._batches(wanted, filter)
        self._reads.open.append(batches)
        return _Scan(wanted, batches)

    def _batches(self, wanted: pa.Schema, condition: pc.Expression | None) -> Iterator[pa.RecordBatch]:
        for batch, poison in _taken(self._topic, self._narrowed(condition), self._reads):
            self._reads.unreadable += poison
            table = self._columns(batch)
            if condition is not None:
                table = table.filter(condition)
            yield from table.select(wanted.names).to_batches()

    def _narrowed(self, condition: pc.Expression | None) -> Bounds:
        if condition is None or PUBLISHED not in self._facts:
            return self._bounds
        between = published_between(condition, pa.field(PUBLISHED, FACTS[PUBLISHED]), self._schema)
        if between == (None, None):
            return self._bounds
        found = self._topic.bounds(*between)
        return {
            partition: (max(first, found[partition][0]), min(end, found[partition][1]))
            for partition, (first, end) in self._bounds.items()
            if partition in found
        }

    def _columns(self, batch: Batch) -> pa.Table:
        columns = [_fitting(c, f.type) for c, f in zip(batch.events.columns, self._schema, strict=False)]
        made = {
            PUBLISHED: lambda: pa.array(
                [m.timestamp()[1] for m in batch.messages], pa.timestamp("ms", "UTC")
            ).cast(FACTS[PUBLISHED]),
            PARTITION: lambda: pa.array([m.partition() for m in batch.messages], FACTS[PARTITION]),
            OFFSET: lambda: pa.array([m.offset() for m in batch.messages], FACTS[OFFSET]),
        }
        return pa.Table.from_arrays([*columns, *(made[name]() for name in self._facts)], schema=self._schema)


class KeysTable(ds.Dataset):  # type: ignore[misc]
    """The keys of a topic within fixed bounds, of tombstones too, and where each stands."""

    def __init__(self, topic: Topic, bounds: Bounds, reads: Reads) -> None:
        self._topic = topic
        self._bounds = bounds
        self._reads = reads

    @property
    def schema(self) -> pa.Schema:
        """Key, partition and offset."""
        return pa.schema([_KEY, (PARTITION, FACTS[PARTITION]), (OFFSET, FACTS[OFFSET])])

    def scanner(self, columns: list[str] | None = None, **_: Any) -> _Scan:
        """One look at all of them."""
        wanted = self.schema if columns is None else pa.schema([self.schema.field(c) for c in columns])
        batches = self._batches(wanted)
        self._reads.open.append(batches)
        return _Scan(wanted, batches)

    def _batches(self, wanted: pa.Schema) -> Iterator[pa.RecordBatch]:
        for messages in _messages(self._topic, self._bounds, self._reads):
            facts = [
                [m.key() for m in messages],
                [m.partition() for m in messages],
                [m.offset() for m in messages],
            ]
            columns = [pa.array(values, f.type) for values, f in zip(facts, self.schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema).select(wanted.names)


def _taken(topic: Topic, bounds: Bounds, reads: Reads) -> Iterator[tuple[Batch, int]]:
    for messages in _messages(topic, bounds, reads):
        batch, poison = topic.decoder.decode(messages)
        yield batch, len(poison)


def _messages(topic: Topic, bounds: Bounds, reads: Reads) -> Iterator[Sequence[Message]]:
    there = {partition: (first, end) for partition, (first, end) in bounds.items() if first < end}
    if not there:
        return
    try:
        receiver = topic.receiver(there)
        try:
            while not receiver.at_end():
                reads.require_time()
                messages = receiver.take(_BATCH, _WAIT_SECONDS)
                if messages:
                    yield messages
        finally:
            receiver.close()
    except GeneratorExit:
        raise
    except BaseException as trouble:
        # DuckDB tells only a text of what went wrong while it was pulling, of Ctrl-C not even that.
        reads.trouble = reads.trouble or trouble
        raise


def _carried(kind: pa.DataType) -> pa.DataType:
    """The type as DuckDB takes it: decimals beyond its 38 digits as texts."""
    return pa.string() if pa.types.is_decimal256(kind) else kind


def _fitting(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column if column.type == kind else column.cast(kind)
