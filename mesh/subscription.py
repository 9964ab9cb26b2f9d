"""Subscribing to an output port: batches of decoded, checked events; poison goes to the dead letters.

Delivery is at least once: a batch is committed when the next one is asked for, that is, after the
caller has handled it. Where a schema is not to be had at present, its partition waits and the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from mesh.errors import EventError, Position, UsageError
from mesh.event import Poison, SchemaGroup, Unframed, dead_letter_headers, unframe_batch
from mesh.interfaces import Member, Message, Receiver, Registry, Sender
from mesh.port import OutputPort
from mesh.publishing import rule_error
from mesh.writers import Asker, Patience, Writers

if TYPE_CHECKING:
    import pandas
    import polars
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

BATCH = 10_000
#: while a partition waits, how often it is looked after
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the reader's schema; row i came as `messages[i]`."""

    events: pa.RecordBatch
    messages: Sequence[Message] = field(repr=False)

    def __len__(self) -> int:
        return int(self.events.num_rows)

    def to_arrow(self) -> pa.RecordBatch:
        """The events as an Arrow record batch, without a copy."""
        return self.events

    def to_polars(self) -> polars.DataFrame:
        """The events as a Polars frame."""
        return _to_polars(self.events)

    def to_pandas(self) -> pandas.DataFrame:
        """The events as a pandas frame."""
        return self.events.to_pandas()

    def rows(self) -> list[dict[str, Any]]:
        """The events as dicts."""
        return list(self.events.to_pylist())

    def models(self, model: type[Model]) -> list[Model]:
        """The events as instances of a Pydantic model."""
        return [model.model_validate(row) for row in self.events.to_pylist()]

    def position(self, row: int) -> Position:
        """Where an event stands on its topic."""
        message = self.messages[row]
        return Position(message.topic(), message.partition(), message.offset())


class Decoder:
    """Messages to batches in one reader's schema; what cannot be read or breaks a rule is set aside."""

    def __init__(self, port: OutputPort, registry: Registry, patience: Patience | None = None) -> None:
        self._port = port
        self.writers = Writers(port, registry, patience or Patience())

    def missing(self, messages: Sequence[Message], parts: Unframed) -> Mapping[int, tuple[int, int]]:
        """By partition, offset and schema id of the first event whose schema is not to be had at present.

        Each schema that is new is asked for once. Raises RegistryError when the registry turns us away.
        """
        unsettled = self.writers.sought([group.schema_id for group in parts.groups])
        gone = [group for group in parts.groups if group.schema_id in unsettled]
        found: dict[int, tuple[int, int]] = {}
        for index, schema_id in sorted((i, group.schema_id) for group in gone for i in group.indices):
            found.setdefault(messages[index].partition(), (messages[index].offset(), schema_id))
        return found

    def decode(
        self, messages: Sequence[Message], parts: Unframed | None = None
    ) -> tuple[Batch, list[tuple[Message, EventError]]]:
        """The readable events as they came, and the others with their reasons. Tombstones are neither.

        Waits for schemas; raises UnreachableError when the registry stays away.
        """
        parts = parts or unframed(messages)
        poison = list(parts.poison)
        columns: list[pa.RecordBatch] = []
        order: list[int] = []
        for group in parts.groups:
            batch, indices, bad = self._group(group)
            poison += bad
            if batch.num_rows:
                columns.append(batch)
                order += indices
        events = _joined(columns, self._port.codec.arrow_schema)
        if len(columns) > 1:
            ranking = sorted(range(len(order)), key=order.__getitem__)
            events = events.take(pa.array(ranking))
            order = [order[rank] for rank in ranking]
        kept = messages if len(order) == len(messages) else [messages[index] for index in order]
        return Batch(events, kept), [
            (messages[p.index], p.error) for p in sorted(poison, key=lambda p: p.index)
        ]

    def _group(self, group: SchemaGroup) -> tuple[pa.RecordBatch, Sequence[int], list[Poison]]:
        writer = self.writers.awaited(group.schema_id)
        if isinstance(writer, EventError):
            return self._none(), [], [Poison(index, writer) for index in group.indices]
        decoded = writer.codec.decode_with_poison(group.datums)
        poison = [Poison(group.indices[p.index], p.error) for p in decoded.poison]
        indices: Sequence[int] = (
            group.indices if not poison else [group.indices[index] for index in decoded.indices]
        )
        events = writer.to_reader.apply(decoded.batch)
        verdict = self._port.guard.check(events)
        if verdict.valid is None:
            return events, indices, poison
        good = verdict.valid.to_pylist()
        poison += [Poison(indices[row], rule_error(verdict, row)) for row, ok in enumerate(good) if not ok]
        return events.filter(verdict.valid), [indices[row] for row, ok in enumerate(good) if ok], poison

    def _none(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], schema=self._port.codec.arrow_schema)


def unframed(messages: Sequence[Message]) -> Unframed:
    """The messages by schema id."""
    return unframe_batch([message.value() for message in messages])


