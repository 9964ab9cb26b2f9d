"""Windows: the new events of a topic, cut by number or time, whichever comes first.

A stream's window is the events themselves. A compacted topic is a table: its window is the latest event
of each key, as it stands when new events have come and a pause follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import pyarrow as pa

from mesh.decoding import Decoder
from mesh.interfaces import Message, Receiver
from mesh.port import OutputPort
from mesh.rules.guard import Guard, compile_guard
from mesh_platform.quality.tables import LatestEvents

MOST_PER_TAKE = 10_000
TABLE_PATIENCE = 10  #: a table that never rests is looked at after so many times the pause


class ObservedPort(OutputPort):
    """A port without its record rules: what breaks them is to be counted here, not set aside."""

    @cached_property
    def guard(self) -> Guard:
        """No rules."""
        return compile_guard((), self.codec.arrow_schema)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a window is complete: at `rows` events, or `seconds` after its first."""

    rows: int = 50_000
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at, and which part of the topic led to it (offsets per partition, both included)."""

    events: pa.Table
    taken: int
    unreadable: int
    first: Mapping[int, int]
    last: Mapping[int, int]
    start: datetime | None
    end: datetime | None

    @property
    def first_offsets(self) -> str:
        """`0:0 1:17`: partition and offset of the first new event of each."""
        return " ".join(f"{partition}:{offset}" for partition, offset in sorted(self.first.items()))

    @property
    def last_offsets(self) -> str:
        """The same of the last."""
        return " ".join(f"{partition}:{offset}" for partition, offset in sorted(self.last.items()))


class TopicReader:
    """One topic's windows; until `done` says that the last is dealt with, it comes again after a crash."""

    def __init__(
        self,
        port: OutputPort,
        decoder: Decoder,
        receiver: Receiver,
        pace: Pace,
        clock: Callable[[], float],
        table: LatestEvents | None = None,
    ) -> None:
        self._schema = port.codec.arrow_schema
        self._decoder = decoder
        self._receiver = receiver
        self._pace = pace
        self._clock = clock
        self._table = table
        self._begin()

    def poll(self, wait_seconds: float) -> tuple[int, Window | None]:
        """How many records came, and the window if it is complete now. Raises MeshError."""
        room = self._pace.rows - self._taken if self._table is None else MOST_PER_TAKE
        messages = self._receiver.take(min(MOST_PER_TAKE, room), wait_seconds)
        now = self._clock()
        if messages:
            self._add(messages, now)
        elif not self._taken:
            self._receiver.commit()
        return len(messages), self._window() if self._taken and self._complete(now) else None

    @property
    def is_stream(self) -> bool:
        """Whether its windows are new events, not a table as it stands."""
        return self._table is None

    def done(self) -> None:
        """The window is published: its events need not come again."""
        self._receiver.commit()

    def close(self) -> None:
        """Let go of the connection."""
        self._receiver.close()

    def _begin(self) -> None:
        self._parts: list[pa.RecordBatch] = []
        self._taken = self._unreadable = 0
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._times: list[int] = []
        self._began = self._latest = 0.0

    def _add(self, messages: Sequence[Message], now: float) -> None:
        batch, unreadable = self._decoder.decode(messages)
        if self._table is not None:
            self._table.fold(messages, batch)
        else:
            self._parts.append(batch.events)
        self._unreadable += len(unreadable)
        self._began = self._began if self._taken else now
        self._latest = now
        self._taken += len(messages)
        for message in messages:
            self._first.setdefault(message.partition(), message.offset())
            self._last[message.partition()] = message.offset()
        times = [time for _, time in (message.timestamp() for message in messages) if time > 0]
        self._times += [min(times), max(times)] if times else []

    def _complete(self, now: float) -> bool:
        if self._table is None:
            return self._taken >= self._pace.rows or now - self._began >= self._pace.seconds
        rested = now - self._latest >= self._pace.seconds
        return rested or now - self._began >= TABLE_PATIENCE * self._pace.seconds

    def _window(self) -> Window:
        events = self._table.events if self._table else pa.Table.from_batches(self._parts, self._schema)
        window = Window(
            events,
            self._taken,
            self._unreadable,
            self._first,
            self._last,
            _instant(min(self._times, default=None)),
            _instant(max(self._times, default=None)),
        )
        self._begin()
        return window


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
