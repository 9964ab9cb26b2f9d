"""Receiver of a group's member: cooperative, moved by hand where asked, committing what is handled only.

A partition without a position of its group begins at the group's `start`; that is written down at once,
so that nobody who comes later begins elsewhere. One whose position is gone goes on by `out_of_range`,
and what was passed over is told as a gap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import unreachable
from mesh.adapters.kafka_commits import Commits
from mesh.adapters.kafka_places import Places
from mesh.adapters.kafka_reading import BoundedReceiver
from mesh.adapters.kafka_taking import (
    CONSUMER,
    MEMBER,
    apart,
    as_soon_as_some,
    is_end,
    is_without_place,
    last_offsets,
    require_readable,
)
from mesh.errors import MeshError
from mesh.interfaces import Message
from mesh.positions import Gap, OutOfRange, Place

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError

__all__ = ["BoundedReceiver", "GroupReceiver"]

#: so long after its last word a member counts as dead, and its partitions go to the others
SESSION_MS = 45_000


class GroupReceiver:
    """Reads a topic as a member of a group. Raises UnreachableError when every broker is down."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        group: str,
        start: Place = "earliest",
        out_of_range: OutOfRange = "earliest",
        session_ms: int = SESSION_MS,
    ) -> None:
        from confluent_kafka import Consumer

        self.gaps: list[Gap] = []
        self._bootstrap = bootstrap
        self._topic = topic
        self._start = start
        self._out_of_range = out_of_range
        self._down: str | None = None
        self._wish: Place | None = None
        self._mine: set[int] = set()
        self._taken: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._paused: set[int] = set()
        self._all_paused = False
        self._misplaced: set[int] = set()
        self._consumer: Consumer = Consumer(
            {
                **CONSUMER,
                **MEMBER,
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "session.timeout.ms": session_ms,
                "error_cb": self._told,
                "on_commit": self._committed,
            }
        )
        self._places = Places(self._consumer, bootstrap, topic)
        self._commits = Commits(self._consumer, topic)
        self._consumer.subscribe(
            [topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._gone
        )

    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's at present."""
        return frozenset(self._mine)

    @property
    def positions(self) -> Mapping[int, int]:
        """By partition of ours, the offset up to which all is handled; where that is known already."""
        return {p: offset for p, offset in self._commits.positions.items() if p in self._mine}

    @property
    def refused(self) -> int:
        """How many commits the group refused: another member had taken over, or was about to."""
        return self._commits.refused

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records of partitions that are ours."""
        if self._misplaced:
            self._find_places()
        found = as_soon_as_some(self._consumer, most, wait_seconds, 0.0)
        if not found:
            self._commits.begin()  # what was handled a moment ago may be due by now
        if not found and self._down is not None:
            why, self._down = self._down, None
            raise unreachable(self._bootstrap, why)
        self._down = None
        messages, errors = apart(found)
        if errors:
            self._heed(errors)
        lasts = last_offsets(messages)
        if not lasts.keys() <= self._mine - self._misplaced:
            # What came before a rebalance belongs to whoever has the partition now.
            messages = [m for m in messages if m.partition() in self._mine - self._misplaced]
            lasts = last_offsets(messages)
        self._taken |= {partition: offset + 1 for partition, offset in lasts.items()}
        return messages

    def settle(self) -> None:
        """Everything taken is handled; it is written down soon, by `commit` or `close` at the latest."""
        self._commits.add(self._taken)
        self._taken = {}
        self._commits.begin()

    def commit(self) -> None:
        """Everything taken is handled, and written down when this returns; else raises MeshError."""
        self._commits.add(self._taken)
        self._taken = {}
        self._commits.finish()

    def hold(self, positions: Mapping[int, int]) -> None:
        """Pause partitions; the group keeps its members, because the others are polled on."""
        ours = {partition: offset for partition, offset in positions.items() if partition in self._mine}
        self._consumer.pause(self._at(ours))
        self._held |= ours
        self._taken |= ours

    def release(self, partitions: Collection[int]) -> None:
        """Resume partitions at the offsets they were held at; those that moved away are not ours."""
        back = {partition: self._held.pop(partition) for partition in partitions if partition in self._held}
        self._move(back)

    def pause(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing more of these partitions, or of all that are or will be ours; membership is kept."""
        self._all_paused = self._all_paused or partitions is None
        self._paused |= self._mine if partitions is None else set(partitions) & self._mine
        self._consumer.pause(self._at(self._paused))

    def resume(self, partitions: Collection[int] | None = None) -> None:
        """Go on with these partitions, or with all, where they were paused."""
        going_on = self._paused & (self._paused if partitions is None else set(partitions))
        self._all_paused = self._all_paused and partitions is not None
        self._paused -= going_on
        self._consumer.resume(self._at(going_on - self._held.keys()))

    def seek(self, place: Place) -> None:
        """Go on from a place, on the partitions that are ours; before there are any, on the first to come."""
        if not self._mine:
            self._wish = place
            return
        named = [p for p in self._mine if not isinstance(place, Mapping) or p in place]
        offsets = self._places.offsets(place, named)
        self._misplaced -= offsets.keys()
        self._held = {p: offset for p, offset in self._held.items() if p not in offsets}
        self._taken |= offsets
        self._move(offsets)

    def lag(self) -> Mapping[int, int]:
        """By partition of ours, how many offsets are not handled yet: at least so many as events."""
        handled = self._handled()
        ends = {partition: self._places.bounds(partition) for partition in self._mine}
        return {p: high - min(max(handled.get(p, low), low), high) for p, (low, high) in ends.items()}

    def at_end(self) -> bool:
        """Never: a subscription has no end."""
        return False

    def close(self) -> None:
        """Write down what is settled and leave the group; what was only taken comes again."""
        self._consumer.close()

    def _heed(self, errors: list[Any]) -> None:
        rest = []
        for message in errors:
            partition = message.partition()
            if is_end(message):
                if partition in self._mine and partition not in self._misplaced:
                    # The end may lie behind markers of transactions: there is nothing to read up to there.
                    self._taken[partition] = message.offset()
            elif is_without_place(message):
                self._misplaced.add(partition)
            else:
                rest.append(message)
        require_readable(rest)

    def _find_places(self) -> None:
        """Put partitions without a position where they belong; tells gaps, raises where it is to stop."""
        lost = self._misplaced & self._mine
        if self._wish is not None:
            self._place(self._places.offsets(self._wish, lost))
            self._wish = None
            return
        wanted = self._handled() | self._taken
        known = {partition: offset for partition, offset in wanted.items() if partition in lost}
        new = self._places.offsets(self._start, lost - known.keys())
        self._place(new)
        self._commits.begin()
        for partition, position in known.items():
            low, high = self._places.bounds(partition)
            if low <= position <= high:
                # librdkafka spoke of where the partition was before it was moved.
                self._misplaced.discard(partition)
                self._move({partition: position})
                continue
            went_on = high if self._out_of_range == "latest" else low
            gap = Gap(self._topic, partition, position, went_on)
            self.gaps.append(gap)
            if self._out_of_range == "fail":
                raise MeshError(
                    "the events at the group's position are gone",
                    code="MESH-K033",
                    where=self._topic,
                    why=str(gap),
                    fix="seek('earliest'), or subscribe with out_of_range='earliest' or 'latest'",
                )
            self._place({partition: went_on})

    def _place(self, offsets: Mapping[int, int]) -> None:
        self._misplaced -= offsets.keys()
        self._commits.add(offsets)
        self._move(offsets)

    def _handled(self) -> dict[int, int]:
        """The group's position of our partitions, where it has one."""
        known = self._commits.positions
        unknown = self._mine - known.keys()
        return {p: known[p] for p in self._mine & known.keys()} | self._places.committed(unknown)

    def _move(self, offsets: Mapping[int, int]) -> None:
        """Read on from these offsets. Assigning anew also throws away what was fetched ahead."""
        from confluent_kafka import TopicPartition

        ours = {partition: offset for partition, offset in offsets.items() if partition in self._mine}
        if not ours:
            return
        self._consumer.incremental_unassign(self._at(ours))
        self._consumer.incremental_assign([TopicPartition(self._topic, p, o) for p, o in ours.items()])
        still = (self._paused | self._held.keys()) & ours.keys()
        self._consumer.pause(self._at(still))
        self._consumer.resume(self._at(ours.keys() - still))

    def _at(self, partitions: Collection[int]) -> list[Any]:
        from confluent_kafka import TopicPartition

        return [TopicPartition(self._topic, partition) for partition in partitions]

    def _assigned(self, consumer: Consumer, partitions: list[Any]) -> None:
        numbers = {partition.partition for partition in partitions}
        consumer.incremental_assign(partitions)
        self._mine |= numbers
        if self._all_paused:
            self._paused |= numbers
            consumer.pause(self._at(numbers))
        if self._wish is not None:
            self._misplaced |= numbers

    def _revoked(self, _consumer: Consumer, partitions: list[Any]) -> None:
        # What is handled is written down while we still may; what is only in hand, the next owner gets.
        numbers = {partition.partition for partition in partitions}
        self._commits.hand_over(numbers)
        self._forget(numbers)

    def _gone(self, _consumer: Consumer, partitions: list[Any]) -> None:
        # Lost, not handed over: others may have read on from the last commit, so ours would be a lie.
        self._forget({partition.partition for partition in partitions})

    def _forget(self, numbers: set[int]) -> None:
        self._mine -= numbers
        self._misplaced -= numbers
        self._paused -= numbers
        self._commits.drop(numbers)
        for kept in (self._taken, self._held):
            for number in numbers & kept.keys():
                del kept[number]

    def _committed(self, error: KafkaError | None, partitions: list[Any]) -> None:
        self._commits.ended(error, partitions)

    def _told(self, error: KafkaError) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self._down = error.str()
