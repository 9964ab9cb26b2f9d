"""Following a port as a looker-on: its last events, then each that is published; no group, no end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from mesh import display
from mesh.decoding import Decoder
from mesh.interfaces import Message, Receiver
from mesh.port import OutputPort

_BATCH: Final = 1_000
_WAIT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that was seen, and when it was published."""

    published: datetime
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events that came together, and how many beside them could not be read."""

    events: Sequence[Seen]
    unreadable: int = 0


class Following:
    """Looks on as a port grows. Use `with`, or close it."""

    def __init__(
        self,
        port: OutputPort,
        decoder: Decoder,
        opened: Callable[[], Receiver],
        last: int | None = None,
    ) -> None:
        """`last` events of all partitions together come first; None: all that the receiver begins with."""
        self.names = tuple(port.codec.arrow_schema.names)
        self._decoder = decoder
        self._last = last
        self._receiver = opened()

    def events(self) -> Iterator[Arrived]:
        """What is there, then what comes, for ever."""
        if self._last is not None:
            yield self._lately(self._last)
        while True:
            messages = self._receiver.take(_BATCH, _WAIT_SECONDS)
            if messages:
                yield self._arrived(messages)

    def close(self) -> None:
        """Let go of the connection."""
        self._receiver.close()

    def __enter__(self) -> Following:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lately(self, last: int) -> Arrived:
        """The last events that were there at the start; partitions are put in the order of publishing."""
        seen: list[Seen] = []
        unreadable = 0
        while not self._receiver.at_end():
            messages = self._receiver.take(_BATCH, _WAIT_SECONDS)
            arrived = self._arrived(messages)
            unreadable += arrived.unreadable
            seen = sorted([*seen, *arrived.events], key=lambda one: one.published)
            seen = seen[max(len(seen) - last, 0) :]
        return Arrived(seen, unreadable)

    def _arrived(self, messages: Sequence[Message]) -> Arrived:
        batch, poison = self._decoder.decode(messages)
        rows = display.rows_of(batch.events)
        times = [datetime.fromtimestamp(message.timestamp()[1] / 1_000, UTC) for message in batch.messages]
        return Arrived([Seen(at, row) for at, row in zip(times, rows, strict=True)], len(poison))
