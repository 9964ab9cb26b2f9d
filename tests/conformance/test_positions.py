"""Where a group or a reading begins, on both brokers: earliest, latest, a time, offsets, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_reading import BoundedReceiver
from mesh.adapters.kafka_receiver import GroupReceiver
from mesh.errors import MeshError
from mesh.positions import Gap, Span
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import fresh_name

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
EACH = 10


def sent(broker: RunningBroker, topic: str, *numbers: int) -> None:
    """Event n on both partitions, published n minutes after the beginning."""
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in numbers:
        at = round((BEGAN + timedelta(minutes=number)).timestamp() * 1000)
        for partition in (0, 1):
            producer.produce(topic, f"{partition}/{number}", partition=partition, timestamp=at)
    assert producer.flush(20) == 0


@pytest.fixture
def topic(broker: RunningBroker) -> str:
    """Two partitions with events 0/0, 0/1 … 1/9."""
    name = f"tests.{fresh_name()}"
    KafkaAdmin(broker.bootstrap).create_topic(name, 2, {"retention.ms": "-1"})
    sent(broker, name, *range(EACH))
    return name


class Group:
    """Members of one group on one topic, closed in the end."""

    def __init__(self, broker: RunningBroker, topic: str) -> None:
        self.broker, self.topic = broker, topic
        self._made: list[GroupReceiver] = []

    def member(self, *settings: Any) -> GroupReceiver:
        self._made.append(GroupReceiver(self.broker.bootstrap, self.topic, self.topic, *settings))
        return self._made[-1]

    def committed(self) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.topic})
        try:
            found = consumer.committed([TopicPartition(self.topic, partition) for partition in (0, 1)], 10)
            return {partition.partition: partition.offset for partition in found}
        finally:
            consumer.close()

    def forget(self, before: int) -> None:
        """Delete the records before an offset, as retention does."""
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        for future in admin.delete_records(
            [TopicPartition(self.topic, partition, before) for partition in (0, 1)]
        ).values():
            future.result(20)

    def close(self) -> None:
        for receiver in self._made:
            receiver.close()


@pytest.fixture
def group(broker: RunningBroker, topic: str) -> Iterator[Group]:
    made = Group(broker, topic)
    yield made
    made.close()


def texts(messages: Any) -> list[str]:
    return sorted((message.value() or b"").decode() for message in messages)


def taken(receiver: Any, count: int) -> list[str]:
    found: list[Any] = []
    for _ in range(100):
        found += receiver.take(1_000, 0.2)
        if len(found) >= count:
            break
    return texts(found)


def both(*numbers: int) -> list[str]:
    return sorted(f"{partition}/{number}" for partition in (0, 1) for number in numbers)


def settled(receiver: GroupReceiver) -> None:
    """Until the member has its partitions and their positions."""
    for _ in range(200):
        receiver.take(1_000, 0.1)
        if len(receiver.positions) == 2:
            return


def test_a_new_group_begins_at_the_earliest_event(group: Group) -> None:
    assert taken(group.member(), EACH * 2) == both(*range(EACH))


def test_a_new_group_may_begin_with_what_comes_next(group: Group) -> None:
    member = group.member("latest")
    settled(member)
    sent(group.broker, group.topic, 99)
    assert taken(member, 2) == both(99)


def test_where_a_new_group_begins_is_written_down_at_once(group: Group) -> None:
    member = group.member("latest")
    settled(member)
    member.take(1, 0.1)
    member.close()
    assert group.committed() == {0: EACH, 1: EACH}


def test_a_new_group_may_begin_at_a_time(group: Group) -> None:
    assert taken(group.member(BEGAN + timedelta(minutes=7)), 6) == both(7, 8, 9)


def test_a_new_group_may_begin_at_offsets(group: Group) -> None:
    assert taken(group.member({0: 8, 1: 9}), 3) == ["0/8", "0/9", "1/9"]


def test_a_group_with_a_position_goes_on_from_there_whatever_the_start(group: Group) -> None:
    first = group.member()
    assert len(taken(first, EACH * 2)) == EACH * 2
    first.hold({0: 4, 1: 9})
    first.commit()
    first.close()
    assert taken(group.member("latest"), 7) == ["0/4", "0/5", "0/6", "0/7", "0/8", "0/9", "1/9"]


def test_a_member_goes_back_and_reads_again(group: Group) -> None:
    member = group.member()
    assert len(taken(member, EACH * 2)) == EACH * 2
    member.seek({0: 8})
    assert taken(member, 2) == ["0/8", "0/9"]
    member.seek(BEGAN + timedelta(minutes=9))
    assert taken(member, 2) == both(9)


def test_a_place_asked_for_before_there_are_partitions_is_found_when_they_come(group: Group) -> None:
    member = group.member()
    member.seek({0: 9, 1: 9})
    assert taken(member, 2) == both(9)


def test_f29_what_is_gone_is_told_as_a_gap_and_the_oldest_that_is_left_comes_next(group: Group) -> None:
    first = group.member()
    assert len(taken(first, EACH * 2)) == EACH * 2
    first.hold({0: 2, 1: 2})
    first.commit()
    first.close()
    group.forget(6)
    second = group.member()
    assert taken(second, 8) == both(6, 7, 8, 9)
    assert sorted(second.gaps, key=str) == [Gap(group.topic, 0, 2, 6), Gap(group.topic, 1, 2, 6)]
    assert sum(gap.missed for gap in second.gaps) == 8


def test_f29_a_group_may_go_on_with_what_comes_next(group: Group) -> None:
    group.forget(6)
    member = group.member({0: 0, 1: 0}, "latest")
    for _ in range(100):
        assert member.take(100, 0.1) == []
        if len(member.gaps) == 2:
            break
    sent(group.broker, group.topic, 99)
    assert taken(member, 2) == both(99)
    assert [gap.missed for gap in member.gaps] == [EACH, EACH]


def test_f29_a_group_may_stop_where_events_are_gone(group: Group) -> None:
    group.forget(6)
    member = group.member({0: 0, 1: 0}, "fail")
    with pytest.raises(MeshError, match="offsets 0 to 5 are gone") as stopped:
        taken(member, 1)
    assert stopped.value.error_code == "MESH-K033"
    with pytest.raises(MeshError, match="are gone"):
        taken(member, 1)
    member.seek("earliest")
    assert taken(member, 8) == both(6, 7, 8, 9)


def test_a_span_of_time_is_read_without_a_trace(broker: RunningBroker, topic: str, group: Group) -> None:
    span = Span(BEGAN + timedelta(minutes=3), BEGAN + timedelta(minutes=5))
    reading = BoundedReceiver(broker.bootstrap, topic, span=span)
    found: list[Any] = []
    while not reading.at_end():
        found += reading.take(100, 1.0)
    reading.close()
    assert texts(found) == both(3, 4)
    assert set(group.committed().values()) == {-1001}


def test_a_span_of_offsets_names_partitions_it_leaves_out_from_their_start(
    broker: RunningBroker, topic: str
) -> None:
    reading = BoundedReceiver(broker.bootstrap, topic, span=Span({0: 7}, {0: 9, 1: 1}))
    found: list[Any] = []
    while not reading.at_end():
        found += reading.take(3, 1.0)
    reading.close()
    assert texts(found) == ["0/7", "0/8", "1/0"]
