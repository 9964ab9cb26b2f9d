"""Messages to batches of decoded, checked events in one reader's schema; what cannot be read is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from mesh.codec.plain import FEW, NotPlain
from mesh.codec.plain_reading import FewEvents
from mesh.errors import EventError, Position, UsageError
from mesh.event import Poison, SchemaGroup, SchemaKey, Unframed, unframe_batch, violations
from mesh.interfaces import Message, Registry
from mesh.parcels import rule_error
from mesh.port import OutputPort
from mesh.rows import rows_of_arrow
from mesh.rules.masks import Verdict
from mesh.writers import Patience, Writers
from mesh.years import beyond, rows_beyond

if TYPE_CHECKING:
    import pandas
    import polars
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)


class Batch:
    """Events in the reader's schema; row i came as `messages[i]`."""

    __slots__ = ("_held", "messages")

    def __init__(self, events: pa.RecordBatch | FewEvents, messages: Sequence[Message]) -> None:
        self._held = events
        self.messages = messages

    def __len__(self) -> int:
        return int(self._held.num_rows)

    @property
    def events(self) -> pa.RecordBatch:
        """The events as columns; of a few they are made when somebody asks."""
        if isinstance(self._held, FewEvents):
            self._held = self._held.batch()
        return self._held

    def to_arrow(self) -> pa.RecordBatch:
        """The events as an Arrow record batch, without a copy."""
        return self.events

    def to_polars(self) -> polars.DataFrame:
        """The events as a Polars frame."""
        return to_polars(self.events)

    def to_pandas(self) -> pandas.DataFrame:
        """The events as a pandas frame."""
        return self.events.to_pandas()

    def rows(self) -> list[dict[str, Any]]:
        """The events as dicts."""
        return self._held.rows() if isinstance(self._held, FewEvents) else rows_of_arrow(self._held)

    def models(self, model: type[Model]) -> list[Model]:
        """The events as instances of a Pydantic model; raises ValidationError for one that is none."""
        return list(self.each_model(model))

    def each_model(self, model: type[Model]) -> Iterator[Model]:
        """The same one by one, so that one that is none leaves those before it."""
        from pydantic import TypeAdapter

        return map(TypeAdapter(model).validator.validate_python, self.rows())

    def position(self, row: int) -> Position:
        """Where an event stands on its topic."""
        message = self.messages[row]
        return Position(message.topic(), message.partition(), message.offset())


def rows_of(batch: Batch, rows: Sequence[int]) -> Batch:
    """These rows of a batch, copied: the rest of it can be let go of."""
    events = batch.events.take(pa.array(rows, pa.int64()))
    return Batch(events, [batch.messages[row] for row in rows])


class Decoder:
    """Messages to batches in one reader's schema; what cannot be read or breaks a rule is set aside."""

    def __init__(self, port: OutputPort, registry: Registry, patience: Patience | None = None) -> None:
        self._port = port
        self.writers = Writers(port, registry, patience or Patience())

    def missing(self, messages: Sequence[Message], parts: Unframed) -> Mapping[int, tuple[int, SchemaKey]]:
        """By partition, offset and schema id of the first event whose schema is not to be had at present.

        Each schema that is new is asked for once. Raises RegistryError when the registry turns us away.
        """
        unsettled = self.writers.sought([group.schema_id for group in parts.groups])
        gone = [group for group in parts.groups if group.schema_id in unsettled]
        found: dict[int, tuple[int, SchemaKey]] = {}
        wanted = {index: group.schema_id for group in gone for index in group.indices}
        for index, schema_id in sorted(wanted.items(), key=itemgetter(0)):
            found.setdefault(messages[index].partition(), (messages[index].offset(), schema_id))
        return found

    def decode(
        self, messages: Sequence[Message], parts: Unframed | None = None
    ) -> tuple[Batch, list[tuple[Message, EventError]]]:
        """The readable events as they came, and the others with their reasons. Tombstones are neither.

        Waits for schemas; raises UnreachableError when the registry stays away.
        """
        parts = parts or unframed(messages)
        few = self._few(parts, messages)
        if few is not None:
            return Batch(few, messages), []
        poison = list(parts.poison)
        columns: list[pa.RecordBatch] = []
        order: list[int] = []
        for group in parts.groups:
            batch, indices, bad = self._group(group, messages)
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

    def _few(self, parts: Unframed, messages: Sequence[Message]) -> FewEvents | None:
        """A few events of one schema that ask for no closer look; None for all others."""
        if len(messages) > FEW or len(parts.groups) != 1 or len(parts.groups[0].datums) != len(messages):
            return None
        writer = self.writers.awaited(parts.groups[0].schema_id)
        if isinstance(writer, EventError) or writer.few is None:
            return None
        rules = self._port.guard.rows
        try:
            few = writer.few.read(parts.groups[0].datums)
            broken = [row for row in few.rows() if rules is not None and rules.check(row)]
        except NotPlain:
            return None
        return None if broken else few

    def _group(
        self, group: SchemaGroup, messages: Sequence[Message]
    ) -> tuple[pa.RecordBatch, Sequence[int], list[Poison]]:
        writer = self.writers.awaited(group.schema_id)
        if isinstance(writer, EventError):
            return self._none(), [], [Poison(index, writer) for index in group.indices]
        decoded = writer.codec.decode_with_poison(group.datums)
        poison = [Poison(group.indices[p.index], p.error) for p in decoded.poison]
        indices: Sequence[int] = (
            group.indices if not poison else [group.indices[index] for index in decoded.indices]
        )
        events = writer.to_reader.apply(decoded.batch)
        if far := rows_beyond(events):
            poison += [Poison(indices[row], beyond(row)) for row in far]
            kept = sorted(set(range(events.num_rows)).difference(far))
            events, indices = events.take(pa.array(kept, pa.int64())), [indices[row] for row in kept]
        verdict = self._port.guard.check(events)
        if verdict.valid is None:
            return events, indices, poison
        good = [
            ok or _says_so(messages[indices[row]], verdict, row)
            for row, ok in enumerate(verdict.valid.to_pylist())
        ]
        bad = [row for row, ok in enumerate(good) if not ok]
        poison += [Poison(indices[row], rule_error(verdict, row)) for row in bad]
        return events.filter(pa.array(good)), [indices[row] for row, ok in enumerate(good) if ok], poison

    def _none(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], schema=self._port.codec.arrow_schema)


def _says_so(message: Message, verdict: Verdict, row: int) -> bool:
    """Whether an event names all the rules it breaks: its publisher marked it, so readers get it."""
    return violations(message.headers()).issuperset(rule.name for rule in verdict.reasons(row))


def unframed(messages: Sequence[Message]) -> Unframed:
    """The messages by schema id."""
    return unframe_batch([message.value() for message in messages], lambda index: messages[index].headers())


def to_polars(events: pa.RecordBatch | pa.Table) -> polars.DataFrame:
    """Events as a Polars frame; raises UsageError (MESH-U042) where Polars is not installed."""
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
