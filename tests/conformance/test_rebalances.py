"""F10, F11: members come, go and are put out, on both brokers. Nothing is skipped, nobody else commits."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_receiver import GroupReceiver
from mesh.adapters.kafka_taking import MEMBER
from mesh.interfaces import Message
from mesh_platform.brokers import RunningBroker
from tests.conformance.asking import Asking
from tests.conformance.declared import fresh_name

PARTITIONS = 4
STAGE = 400
MOST = 50


class Storm:
    """One group on one topic: what its members handled, whoever they were."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.members: list[Member] = []
        self.gone: list[Member] = []
        #: by partition, each offset in the order of its handling
        self.handled: dict[int, list[int]] = defaultdict(list)
        self.published = 0
        self._changed = threading.Condition()
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})

    def publish(self) -> None:
        for number in range(STAGE):
            self._producer.produce(self.topic, str(number), partition=number % PARTITIONS)
        assert self._producer.flush(20) == 0
        self.published += STAGE

    def join(self) -> Member:
        self.members.append(Member(self))
        self.members[-1].start()
        return self.members[-1]

    def leave(self, member: Member) -> None:
        self.members.remove(member)
        self.gone.append(member)
        member.going.set()

    def handle(self, taken: Sequence[Message]) -> None:
        with self._changed:
            for message in taken:
                self.handled[message.partition()].append(message.offset())
            self._changed.notify()

    def wait_for(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.failures()) or holds(), 60)
        assert self.failures() == []

    def all_handled(self) -> bool:
        return sum(len(set(offsets)) for offsets in self.handled.values()) == self.published

    def all_settled(self) -> bool:
        """Whether the members that are there have come to the end: some events come twice on the way."""
        ends = {p: end for member in self.members for p, end in member.receiver.positions.items()}
        return ends == dict.fromkeys(range(PARTITIONS), self.published // PARTITIONS)

    def shared_out(self) -> bool:
        """Whether every member has a part, and every partition a member."""
        parts = [member.receiver.assigned() for member in self.members]
        return all(parts) and sum(map(len, parts)) == PARTITIONS

    def failures(self) -> list[BaseException]:
        return [one.failure for one in (*self.members, *self.gone) if one.failure is not None]

    def close(self) -> None:
        for member in tuple(self.members):
            self.leave(member)
        for member in self.gone:
            member.join()


class Member(threading.Thread):
    """Takes, handles and settles until it is to go; it goes with a batch in hand, not handled."""

    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self.storm = storm
        self.going = threading.Event()
        self.receiver = GroupReceiver(storm.bootstrap, storm.topic, storm.topic)
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.going.is_set():
                self.receiver.settle()
                taken = self.receiver.take(MOST, 0.05)
                assert {message.partition() for message in taken} <= self.receiver.assigned()
                self.storm.handle(taken)
            self.receiver.settle()
            self.receiver.take(MOST, 0.0)
        except BaseException as failure:
            self.failure = failure
        finally:
            self.receiver.close()


@pytest.fixture
def storm(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storm]:
    # A member learns of a rebalance by its heartbeat.
    monkeypatch.setitem(MEMBER, "heartbeat.interval.ms", 100)
    topic = f"tests.{fresh_name()}"
    KafkaAdmin(broker.bootstrap).create_topic(topic, PARTITIONS, {})
    made = Storm(broker.bootstrap, topic)
    yield made
    made.close()


def committed(storm: Storm) -> dict[int, int]:
    consumer = Consumer({"bootstrap.servers": storm.bootstrap, "group.id": storm.topic})
    try:
        found = consumer.committed([TopicPartition(storm.topic, number) for number in range(PARTITIONS)], 10)
        return {partition.partition: partition.offset for partition in found}
    finally:
        consumer.close()


def put_out(bootstrap: str, group: str) -> None:
    """Every member leaves, without its knowledge."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = admin.describe_consumer_groups([group])[group].result(20)
    members = [{"member_id": one.member_id, "group_instance_id": None} for one in found.members]
    with Asking(bootstrap) as asking:
        asking.call(13, 3, group_id=group, members=members)


def test_f10_a_storm_of_rebalances_skips_nothing(storm: Storm) -> None:
    dice = random.Random(7)
    for stage in range(8):
        storm.publish()
        if stage in (3, 5, 6):
            storm.leave(dice.choice(storm.members))
        else:
            storm.join()
        storm.publish()
        storm.wait_for(storm.shared_out)
        storm.wait_for(storm.all_handled)
    storm.wait_for(storm.all_settled)
    each = storm.published // PARTITIONS
    assert {number: sorted(set(offsets)) for number, offsets in sorted(storm.handled.items())} == {
        number: list(range(each)) for number in range(PARTITIONS)
    }
    storm.wait_for(lambda: committed(storm) == dict.fromkeys(range(PARTITIONS), each))


def test_f10_what_is_handled_before_a_partition_moves_is_not_handled_again(storm: Storm) -> None:
    first = storm.join()
    storm.publish()
    storm.wait_for(storm.all_handled)
    second = storm.join()
    storm.publish()
    storm.wait_for(lambda: storm.all_handled() and len(second.receiver.assigned()) == PARTITIONS / 2)
    assert len(first.receiver.assigned()) == PARTITIONS / 2
    assert [len(offsets) for offsets in storm.handled.values()] == [storm.published / PARTITIONS] * PARTITIONS


def test_f11_a_member_that_was_put_out_commits_nothing(storm: Storm) -> None:
    storm.publish()
    member = GroupReceiver(storm.bootstrap, storm.topic, storm.topic)
    try:
        # A partition that is only found later would be written down later, with 0.
        while min(committed(storm).values()) < 0:
            member.take(MOST, 0.2)
            member.commit()
        storm.publish()
        before = committed(storm)
        while not member.take(MOST, 5):
            pass
        put_out(storm.bootstrap, storm.topic)
        member.commit()
        assert (committed(storm), member.refused) == (before, 1)
    finally:
        member.close()


def test_f11_a_member_that_was_put_out_comes_back_and_nothing_is_skipped(storm: Storm) -> None:
    storm.join()
    storm.publish()
    storm.wait_for(storm.all_handled)
    put_out(storm.bootstrap, storm.topic)
    storm.publish()
    # Only a member may commit: whose positions are the group's in the end has come back.
    storm.wait_for(lambda: storm.all_handled() and storm.all_settled())
    each = storm.published // PARTITIONS
    storm.wait_for(lambda: committed(storm) == dict.fromkeys(range(PARTITIONS), each))
