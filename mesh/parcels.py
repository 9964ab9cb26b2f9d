"""Events made ready to be sent: checked against their contract, encoded, keyed and stamped; nothing is sent.

The one core of every way to publish: the publisher, its asyncio twin and the outbox differ only in where
they bring the parcels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import pyarrow as pa

from mesh.codec import to_batch
from mesh.codec.plain import FEW
from mesh.errors import EventError, Position, UsageError
from mesh.event import (
    PUBLISHER,
    EventIds,
    SchemaKey,
    Stamp,
    active_traceparent,
    checked_traceparent,
    dead_letter_headers,
    format_time,
    framing,
    instants_as_text,
    violation_header,
)
from mesh.port import OutputPort
from mesh.rules.masks import Verdict
from mesh.years import beyond, rows_beyond

CHUNK = 10_000
OnViolation = Literal["reject", "dead-letter", "mark"]
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Records for one topic, in order; `headers` may be gone through again."""

    topic: str
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Iterable[Headers]
    times_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of checked events, with the ids they go by."""

    events: pa.RecordBatch
    verdict: Verdict
    ids: Sequence[bytes]

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.events.num_rows)

    @property
    def refused(self) -> int:
        """How many of them break a rule."""
        return self.verdict.refused


@dataclass(frozen=True, slots=True)
class Few:
    """A few events that were plain and kept all rules: encoded in the same look."""

    parcel: Parcel
    ids: Sequence[bytes]
    refused: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one call may publish, and what is to become of events that break a rule."""

    chunks: Sequence[Chunk | Few]
    on_violation: OnViolation
    traceparent: bytes | None

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(chunk.count for chunk in self.chunks)

    @property
    def refused(self) -> int:
        """How many of them break a rule."""
        return sum(chunk.refused for chunk in self.chunks)


class Packer:
    """Makes parcels of the events of one port."""

    def __init__(
        self, port: OutputPort, schema_id: SchemaKey, ids: EventIds, clock: Callable[[], datetime]
    ) -> None:
        self._port = port
        self._ids = ids
        self._clock = clock
        self._prefix, also = framing(schema_id)
        self._stamp = Stamp(f"/{port.contract.domain}/{port.topic}", port.topic, also=also)

    def check(
        self,
        events: Any,
        on_violation: OnViolation,
        event_ids: Sequence[str] | None = None,
        traceparent: str | None = None,
    ) -> Checked:
        """Judge everything before anything is sent of it.

        Raises EventError for what does not fit the schema, and for broken rules where they reject.
        """
        allowed(on_violation)
        few = self._few(events, event_ids, traceparent)
        if few is not None:
            return Checked([few], on_violation, None)
        batches = list(_batches(events, self._port))
        ids = _ids(event_ids, sum(batch.num_rows for batch in batches), self._ids)
        trace = _trace(traceparent)
        chunks, start = [], 0
        for batch in batches:
            if far := rows_beyond(batch):
                raise beyond(start + far[0])
            own = ids[start : start + batch.num_rows]
            chunks.append(Chunk(batch, self._port.guard.check(batch), own))
            start += batch.num_rows
        checked = Checked(chunks, on_violation, trace)
        if on_violation == "reject" and checked.refused:
            raise _refusal(chunks, self._port)
        return checked

    def parcels(self, checked: Checked, chunk: Chunk | Few) -> list[Parcel]:
        """The records of one chunk, encoded; dead letters in a parcel of their own, before the others."""
        if isinstance(chunk, Few):
            return [chunk.parcel]
        valid, trace = chunk.verdict.valid, checked.traceparent
        if valid is None:
            return [self._parcel(chunk.events, chunk.ids, trace)]
        rows = [row for row, good in enumerate(valid.to_pylist()) if not good]
        if checked.on_violation == "mark":
            whole = self._parcel(chunk.events, chunk.ids, trace)
            return [_with_headers(whole, _marked(whole.headers, rows, chunk.verdict))]
        import pyarrow.compute as pc

        bad = self._parcel(chunk.events.filter(pc.invert(valid)), [chunk.ids[row] for row in rows], trace)
        buried = _with_headers(bad, self._reasons(bad.headers, rows, chunk.verdict), self._port.dead_letters)
        refused = set(rows)
        ids = [event_id for row, event_id in enumerate(chunk.ids) if row not in refused]
        return [buried, self._parcel(chunk.events.filter(valid), ids, trace)] if ids else [buried]

    def _few(self, events: Any, event_ids: Sequence[str] | None, traceparent: str | None) -> Few | None:
        """Events that need no closer look, None for all others."""
        if type(events) is not list or not 0 < len(events) <= FEW or self._port.plain is None:
            return None
        told = self._port.plain.told(events, self._prefix)
        if told is None:
            return None
        ids = _ids(event_ids, len(events), self._ids)
        published, stamps = self._times(len(events), told.times)
        headers = self._stamp.each(ids, stamps, _trace(traceparent))
        return Few(Parcel(self._port.topic, told.keys, told.values, headers, published), ids)

    def _parcel(self, batch: pa.RecordBatch, ids: Sequence[bytes], traceparent: bytes | None) -> Parcel:
        values = self._port.codec.encode(batch, self._prefix)
        column = self._port.times(batch)
        told = column is not None and not column.null_count
        happened = instants_as_text(column).cast(pa.binary()).to_pylist() if told else None
        times, stamps = self._times(batch.num_rows, happened)
        headers = self._stamp.each(ids, stamps, traceparent)
        return Parcel(self._port.topic, self._port.keys(batch), values, headers, times)

    def _times(self, count: int, happened: Sequence[bytes] | None) -> tuple[list[int], Sequence[bytes]]:
        """Kafka's timestamps (when it was published) and `ce_time` (when it happened, as RFC 3339).

        The two differ on purpose: retention counts from publishing, so a history loaded today stays.
        """
        now = self._clock()
        published = [int(now.timestamp() * 1000)] * count
        return published, [format_time(now).encode()] * count if happened is None else happened

    def _reasons(self, headers: Iterable[Headers], rows: Sequence[int], verdict: Verdict) -> list[Headers]:
        position = Position(self._port.topic, -1, -1)
        return [
            dead_letter_headers(own, error=rule_error(verdict, row), position=position, group=PUBLISHER)
            for row, own in zip(rows, headers, strict=True)
        ]


