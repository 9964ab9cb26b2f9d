"""Consumer groups and committed offsets: the same on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

from mesh_platform.brokers import RunningBroker


class Rig:
    """A topic of four partitions, a group, and as many members as a test wants."""

    def __init__(self, bootstrap: str, stack: ExitStack) -> None:
        self.bootstrap = bootstrap
        self.topic = f"groups.{uuid.uuid4().hex}.v1"
        self.group = f"group-{uuid.uuid4().hex}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.admin.create_topics([NewTopic(self.topic, 4, 1)])[self.topic].result(20)
        self._stack = stack

    def member(self, **config: Any) -> Consumer:
        """A member that subscribes, closed with the test."""
        consumer = self.client(**config)
        consumer.subscribe([self.topic])
        return consumer

    def client(self, **config: Any) -> Consumer:
        settings = {
            "bootstrap.servers": self.bootstrap,
            "group.id": self.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6_000,
            "heartbeat.interval.ms": 300,
        }
        consumer = Consumer({**settings, **config})
        self._stack.callback(consumer.close)
        return consumer

    def produce(self, count: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for number in range(count):
            producer.produce(self.topic, b"%d" % number, partition=number % 4)
        assert producer.flush(20) == 0

    def committed(self, partition: int = 0) -> TopicPartition:
        return self.client().committed([TopicPartition(self.topic, partition)], timeout=20)[0]

    def description(self) -> Any:
        return self.admin.describe_consumer_groups([self.group])[self.group].result(20)


@pytest.fixture
def rig(broker: RunningBroker) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(broker.bootstrap, stack)


def until(holds: Callable[[], object], *consumers: Consumer, seconds: float = 30) -> None:
    """Poll the consumers until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        for consumer in consumers:
            consumer.poll(0.05)


def shares(*consumers: Consumer) -> list[int]:
    return sorted(len(consumer.assignment()) for consumer in consumers)


def code_of(action: Callable[[], Any]) -> int:
    with pytest.raises(KafkaException) as caught:
        action()
    code: int = caught.value.args[0].code()
    return code


STRATEGIES = pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])


@STRATEGIES
def test_one_member_gets_every_partition(rig: Rig, strategy: str) -> None:
    member = rig.member(**{"partition.assignment.strategy": strategy})
    until(lambda: shares(member) == [4], member)


@STRATEGIES
def test_two_members_share_and_the_one_that_stays_gets_all(rig: Rig, strategy: str) -> None:
    config = {"partition.assignment.strategy": strategy}
    first = rig.member(**config)
    until(lambda: shares(first) == [4], first)
    second = Consumer({"bootstrap.servers": rig.bootstrap, "group.id": rig.group, **config})
    second.subscribe([rig.topic])
    until(lambda: shares(first, second) == [2, 2], first, second)
    second.close()
    until(lambda: shares(first) == [4], first)


def test_a_group_reads_each_event_once(rig: Rig) -> None:
    members, seen = [rig.member(), rig.member()], []
    until(lambda: shares(*members) == [2, 2], *members)
    rig.produce(400)
    deadline = time.monotonic() + 20
    while len(seen) < 400 and time.monotonic() < deadline:
        for member in members:
            seen += [m.value() for m in member.consume(100, 0.1) if m.error() is None]
    assert sorted(seen) == sorted(b"%d" % number for number in range(400))


def test_committed_offsets_are_where_the_next_member_begins(rig: Rig) -> None:
    rig.produce(40)
    first = rig.client()
    first.commit(offsets=[TopicPartition(rig.topic, p, 8) for p in range(4)], asynchronous=False)
    second, seen = rig.member(), []
    deadline = time.monotonic() + 20
    while len(seen) < 8 and time.monotonic() < deadline:
        seen += [m.offset() for m in second.consume(100, 0.2) if m.error() is None]
    assert sorted(seen) == [8, 8, 8, 8, 9, 9, 9, 9]


def test_a_commit_keeps_its_metadata(rig: Rig) -> None:
    rig.client().commit(offsets=[TopicPartition(rig.topic, 1, 5, metadata="note")], asynchronous=False)
    position = rig.committed(1)
    assert (position.offset, position.metadata) == (5, "note")


def test_a_partition_without_a_commit_has_no_offset(rig: Rig) -> None:
    assert rig.committed(3).offset == -1001


def test_a_commit_for_a_partition_that_is_not_there_is_refused(rig: Rig) -> None:
    client = rig.client()
    commit = lambda: client.commit(offsets=[TopicPartition(rig.topic, 77, 5)], asynchronous=False)  # noqa: E731
    assert code_of(commit) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_commit_with_too_much_metadata_is_refused(rig: Rig) -> None:
    client, place = rig.client(), TopicPartition(rig.topic, 0, 5, metadata="x" * 5000)
    commit = lambda: client.commit(offsets=[place], asynchronous=False)  # noqa: E731
    assert code_of(commit) == KafkaError.OFFSET_METADATA_TOO_LARGE


def test_a_stranger_may_not_commit_for_a_group_with_members(rig: Rig) -> None:
    member = rig.member()
    until(lambda: shares(member) == [4], member)
    client = rig.client()
    commit = lambda: client.commit(offsets=[TopicPartition(rig.topic, 0, 5)], asynchronous=False)  # noqa: E731
    assert code_of(commit) == KafkaError.UNKNOWN_MEMBER_ID


