"""The quality worker's receiver: every partition from the committed position, without joining a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.errors import UnreachableError
from mesh_platform.brokers import RunningBroker
from mesh_platform.processes import free_port
from mesh_platform.quality.receiver import AssignedReceiver

GROUP = "tests.quality"


@pytest.fixture
def topic(embedded_broker: RunningBroker, topic_name: str) -> str:
    KafkaAdmin(embedded_broker.bootstrap).create_topic(topic_name, 2, {})
    return topic_name


@pytest.fixture
def receiver(embedded_broker: RunningBroker, topic: str) -> Iterator[AssignedReceiver]:
    made = AssignedReceiver(embedded_broker.bootstrap, topic, GROUP, 2)
    yield made
    made.close()


def produce(bootstrap: str, topic: str, *places: tuple[int, bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for partition, value in places:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(20) == 0


def taken(receiver: AssignedReceiver, count: int) -> list[bytes | None]:
    """The values of so many records; none but these may come in the second after."""
    found: list[Any] = []
    for _ in range(60):
        found += receiver.take(100, 0.5)
        if len(found) >= count:
            break
    found += receiver.take(100, 1.0)
    return [message.value() for message in found]


def committed(bootstrap: str, topic: str, partitions: Sequence[int]) -> list[int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP})
    places = consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=20)
    consumer.close()
    return [place.offset for place in places]


def test_it_reads_every_partition_from_the_start(
    embedded_broker: RunningBroker, topic: str, receiver: AssignedReceiver
) -> None:
    produce(embedded_broker.bootstrap, topic, (0, b"a"), (1, b"b"))

    assert sorted(taken(receiver, 2), key=str) == [b"a", b"b"]


def test_it_goes_on_where_it_committed(
    embedded_broker: RunningBroker, topic: str, receiver: AssignedReceiver
) -> None:
    produce(embedded_broker.bootstrap, topic, (0, b"a"), (1, b"b"))
    taken(receiver, 2)
    receiver.commit()
    produce(embedded_broker.bootstrap, topic, (1, b"c"))
    other = AssignedReceiver(embedded_broker.bootstrap, topic, GROUP, 2)

    assert taken(other, 1) == [b"c"]
    other.close()


def test_what_was_not_committed_comes_again(
    embedded_broker: RunningBroker, topic: str, receiver: AssignedReceiver
) -> None:
    produce(embedded_broker.bootstrap, topic, (0, b"a"))
    taken(receiver, 1)
    other = AssignedReceiver(embedded_broker.bootstrap, topic, GROUP, 2)

    assert taken(other, 1) == [b"a"]
    other.close()


def test_a_broker_that_does_not_answer_is_unreachable(topic_name: str) -> None:
    receiver = AssignedReceiver(f"127.0.0.1:{free_port()}", topic_name, GROUP, 1)

    with pytest.raises(UnreachableError):
        taken(receiver, 1)
    receiver.close()


@pytest.mark.kafka
def test_a_position_passes_the_markers_of_transactions(kafka_broker: RunningBroker, topic_name: str) -> None:
    bootstrap = kafka_broker.bootstrap
    KafkaAdmin(bootstrap).create_topic(topic_name, 1, {})
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic_name})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic_name, b"a")
    producer.commit_transaction(30)
    receiver = AssignedReceiver(bootstrap, topic_name, GROUP, 1)

    assert taken(receiver, 1) == [b"a"]
    receiver.commit()
    receiver.close()

    assert committed(bootstrap, topic_name, [0]) == [2]