def allowed(on_violation: str) -> None:
    """Raises UsageError (MESH-E042) for a word that says nothing."""
    if on_violation not in get_args(OnViolation):
        raise UsageError(
            f"on_violation={on_violation!r} says nothing",
            code="MESH-E042",
            why="an event that breaks a rule is refused, set aside or published with a mark",
            fix="on_violation='reject', 'dead-letter' or 'mark'",
        )


def rule_error(verdict: Verdict, row: int) -> EventError:
    """Why one row of a checked batch was refused."""
    broken = verdict.reasons(row)
    first = broken[0]
    return EventError(
        f"the event breaks {first.name!r}" + (f" and {len(broken) - 1} more" if len(broken) > 1 else ""),
        code="MESH-E020",
        why="; ".join(rule.sentence for rule in broken[:5]),
    )


def _with_headers(parcel: Parcel, headers: Iterable[Headers], topic: str | None = None) -> Parcel:
    return Parcel(topic or parcel.topic, parcel.keys, parcel.values, headers, parcel.times_ms)


def _marked(headers: Iterable[Headers], rows: Sequence[int], verdict: Verdict) -> list[Headers]:
    marks = {row: violation_header(rule.name for rule in verdict.reasons(row)) for row in rows}
    return [[*own, marks[row]] if row in marks else own for row, own in enumerate(headers)]


def _trace(given: str | None) -> bytes | None:
    found = active_traceparent() if given is None else checked_traceparent(given)
    return None if found is None else found.encode()


def _ids(given: Sequence[str] | None, count: int, made: EventIds) -> list[bytes]:
    if given is None:
        return made.take(count)
    ids = [event_id.encode() for event_id in given]
    if len(ids) != count or not all(ids):
        raise EventError(
            f"{len(ids)} ids were given for {count} events" if len(ids) != count else "an event id is empty",
            code="MESH-E041",
            why="each event has an id of its own, by which readers tell a repeat",
            fix="give one id per event, or none at all",
        )
    return ids


def _batches(events: Any, port: OutputPort) -> Iterator[pa.RecordBatch]:
    if isinstance(events, list) and len(events) > CHUNK:
        yield from _chunks(events, port)
        return
    batch = to_batch(events, port.codec)
    for start in range(0, batch.num_rows, CHUNK):
        yield batch.slice(start, CHUNK)


def _chunks(events: list[Any], port: OutputPort) -> Iterator[pa.RecordBatch]:
    """A long list in pieces that stay in the processor's cache: nearly twice as fast as in one."""
    for start in range(0, len(events), CHUNK):
        try:
            yield to_batch(events[start : start + CHUNK], port.codec)
        except EventError:
            # Said again for the whole list, so that the event is named by its place in it.
            to_batch(events[: start + CHUNK], port.codec)
            raise


def _refusal(chunks: Sequence[Chunk], port: OutputPort) -> EventError:
    lines: list[str] = []
    start = total = 0
    for chunk in chunks:
        if chunk.verdict.valid is not None:
            total += chunk.verdict.refused
            for row, good in enumerate(chunk.verdict.valid.to_pylist()):
                if not good and len(lines) < 3:
                    lines.append(f"event {start + row}: {rule_error(chunk.verdict, row).why}")
        start += chunk.events.num_rows
    return EventError(
        f"{total} of {start} events do not fit contract {port.contract.id} {port.contract.version}",
        code="MESH-E020",
        where=port.topic,
        why="; ".join(lines),
        fix="mend the events, or publish with on_violation='dead-letter' to set them aside with the reason",
    )