def test_a_static_member_comes_back_to_its_partitions_without_a_rebalance(rig: Rig) -> None:
    other = rig.member(**{"group.instance.id": "other"})
    config = {"bootstrap.servers": rig.bootstrap, "group.id": rig.group, "group.instance.id": "one"}
    first = Consumer({**config, "session.timeout.ms": 30_000})
    first.subscribe([rig.topic])
    until(lambda: shares(first, other) == [2, 2], first, other)
    had = {p.partition for p in first.assignment()}
    first.close()
    back = rig.member(**{"group.instance.id": "one"})
    until(lambda: shares(back) == [2], back, other)
    assert ({p.partition for p in back.assignment()}, shares(other)) == (had, [2])


def test_a_second_static_member_of_the_same_name_fences_the_first(rig: Rig) -> None:
    first = rig.member(**{"group.instance.id": "one"})
    until(lambda: shares(first) == [4], first)
    second = rig.member(**{"group.instance.id": "one"})
    until(lambda: shares(second) == [4], second)
    errors: list[int] = []
    deadline = time.monotonic() + 20
    while not errors and time.monotonic() < deadline:
        try:
            message = first.poll(0.2)
            errors += [message.error().code()] if message is not None and message.error() else []
        except KafkaException as error:
            errors.append(error.args[0].code())
    assert errors
    assert set(errors) <= {KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL}


def test_a_group_is_described_with_its_members(rig: Rig) -> None:
    member = rig.member(**{"client.id": "someone"})
    until(lambda: shares(member) == [4], member)
    group = rig.description()
    (described,) = group.members
    assert (group.state, group.partition_assignor) == (ConsumerGroupState.STABLE, "range")
    assert (described.client_id, len(described.assignment.topic_partitions)) == ("someone", 4)


def test_a_group_whose_members_left_is_empty_and_listed(rig: Rig) -> None:
    member = Consumer({"bootstrap.servers": rig.bootstrap, "group.id": rig.group})
    member.subscribe([rig.topic])
    until(lambda: shares(member) == [4], member)
    member.close()
    listed = rig.admin.list_consumer_groups().result(20).valid
    assert (rig.group, ConsumerGroupState.EMPTY) in [(g.group_id, g.state) for g in listed]


def test_the_offsets_of_a_group_are_listed(rig: Rig) -> None:
    rig.client().commit(offsets=[TopicPartition(rig.topic, 2, 6)], asynchronous=False)
    asked = ConsumerGroupTopicPartitions(rig.group)
    found = rig.admin.list_consumer_group_offsets([asked])[rig.group].result(20).topic_partitions
    assert [(p.topic, p.partition, p.offset) for p in found] == [(rig.topic, 2, 6)]


def test_the_offsets_of_an_empty_group_can_be_set(rig: Rig) -> None:
    rig.client().commit(offsets=[TopicPartition(rig.topic, 0, 6)], asynchronous=False)
    wanted = ConsumerGroupTopicPartitions(rig.group, [TopicPartition(rig.topic, 0, 2)])
    rig.admin.alter_consumer_group_offsets([wanted])[rig.group].result(20)
    assert rig.committed().offset == 2


def test_an_empty_group_can_be_deleted_with_its_offsets(rig: Rig) -> None:
    rig.client().commit(offsets=[TopicPartition(rig.topic, 0, 6)], asynchronous=False)
    rig.admin.delete_consumer_groups([rig.group])[rig.group].result(20)
    assert rig.committed().offset == -1001


def test_a_group_with_members_cannot_be_deleted(rig: Rig) -> None:
    member = rig.member()
    until(lambda: shares(member) == [4], member)
    assert code_of(lambda: rig.admin.delete_consumer_groups([rig.group])[rig.group].result(20)) == (
        KafkaError.NON_EMPTY_GROUP
    )


def test_a_group_that_is_not_there_cannot_be_deleted(rig: Rig) -> None:
    assert code_of(lambda: rig.admin.delete_consumer_groups([rig.group])[rig.group].result(20)) == (
        KafkaError.GROUP_ID_NOT_FOUND
    )


async def test_aiokafka_joins_reads_and_commits(rig: Rig) -> None:
    from aiokafka import AIOKafkaConsumer

    rig.produce(8)
    consumer = AIOKafkaConsumer(
        rig.topic,
        bootstrap_servers=rig.bootstrap,
        group_id=rig.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    seen: list[bytes] = []
    while len(seen) < 8:
        for messages in (await consumer.getmany(timeout_ms=5000)).values():
            seen += [message.value for message in messages]
    await consumer.commit()
    await consumer.stop()
    assert (len(seen), rig.committed().offset) == (8, 2)


async def test_aiokafka_creates_the_topics_that_faust_asks_for(rig: Rig) -> None:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.admin import NewTopic as AioTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
    await admin.start()
    changelog = f"{rig.topic}-changelog"
    settings = {"cleanup.policy": "compact", "retention.ms": "86400000"}
    await admin.create_topics([AioTopic(changelog, 2, 1, topic_configs=settings)])
    deadline = time.monotonic() + 15
    # Apache Kafka shows a new topic a moment after it has created it.
    while changelog not in await admin.list_topics():
        assert time.monotonic() < deadline, "the new topic never came to be seen"
        await asyncio.sleep(0.05)
    await admin.close()