class Subscription:
    """One group's endless reading of one port. Use `with`, or close it."""

    def __init__(
        self,
        port: OutputPort,
        decoder: Decoder,
        receiver: Member,
        dead_letters: Sender,
        group: str,
        asker: Asker | None = None,
    ) -> None:
        self._port = port
        self._decoder = decoder
        self._receiver = receiver
        self._dead_letters = dead_letters
        self._group = group
        self._asker = asker or Asker(decoder.writers)
        self._held: dict[int, int] = {}
        self.buried = 0

    @property
    def waiting(self) -> Mapping[int, str]:
        """By partition that waits for a schema: which one, and why it is not to be had."""
        return {partition: self._decoder.writers.why(held) for partition, held in self._held.items()}

    def batches(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> Iterator[Batch]:
        """Batches as they come, for ever; the one before is committed when the next is asked for."""
        while True:
            batch = self.poll(most=most, wait_seconds=wait_seconds)
            if batch is not None:
                yield batch

    def poll(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> Batch | None:
        """The next batch, None when nothing readable came within `wait_seconds`; commits the one before."""
        self._receiver.commit()
        messages, parts = self._taken(most, wait_seconds)
        if not messages:
            return None
        batch, poison = self._decoder.decode(messages, parts)
        if poison:
            self._bury(poison)
        return batch if len(batch) else None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Events as dicts, for ever."""
        for batch in self.batches():
            yield from batch.rows()

    def close(self) -> None:
        """Leave the group; what was handled but not committed comes again."""
        self._asker.close()
        self._receiver.close()
        self._dead_letters.close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._receiver.commit()
        self.close()

    def _taken(self, most: int, wait_seconds: float) -> tuple[Sequence[Message], Unframed]:
        """Records whose schemas are all at hand, or known to be none; a partition without one is held."""
        clock = self._decoder.writers.clock
        end = clock() + wait_seconds
        while True:
            self._resume()
            left = max(end - clock(), 0.0)
            messages = self._receiver.take(most, min(left, LOOK_SECONDS) if self._held else left)
            parts = unframed(messages)
            missing = self._missing(messages, parts)
            if missing:
                messages = self._held_back(messages, missing)
                parts = unframed(messages)
            if messages or clock() >= end:
                return messages, parts

    def _missing(self, messages: Sequence[Message], parts: Unframed) -> Mapping[int, tuple[int, int]]:
        try:
            return self._decoder.missing(messages, parts)
        except BaseException:
            # Nothing of it was handled: whoever asks again gets the same records again.
            firsts = {message.partition(): message.offset() for message in reversed(messages)}
            self._receiver.hold(firsts)
            self._receiver.release(firsts)
            raise

    def _held_back(
        self, messages: Sequence[Message], missing: Mapping[int, tuple[int, int]]
    ) -> Sequence[Message]:
        """Without what waits: order within a partition is kept, so everything after it waits too."""
        self._receiver.hold({partition: offset for partition, (offset, _) in missing.items()})
        self._held |= {partition: schema_id for partition, (_, schema_id) in missing.items()}
        return [m for m in messages if m.partition() not in missing or m.offset() < missing[m.partition()][0]]

    def _resume(self) -> None:
        ready = [p for p, schema_id in self._held.items() if self._decoder.writers.settled(schema_id)]
        if ready:
            self._receiver.release(ready)
            self._held = {p: schema_id for p, schema_id in self._held.items() if p not in ready}
        if self._held:
            self._asker.look(set(self._held.values()))

    def _bury(self, poison: list[tuple[Message, EventError]]) -> None:
        """Send poison on, bytes and headers untouched, before its offset can be committed."""
        headers = [
            dead_letter_headers(
                message.headers(),
                error=error,
                position=Position(message.topic(), message.partition(), message.offset()),
                group=self._group,
            )
            for message, error in poison
        ]
        messages = [message for message, _ in poison]
        times = [max(message.timestamp()[1], 0) for message in messages]
        keys, values = [m.key() for m in messages], [m.value() for m in messages]
        self._dead_letters.send(self._port.dead_letters, keys, values, headers, times)
        self._dead_letters.flush()
        self.buried += len(poison)


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
        return _to_polars(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """All events as one pandas frame."""
        return self.to_arrow().to_pandas()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All events as dicts."""
        for batch in self.batches():
            yield from batch.rows()


def _to_polars(events: pa.RecordBatch | pa.Table) -> polars.DataFrame:
    try:
        import polars
    except ImportError:
        raise UsageError(
            "Polars is not installed",
            code="MESH-U042",
            why="it is an extra of mesh; Arrow and pandas are always there",
            fix="pip install 'mesh[polars]'",
        ) from None
    frame = polars.from_arrow(events)
    assert isinstance(frame, polars.DataFrame)
    return frame


def _joined(parts: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return pa.RecordBatch.from_pylist([], schema=schema)
    return pa.concat_batches(parts)
