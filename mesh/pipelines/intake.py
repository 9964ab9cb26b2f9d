"""What a pipeline takes in: records of all its inputs as decoded batches, one per input, and what is poison.

A partition whose next event needs a schema that is not to be had at present waits; the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mesh.decoding import Batch, Decoder, unframed
from mesh.event import SchemaKey, Unframed
from mesh.interfaces import Inputs, Message, Partition
from mesh.pipelines.provenance import Ranges, ranges
from mesh.port import OutputPort
from mesh.writers import Asker

#: while a partition waits, how often it is looked after
LOOK_SECONDS = 0.25

Poison = Sequence[tuple[Message, BaseException]]


@dataclass(frozen=True, slots=True)
class Input:
    """One product that is read, and what it is read with."""

    product: str
    port: OutputPort
    decoder: Decoder
    asker: Asker = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "asker", Asker(self.decoder.writers))


@dataclass(frozen=True, slots=True)
class Portion:
    """Events of one input, and the offsets of the records that they came among."""

    read: Input
    batch: Batch
    ranges: Ranges

    def halves(self) -> tuple[Portion, Portion]:
        """The first and the second half of its events."""
        middle = len(self.batch) // 2
        return self._part(0, middle), self._part(middle, len(self.batch))

    def _part(self, start: int, end: int) -> Portion:
        messages = self.batch.messages[start:end]
        return Portion(
            self.read, Batch(self.batch.events.slice(start, end - start), messages), ranges(messages)
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What one transaction is about: batches and poison by input, and where reading goes on after it."""

    portions: Sequence[Portion]
    poison: Sequence[tuple[Input, Poison]]
    positions: Mapping[Partition, int]
    member: bytes
    records: int


class Intake:
    """Takes records and makes of them what a pipeline works on."""

    def __init__(self, inputs: Sequence[Input], receiver: Inputs) -> None:
        self._inputs = {one.port.topic: one for one in inputs}
        self._receiver = receiver
        self._held: dict[Partition, SchemaKey] = {}

    def take(self, most: int, wait_seconds: float, fill_seconds: float) -> Taken | None:
        """The next records, None when none can be worked on at present."""
        self._resume()
        wait = min(wait_seconds, LOOK_SECONDS) if self._held else wait_seconds
        messages = self._receiver.take(most, wait, fill_seconds)
        # Asked after the records came: whoever lost their partitions since is not a member any more.
        member = self._receiver.member
        if messages and member is None:
            self.rewind()
            return None
        if not messages or member is None:
            return None
        portions: list[Portion] = []
        poison: list[tuple[Input, Poison]] = []
        positions: dict[Partition, int] = {}
        records = 0
        for topic, found in self._by_topic(messages).items():
            read = self._inputs[topic]
            kept, parts = self._readable(read, found)
            batch, bad = read.decoder.decode(kept, parts)
            found_at = ranges(kept)
            if len(batch):
                portions.append(Portion(read, batch, found_at))
            if bad:
                poison.append((read, bad))
            for partition, (_, last) in found_at.items():
                positions[topic, partition] = last + 1
            records += len(kept)
        return Taken(portions, poison, positions, member, records) if records else None

    def rewind(self) -> None:
        """Begin again where the last transaction that was committed left off."""
        self._held.clear()
        self._receiver.rewind()

    @property
    def waiting(self) -> Mapping[Partition, str]:
        """By partition that waits for a schema: which one, and why it is not to be had."""
        return {
            place: self._inputs[place[0]].decoder.writers.why(schema_id)
            for place, schema_id in self._held.items()
        }

    @property
    def joined(self) -> bool:
        """Whether it is a member of its group at present."""
        return self._receiver.member is not None

    def lag(self) -> tuple[int | None, int]:
        """How many records were not taken so far, None while that is unknown; and on how many partitions."""
        known, mine = self._receiver.lag(), self._receiver.assigned
        return (sum(known.values()) if known.keys() >= mine else None), len(mine)

    def close(self) -> None:
        """Leave the group."""
        for read in self._inputs.values():
            read.asker.close()
        self._receiver.close()

    def _by_topic(self, messages: Sequence[Message]) -> Mapping[str, Sequence[Message]]:
        if len(self._inputs) == 1:
            return dict.fromkeys(self._inputs, messages)
        found: dict[str, list[Message]] = {}
        for message in messages:
            found.setdefault(message.topic(), []).append(message)
        return found

    def _readable(self, read: Input, messages: Sequence[Message]) -> tuple[Sequence[Message], Unframed]:
        """Those whose schemas are at hand or known to be none; order is kept: what is behind waits too."""
        parts = unframed(messages)
        missing = read.decoder.missing(messages, parts)
        if not missing:
            return messages, parts
        topic = read.port.topic
        self._receiver.hold({(topic, partition): offset for partition, (offset, _) in missing.items()})
        self._held |= {(topic, partition): schema_id for partition, (_, schema_id) in missing.items()}
        kept = [m for m in messages if m.partition() not in missing or m.offset() < missing[m.partition()][0]]
        return kept, unframed(kept)

    def _resume(self) -> None:
        if not self._held:
            return
        ready = [
            place
            for place, schema_id in self._held.items()
            if self._inputs[place[0]].decoder.writers.settled(schema_id)
        ]
        if ready:
            self._receiver.release(ready)
            for place in ready:
                del self._held[place]
        for topic, read in self._inputs.items():
            wanted = {schema_id for (held, _), schema_id in self._held.items() if held == topic}
            if wanted:
                read.asker.look(wanted)
