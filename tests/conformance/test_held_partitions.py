"""A partition that waits keeps its place in the group and goes on from the same event, on both brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mesh.adapters import kafka_commits
from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_receiver import GroupReceiver
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import fresh_name

EACH = 20


@pytest.fixture
def topic(broker: RunningBroker) -> str:
    """Two partitions with events 0/0, 0/1 … 1/19."""
    name = f"tests.{fresh_name()}"
    KafkaAdmin(broker.bootstrap).create_topic(name, 2, {})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in range(EACH):
        for partition in (0, 1):
            producer.produce(name, f"{partition}/{number}", partition=partition)
    assert producer.flush(20) == 0
    return name


@pytest.fixture
def receiver(broker: RunningBroker, topic: str) -> Iterator[GroupReceiver]:
    made = GroupReceiver(broker.bootstrap, topic, topic, "earliest")
    yield made
    made.close()


def taken(receiver: GroupReceiver, count: int, most: int = EACH * 2) -> list[str]:
    found: list[str] = []
    for _ in range(100):
        found += [(message.value() or b"").decode() for message in receiver.take(most, 0.2)]
        if len(found) >= count:
            break
    return found


def committed(broker: RunningBroker, topic: str) -> dict[int, int]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": topic})
    try:
        found = consumer.committed([TopicPartition(topic, partition) for partition in (0, 1)], 10)
        return {partition.partition: partition.offset for partition in found}
    finally:
        consumer.close()


def test_a_held_partition_gives_nothing_while_the_other_goes_on(
    broker: RunningBroker, topic: str, receiver: GroupReceiver
) -> None:
    assert len(taken(receiver, EACH * 2)) == EACH * 2
    receiver.hold({0: 5})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for partition in (0, 1):
        producer.produce(topic, f"{partition}/new", partition=partition)
    assert producer.flush(20) == 0
    assert taken(receiver, 1) == ["1/new"]
    assert receiver.take(1, 0.2) == []
    receiver.release([0])
    assert taken(receiver, EACH - 4) == [*(f"0/{number}" for number in range(5, EACH)), "0/new"]


def test_a_held_partition_is_committed_up_to_where_it_waits(
    broker: RunningBroker, topic: str, receiver: GroupReceiver
) -> None:
    assert len(taken(receiver, EACH * 2)) == EACH * 2
    receiver.hold({0: 5})
    receiver.commit()
    assert committed(broker, topic) == {0: 5, 1: EACH}


def test_what_is_held_and_released_at_once_comes_again(receiver: GroupReceiver) -> None:
    assert len(taken(receiver, EACH * 2)) == EACH * 2
    receiver.hold({0: 0, 1: 0})
    receiver.release([0, 1])
    assert sorted(taken(receiver, EACH * 2)) == sorted(f"{p}/{n}" for p in (0, 1) for n in range(EACH))


def test_another_member_takes_over_where_a_partition_waits(
    broker: RunningBroker, topic: str, receiver: GroupReceiver
) -> None:
    assert len(taken(receiver, EACH * 2)) == EACH * 2
    receiver.hold({0: 5})
    receiver.commit()
    receiver.close()
    other = GroupReceiver(broker.bootstrap, topic, topic, "earliest")
    try:
        assert taken(other, EACH - 5) == [f"0/{number}" for number in range(5, EACH)]
    finally:
        other.close()


def test_what_was_handled_a_moment_ago_is_written_down_while_nothing_comes(
    broker: RunningBroker, topic: str, receiver: GroupReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_commits, "PAUSE_SECONDS", 2.0)
    first = list(receiver.take(5, 20))
    while not first:
        first = list(receiver.take(5, 0.2))
    receiver.settle()
    taken(receiver, EACH * 2 - len(first))
    receiver.settle()  # too soon after the one before
    for _ in range(30):
        assert receiver.take(1, 0.2) == []
        if committed(broker, topic) == {0: EACH, 1: EACH}:
            break
    assert committed(broker, topic) == {0: EACH, 1: EACH}


def test_a_group_that_is_paused_before_it_has_partitions_begins_when_it_goes_on(
    receiver: GroupReceiver,
) -> None:
    receiver.pause()
    while len(receiver.assigned()) < 2:
        assert receiver.take(EACH * 2, 0.2) == []
    for _ in range(5):
        assert receiver.take(EACH * 2, 0.1) == []
    receiver.resume()
    assert len(taken(receiver, EACH * 2)) == EACH * 2


def test_a_member_that_is_paused_takes_nothing_and_goes_on_where_it_stopped(receiver: GroupReceiver) -> None:
    first = taken(receiver, 1, most=5)
    receiver.pause()
    assert receiver.take(EACH * 2, 0.5) == []
    receiver.resume()
    rest = taken(receiver, EACH * 2 - len(first))
    assert sorted([*first, *rest]) == sorted(f"{p}/{n}" for p in (0, 1) for n in range(EACH))
