"""What a partition remembers of idempotent producers: the last five batches of each, as Kafka does."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from mesh_platform.broker.batch import MAX_SEQUENCE, Batch

REMEMBERED_BATCHES = 5


class OutOfOrder(Exception):
    """A gap before the batch, or a repeat of one too old to be remembered."""


class FencedEpoch(Exception):
    """A newer instance of this producer has written."""


@dataclass(slots=True)
class _Producer:
    epoch: int
    last_timestamp: int
    batches: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))
    has_ended: bool = False  #: a transaction, by a marker

    @property
    def next_sequence(self) -> int:
        return (self.batches[-1][1] + 1) % (MAX_SEQUENCE + 1) if self.batches else 0


class Sequences:
    """Producer states of one partition."""

    def __init__(self) -> None:
        self._producers: dict[int, _Producer] = {}

    def check(self, batch: Batch) -> int | None:
        """The offset of the batch if it is a repeat, None if it is next. Raises OutOfOrder, FencedEpoch."""
        known = self._producers.get(batch.producer_id)
        if known is None:
            return None
        if batch.producer_epoch < known.epoch:
            raise FencedEpoch
        if batch.producer_epoch > known.epoch:
            if batch.base_sequence != 0:
                raise OutOfOrder
            return None
        for first, last, offset in known.batches:
            if first == batch.base_sequence and last == batch.last_sequence:
                return offset
        if batch.base_sequence != known.next_sequence:
            raise OutOfOrder
        return None

    def note(self, batch: Batch, base_offset: int, timestamp: int) -> None:
        """Remember a batch that is now in the log."""
        known = self._producers.get(batch.producer_id)
        if known is None or known.epoch != batch.producer_epoch:
            known = self._producers[batch.producer_id] = _Producer(batch.producer_epoch, timestamp)
        known.last_timestamp = timestamp
        known.batches.append((batch.base_sequence, batch.last_sequence, base_offset))

    def fence(self, producer_id: int, epoch: int, timestamp: int) -> None:
        """A transaction ended with a marker of this epoch: older instances write no more."""
        known = self._producers.get(producer_id)
        if known is None or known.epoch < epoch:
            known = self._producers[producer_id] = _Producer(epoch, timestamp)
        known.last_timestamp, known.has_ended = timestamp, True

    def expire(self, before: int, keep: Container[int] = ()) -> None:
        """Forget producers that wrote nothing since `before` (milliseconds), but for those to keep."""
        self._producers = {
            k: p for k, p in self._producers.items() if p.last_timestamp >= before or k in keep
        }

    def active(self) -> Iterator[tuple[int, int, int, int, bool]]:
        """(producer id, epoch, last sequence or -1, last timestamp, has ended a transaction) of each."""
        for producer_id, p in self._producers.items():
            last = p.batches[-1][1] if p.batches else -1
            yield producer_id, p.epoch, last, p.last_timestamp, p.has_ended

    def dump(self) -> list[list[object]]:
        producers = self._producers.items()
        return [[k, p.epoch, p.last_timestamp, list(p.batches), p.has_ended] for k, p in producers]

    @classmethod
    def load(cls, dumped: list[list[object]]) -> Sequences:
        loaded = cls()
        for producer_id, epoch, timestamp, batches, *more in dumped:
            known = _Producer(epoch, timestamp, has_ended=any(more))  # type: ignore[arg-type]
            known.batches.extend(tuple(b) for b in batches)  # type: ignore[attr-defined]
            loaded._producers[producer_id] = known  # type: ignore[index]
        return loaded
