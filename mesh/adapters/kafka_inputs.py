"""Receiver of all inputs of a pipeline as one member of one group; transactions keep its positions.

What was taken and is not committed when a partition moves away belongs to nobody any more. So `take` gives
nothing that came beside a move: it goes back to what is committed instead.

A member with a name takes its old place without a new generation. In a cooperative group a partition that
moves waits for its owner to give it up, so one that is killed just then and comes back would leave it to
nobody for good (ADR 0034). Whoever is back therefore asks for a new generation, in the one way a client has:
its subscription changes, by a pattern that no topic has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import is_fatal, unreachable
from mesh.adapters.kafka_places import Places
from mesh.adapters.kafka_taking import (
    CONSUMER,
    MEMBER,
    apart,
    as_soon_as_some,
    is_end,
    is_without_place,
    require_readable,
)
from mesh.errors import MeshError
from mesh.interfaces import Message, Partition

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, TopicPartition

#: a member that is killed holds its partitions for so long, unless it comes back under its name
SESSION_MS = 10_000
#: of a partition at once: transactions are a fifth faster than with librdkafka's 1 MiB, which suits readers
FETCH_BYTES = 4_000_000
#: librdkafka's serialised member facts: a magic word, then the generation; -1 is a member of nothing
_GENERATION = slice(7, 11)
_NONE = b"\xff\xff\xff\xff"
_NO_TOPIC = "^mesh no topic$"


class GroupInputs:
    """A member of a group on several topics. With a `name` it comes back to its partitions at once."""

    def __init__(
        self,
        bootstrap: str,
        topics: Sequence[str],
        group: str,
        *,
        name: str | None = None,
        leaving: Callable[[], None] = lambda: None,
    ) -> None:
        from confluent_kafka import Consumer

        self._bootstrap = bootstrap
        self._leaving = leaving
        self._moves = 0
        self._owned: set[Partition] = set()
        self._held: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._unplaced: set[Partition] = set()
        self._down: str | None = None
        self._fatal: str | None = None
        self._consumer: Consumer = Consumer(
            {
                **CONSUMER,
                **MEMBER,
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "session.timeout.ms": SESSION_MS,
                "fetch.message.max.bytes": FETCH_BYTES,
                "metadata.recovery.strategy": "none",
                "error_cb": self._told,
                **({"group.instance.id": name} if name else {}),
            }
        )
        self._topics = list(topics)
        self._back = name is not None
        self._subscribe(self._topics)

    @property
    def member(self) -> bytes | None:
        """Who this is in the group at present: what a transaction is committed with; None when nobody."""
        facts: bytes = self._consumer.consumer_group_metadata()
        # Without a generation a broker would not look whether this is still a member.
        return None if facts[_GENERATION] == _NONE else facts

    def take(self, most: int, wait_seconds: float, fill_seconds: float) -> Sequence[Message]:
        """Up to `most` records: whatever comes within `fill_seconds` of the first.

        Raises UnreachableError when every broker is down or none says in time where to begin, MeshError
        (MESH-K051) when another has the name, MESH-K053 when events that were not read yet are gone.
        """
        for place in sorted(self._unplaced):
            self._begin(place)
        if self._back and self.member is not None:
            self._back = False
            self._subscribe([*self._topics, _NO_TOPIC])
        moves = self._moves
        good, bad = apart(as_soon_as_some(self._consumer, most, wait_seconds, fill_seconds))
        # Before all else: whoever is shut out loses its partitions, too, and is told of it only once.
        self._require_readable(bad)
        if self._moves != moves:
            self.rewind()
            return []
        self._heed(bad)
        if not good and not bad and self._down is not None:
            why, self._down = self._down, None
            raise unreachable(self._bootstrap, why)
        self._down = None
        return good

    def rewind(self) -> None:
        """Go back to what is committed, on every partition; waits for transactions that are not over."""
        from confluent_kafka import OFFSET_STORED, TopicPartition

        self._held.clear()
        self._next.clear()
        self._unplaced.clear()  # they are looked for anew
        here = [TopicPartition(topic, partition, OFFSET_STORED) for topic, partition in sorted(self._owned)]
        if here:
            self._consumer.incremental_unassign(here)
            self._consumer.incremental_assign(here)

    def hold(self, positions: Mapping[Partition, int]) -> None:
        """Take nothing more of these partitions; each goes on at its offset when it is released."""
        self._consumer.pause(_partitions(positions))
        self._held |= positions

    def release(self, partitions: Collection[Partition]) -> None:
        """Go on with these partitions where they were held."""
        for place in partitions:
            offset = self._held.pop(place, None)
            if offset is not None:
                (partition,) = _partitions([place])
                self._consumer.resume([partition])
                partition.offset = offset
                self._consumer.seek(partition)

    def lag(self) -> Mapping[Partition, int]:
        """By partition, how many offsets were not taken so far; without those where that is not known."""
        found: dict[Partition, int] = {}
        for one in self._consumer.position(_partitions(sorted(self._owned))):
            place = one.topic, one.partition
            _, end = self._consumer.get_watermark_offsets(one, cached=True)
            taken = max(one.offset, self._next.get(place, -1))
            if end >= 0 and taken >= 0:  # both are below before the first answer
                found[place] = max(end - taken, 0)
        return found

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that are its own at present."""
        return frozenset(self._owned)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _subscribe(self, topics: list[str]) -> None:
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked)

    def _require_readable(self, errors: list[Any]) -> None:
        for message in errors:
            self._told(message.error())
        if self._fatal is not None:
            raise MeshError(
                "this member was shut out of its group",
                code="MESH-K051",
                where=self._bootstrap,
                why=self._fatal,
                fix="start again; if it comes back, another process runs under the same name",
            )
        require_readable([m for m in errors if not is_without_place(m) and m.topic() != _NO_TOPIC])

    def _heed(self, errors: list[Any]) -> None:
        for message in errors:
            place = message.topic(), message.partition()
            if is_end(message):
                # The end lies behind the marks of transactions, which are no records.
                self._next[place] = message.offset()
            elif is_without_place(message):
                # Told only once: remembered until it is known where to begin, however long that takes.
                self._unplaced.add(place)

    def _begin(self, place: Partition) -> None:
        """Begin at the beginning where nothing is committed; elsewhere what comes next is gone."""
        from confluent_kafka import OFFSET_BEGINNING

        topic, partition = place
        places = Places(self._consumer, self._bootstrap, topic)
        committed = places.committed([partition]).get(partition)
        if committed is not None:
            low, high = places.bounds(partition)
            raise MeshError(
                "events that were not read yet are gone",
                code="MESH-K053",
                where=f"{topic}/{partition}/{committed}",
                why=f"the topic holds {low} to {high} only",
                fix="set the group's position with kafka-consumer-groups, knowing what is lost; start again",
            )
        (here,) = _partitions([place])
        here.offset = OFFSET_BEGINNING
        self._consumer.incremental_unassign([here])
        self._consumer.incremental_assign([here])
        self._unplaced.discard(place)

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._owned |= {(found.topic, found.partition) for found in partitions}

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._moves += 1
        self._leaving()
        for found in partitions:
            place = found.topic, found.partition
            self._owned.discard(place)
            self._unplaced.discard(place)
            self._held.pop(place, None)
            self._next.pop(place, None)

    def _told(self, error: KafkaError) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self._down = error.str()
        if is_fatal(error):
            self._fatal = f"{error.name()}: {error.str()}"


def _partitions(places: Collection[Partition]) -> list[TopicPartition]:
    from confluent_kafka import TopicPartition

    return [TopicPartition(topic, partition) for topic, partition in places]
