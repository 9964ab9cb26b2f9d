"""Subscribing to an output port: batches of decoded, checked events; poison goes to the dead letters.

Delivery is at least once: a batch is committed when the next one is asked for, that is, after the
caller has handled it. Where a schema is not to be had at present, its partition waits and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mesh.decoding import Batch, Decoder, to_polars, unframed
from mesh.errors import EventError, Position
from mesh.event import Unframed, dead_letter_headers
from mesh.interfaces import Message, Receiver, Sender, Steered
from mesh.port import OutputPort
from mesh.writers import Asker

if TYPE_CHECKING:
    import pandas
    import polars

BATCH = 10_000
#: while a partition waits, how often it is looked after
LOOK_SECONDS = 0.25


class Subscription:
    """One group's endless reading of one port. Use `with`, or close it."""

    def __init__(
        self,
        port: OutputPort,
        decoder: Decoder,
        receiver: Steered,
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

    @property
    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's at present."""
        return self._receiver.assigned

    def commit(self) -> None:
        """Commit what was taken: it has been handled."""
        self._receiver.commit()

    def pause(self) -> None:
        """Take nothing new; the partitions stay this member's."""
        self._receiver.pause()

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        self._receiver.resume()

    def decoded(self, messages: Sequence[Message]) -> tuple[Batch, list[tuple[Message, EventError]]]:
        """Decode records once more, as when they came: the readable ones, and the others with reasons."""
        return self._decoder.decode(messages)

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
        with self._coming_again(messages):
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
        with self._coming_again(messages):
            return self._decoder.missing(messages, parts)

    @contextmanager
    def _coming_again(self, messages: Sequence[Message]) -> Iterator[None]:
        """When this fails nothing of it was handled: whoever asks again gets the same records again."""
        try:
            yield
        except BaseException:
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
                time_ms=message.timestamp()[1],
            )
            for message, error in poison
        ]
        messages = [message for message, _ in poison]
        keys, values = [m.key() for m in messages], [m.value() for m in messages]
        self._dead_letters.send(self._port.dead_letters, keys, values, headers, [0] * len(messages))
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
        return to_polars(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """All events as one pandas frame."""
        return self.to_arrow().to_pandas()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All events as dicts."""
        for batch in self.batches():
            yield from batch.rows()
