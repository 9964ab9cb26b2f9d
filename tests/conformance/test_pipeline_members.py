"""The members of a pipeline share out all partitions, whoever of them dies when, on both brokers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_inputs import GroupInputs
from mesh.errors import MeshError
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import fresh_name

PARTITIONS = 4
Join = Callable[[str], GroupInputs]


@pytest.fixture
def topic(broker: RunningBroker) -> str:
    """Four partitions with one event each."""
    name = f"tests.{fresh_name()}"
    KafkaAdmin(broker.bootstrap).create_topic(name, PARTITIONS, {})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for partition in range(PARTITIONS):
        producer.produce(name, "one", partition=partition)
    assert producer.flush(20) == 0
    return name


@pytest.fixture
def join(broker: RunningBroker, topic: str) -> Iterator[Join]:
    """Join the topic's group under a name."""
    joined: list[GroupInputs] = []

    def join(name: str) -> GroupInputs:
        joined.append(GroupInputs(broker.bootstrap, [topic], topic, name=f"{topic}.{name}"))
        return joined[-1]

    yield join
    for member in reversed(joined):
        member.close()


def shared(*members: GroupInputs) -> bool:
    """Whether the members come to have each partition once, as each goes on taking."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for member in members:
            member.take(10, 0.05, 0.01)
        if sum(len(member.assigned) for member in members) == PARTITIONS and all(m.assigned for m in members):
            return True
    return False


def test_a_member_that_dies_as_another_arrives_and_comes_back_leaves_no_partition_to_nobody(
    join: Join,
) -> None:
    first = join("first")
    assert shared(first)
    second = join("second")
    # The first has heard of the second, and gives nothing up any more.
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        second.take(10, 0.05, 0.01)

    assert shared(second, join("first"))


def test_members_share_the_partitions_and_take_each_event_once(join: Join) -> None:
    first = join("first")
    found = [message for _ in range(20) for message in first.take(10, 0.1, 0.1)]
    assert len(found) == PARTITIONS
    second = join("second")
    assert shared(first, second)
    assert {place[1] for place in first.assigned | second.assigned} == set(range(PARTITIONS))


def test_whoever_had_the_name_before_is_shut_out_and_told(join: Join) -> None:
    first = join("first")
    assert shared(first)
    second = join("first")
    with pytest.raises(MeshError) as raised:
        shared(first, second)
    assert raised.value.error_code == "MESH-K051"
    assert shared(second)
