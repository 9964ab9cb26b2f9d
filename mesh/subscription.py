"""Subscribing to an output port: batches of decoded, checked events; poison goes to the dead letters.

Delivery is at least once: what was given out counts as handled, and is committed, when something more is
asked for. What was not comes again, to this member or to the next owner of its partition. Where a schema is
not to be had at present, its partition waits and the others go on.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from mesh.burying import Letter, LettersUnderWay
from mesh.decoding import Batch, Decoder, unframed
from mesh.draining import drained_on_sigterm
from mesh.errors import EventError
from mesh.event import SchemaKey, Unframed
from mesh.interfaces import Message, Sender, Steered
from mesh.port import OutputPort
from mesh.positions import Gap, Place, Span, place_of, span_of
from mesh.reading import Reading
from mesh.writers import Asker

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

Item = TypeVar("Item")
BATCH = 10_000
#: how often waiting is looked up from: for partitions that wait for a schema, and for a wish to stop
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
        replayed: Callable[[Span], Reading] | None = None,
    ) -> None:
        self._port = port
        self._decoder = decoder
        self._receiver = receiver
        self._group = group
        self._asker = asker or Asker(decoder.writers)
        self._replayed = replayed
        self._held: dict[int, SchemaKey] = {}
        self._rest: tuple[Batch, int] | None = None
        self._letters = LettersUnderWay(dead_letters, port.dead_letters, group, decoder.writers.clock)
        self._gaps_told = 0
        self._stopped = False
        self._drained = ExitStack()
        # A notebook's cell leaves its subscription behind: run again, it would wait for the group to miss it.
        self._end = weakref.finalize(self, _leave, self._asker, receiver, dead_letters)

    @property
    def waiting(self) -> Mapping[int, str]:
        """By partition that waits for a schema: which one, and why it is not to be had."""
        ours = self._receiver.assigned()
        return {p: self._decoder.writers.why(held) for p, held in self._held.items() if p in ours}

    @property
    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's at present."""
        return self._receiver.assigned()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopped

    @property
    def buried(self) -> int:
        """How many events were set aside; each is acknowledged on the dead-letter topic."""
        return self._letters.acknowledged

    @property
    def gaps(self) -> Sequence[Gap]:
        """What this group wanted and the topic no longer had: each was told as a warning, too."""
        return tuple(self._receiver.gaps)

    @property
    def refused(self) -> int:
        """How many commits the group refused, because partitions had gone to another member."""
        return self._receiver.refused

    def lag(self) -> Mapping[int, int]:
        """By partition of this member, how many offsets are not handled yet. Raises UnreachableError."""
        return self._receiver.lag()

    def batches(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> Iterator[Batch]:
        """Batches as they come, until `stop`; the one before is handled when the next is asked for."""
        while not self._stopped:
            batch = self.poll(most=most, wait_seconds=wait_seconds)
            if batch is not None:
                yield batch
        self.commit()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Events as dicts, until `stop`; each is handled when the next is asked for."""
        for batch in self.batches():
            yield from self.handing_out(batch, batch.rows())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """As `rows`."""
        return self.rows()

    def models(self, model: type[Model]) -> Iterator[Model]:
        """Events as instances of a Pydantic model, as `rows`; raises ValidationError for one that is none."""
        for batch in self.batches():
            yield from self.handing_out(batch, batch.each_model(model))

    def poll(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> Batch | None:
        """The next batch, None when nothing readable came in `wait_seconds`; the one before is handled."""
        self._give_back_the_rest()
        if not self._letters or self._letters.are_due:
            self._settle()
        messages, parts = self._taken(most, wait_seconds)
        if not messages:
            return None
        with self._coming_again(messages):
            batch, poison = self._decoder.decode(messages, parts)
            if poison:
                self._letters.bury([Letter(*one) for one in poison])
        return batch if len(batch) else None

    def handing_out(self, batch: Batch, items: Iterable[Item]) -> Iterator[Item]:
        """One thing per event of a batch; what is not asked for any more comes again.

        The last one given counts as handled when anything else is asked for, or when `with` ends well.
        """
        for number, item in enumerate(items, 1):
            self._rest = batch, number
            yield item
        self._rest = None

    def give_back(self, batch: Batch) -> None:
        """Nobody handled this batch, the last one polled: it comes again."""
        self._rest = batch, 0

    def decoded(self, messages: Sequence[Message]) -> tuple[Batch, list[tuple[Message, EventError]]]:
        """Decode records once more, as when they came: the readable ones, and the others with reasons."""
        return self._decoder.decode(messages)

    def commit(self) -> None:
        """What was given out is handled, and written down when this returns; raises MeshError (MESH-K030)."""
        self._give_back_the_rest()
        self._make_letters_safe()
        self._receiver.commit()

    def seek(self, place: Place | str) -> None:
        """Go on from a place, on this member's partitions; the group's position goes with it.

        Before there are any, it holds for the first to come. Raises UsageError (MESH-U190).
        """
        self._give_back_the_rest()
        self._make_letters_safe()
        self._receiver.seek(place_of(place))

    def replay(self, since: Place | str = "earliest", until: Place | str | None = None) -> Reading:
        """What is on the topic from one place to before another, once more; the group's position stays.

        Times are when events were published. Raises UsageError (MESH-U190).
        """
        assert self._replayed is not None, "who connects a subscription says how it is replayed"
        return self._replayed(span_of(since, until))

    def pause(self, *partitions: int) -> None:
        """Take nothing new of these partitions, or of all that are or will be ours; they stay ours."""
        self._receiver.pause(partitions or None)

    def resume(self, *partitions: int) -> None:
        """Go on where `pause` stopped; partitions that wait for a schema wait on."""
        self._receiver.resume(partitions or None)

    def stop(self) -> None:
        """End every iteration after what is in hand. May be called by signal handlers and other threads."""
        self._stopped = True

    def close(self) -> None:
        """Leave the group; what was given out and not handled comes again."""
        self._drained.close()
        self._end()

    def __enter__(self) -> Subscription:
        """SIGTERM now means `stop`, unless the program has said otherwise."""
        self._drained.enter_context(drained_on_sigterm(self.stop))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.commit()
        finally:
            self.close()

    def _settle(self) -> None:
        """Everything taken so far is handled, its dead letters too."""
        self._make_letters_safe()
        self._receiver.settle()

    def _give_back_the_rest(self) -> None:
        if self._rest is None:
            return
        batch, given = self._rest
        self._rest = None
        self._make_letters_safe(batch.messages[given:])
        self._again(batch.messages[given:])

    def _again(self, messages: Sequence[Message]) -> None:
        """Nothing of it was handled, and no dead letter is known to be there: the same records come again."""
        firsts = {message.partition(): message.offset() for message in reversed(messages)}
        for partition, offset in self._letters.forgotten().items():
            firsts[partition] = min(offset, firsts.get(partition, offset))
        self._receiver.hold(firsts)
        self._receiver.release(firsts)

    @contextmanager
    def _coming_again(self, messages: Sequence[Message]) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._again(messages)
            raise

    def _taken(self, most: int, wait_seconds: float) -> tuple[Sequence[Message], Unframed]:
        """Records whose schemas are all at hand, or known to be none; a partition without one is held."""
        clock = self._decoder.writers.clock
        end = clock() + wait_seconds
        while True:
            self._resume()
            left = max(end - clock(), 0.0)
            messages = self._receiver.take(most, min(left, LOOK_SECONDS))
            self._tell_gaps()
            if not messages and self._letters:
                self._settle()  # there is time for it now
            parts = unframed(messages)
            missing = self._missing(messages, parts)
            if missing:
                messages = self._held_back(messages, missing)
                parts = unframed(messages)
            if messages or self._stopped or clock() >= end:
                return messages, parts

    def _missing(self, messages: Sequence[Message], parts: Unframed) -> Mapping[int, tuple[int, SchemaKey]]:
        with self._coming_again(messages):
            return self._decoder.missing(messages, parts)

    def _held_back(
        self, messages: Sequence[Message], missing: Mapping[int, tuple[int, SchemaKey]]
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

    def _tell_gaps(self) -> None:
        for gap in self._receiver.gaps[self._gaps_told :]:
            self._gaps_told += 1
            logging.getLogger("mesh.subscription").warning("group %s: %s", self._group, gap)

    def _make_letters_safe(self, rest: Sequence[Message] = ()) -> None:
        with self._coming_again(rest):
            self._letters.make_safe()


def _leave(asker: Asker, receiver: Steered, dead_letters: Sender) -> None:
    asker.close()
    receiver.close()
    dead_letters.close()
