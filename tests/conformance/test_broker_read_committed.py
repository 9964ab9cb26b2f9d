"""Transactions as the official client sees them: the same on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from mesh_platform.brokers import RunningBroker

WAIT = 30


class Stage:
    """Two topics of two partitions, and transactional producers that are closed in the end."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.topics = [f"transactions.{uuid.uuid4().hex}.v1" for _ in range(2)]
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        for made in self.admin.create_topics([NewTopic(name, 2, 1) for name in self.topics]).values():
            made.result(20)

    def producer(self, name: str, **settings: Any) -> Producer:
        """A transactional producer that is ready."""
        own = {"bootstrap.servers": self.bootstrap, "transactional.id": name, "log_level": 0, "linger.ms": 0}
        producer = Producer(own | {"error_cb": lambda _: None} | settings)
        producer.init_transactions(WAIT)
        return producer

    def write(self, producer: Producer, *values: str) -> None:
        """Each value to another partition in turn."""
        for number, value in enumerate(values):
            topic = self.topics[number % 2]
            producer.produce(topic, value.encode(), partition=number // 2 % 2)

    def settle(self) -> None:
        """Wait until what was decided has its markers: Kafka answers a commit before it writes them."""
        places = [TopicPartition(name, p) for name in self.topics for p in range(2)]
        ends = [self.ends(places, level) for level in IsolationLevel]
        while ends[0] != ends[1]:
            ends = [self.ends(places, level) for level in IsolationLevel]

    def ends(self, places: list[TopicPartition], level: IsolationLevel) -> list[int]:
        asked = dict.fromkeys(places, OffsetSpec.latest())
        found = self.admin.list_offsets(asked, isolation_level=level)
        return [int(found[place].result(WAIT).offset) for place in places]

    def read(self, isolation: str = "read_committed") -> list[str]:
        """Every value there is when what was decided is done, sorted."""
        self.settle()
        return self.read_now(isolation)

    def read_now(self, isolation: str = "read_committed") -> list[str]:
        """Every value there is, sorted."""
        settings = {"bootstrap.servers": self.bootstrap, "group.id": "r", "enable.partition.eof": True}
        consumer = Consumer(settings | {"isolation.level": isolation, "fetch.wait.max.ms": 50})
        consumer.assign([TopicPartition(name, p, 0) for name in self.topics for p in range(2)])
        found, ends = [], 0
        while ends < 4:
            message = consumer.poll(WAIT)
            assert message is not None, "the ends were not reached"
            if message.error() is None:
                found.append(message.value().decode())
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF
                ends += 1
        consumer.close()
        return sorted(found)

    def committed(self, group: str) -> int:
        """Where a group stands on the first partition; -1001 where it does not."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(self.topics[0], 0)])
        while True:
            stable = self.admin.list_consumer_group_offsets([asked], require_stable=True)
            (answer,) = stable[group].result(WAIT).topic_partitions
            if answer.error is None:
                return int(answer.offset)
            assert answer.error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT  # the marker is on its way


@pytest.fixture
def stage(broker: RunningBroker) -> Stage:
    return Stage(broker.bootstrap)


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


def metadata(stage: Stage, group: str) -> object:
    return Consumer({"bootstrap.servers": stage.bootstrap, "group.id": group}).consumer_group_metadata()


def fatally(step: Callable[[], object]) -> KafkaError:
    with pytest.raises(KafkaException) as caught:
        step()
    error: KafkaError = caught.value.args[0]
    return error


def test_committed_events_of_several_partitions_and_topics_are_seen(stage: Stage, name: str) -> None:
    producer = stage.producer(name)
    producer.begin_transaction()
    stage.write(producer, "a", "b", "c", "d")
    producer.commit_transaction(WAIT)
    assert stage.read() == ["a", "b", "c", "d"]


def test_aborted_events_are_never_seen_by_who_reads_committed(stage: Stage, name: str) -> None:
    producer = stage.producer(name)
    producer.begin_transaction()
    stage.write(producer, "a", "b", "c", "d")
    producer.flush(WAIT)
    producer.abort_transaction(WAIT)
    assert (stage.read(), stage.read("read_uncommitted")) == ([], ["a", "b", "c", "d"])


def test_events_of_an_open_transaction_are_not_seen_yet_nor_what_follows(stage: Stage, name: str) -> None:
    open_one = stage.producer(name)
    open_one.begin_transaction()
    stage.write(open_one, "open")
    open_one.flush(WAIT)
    plain = Producer({"bootstrap.servers": stage.bootstrap})
    plain.produce(stage.topics[0], b"after", partition=0)
    plain.flush(WAIT)
    before = stage.read_now()
    open_one.commit_transaction(WAIT)
    assert (before, stage.read()) == ([], ["after", "open"])


def test_interleaved_transactions_are_told_apart(stage: Stage, name: str) -> None:
    producers = [stage.producer(f"{name}-{n}") for n in range(3)]
    for producer in producers:
        producer.begin_transaction()
    for number in range(12):
        producer = producers[number % 3]
        producer.produce(stage.topics[0], f"{number % 3}-{number:02d}".encode(), partition=0)
        producer.flush(WAIT)
    producers[0].commit_transaction(WAIT)
    producers[1].abort_transaction(WAIT)
    producers[2].commit_transaction(WAIT)
    expected = sorted(f"{n % 3}-{n:02d}" for n in range(12) if n % 3 != 1)
    assert stage.read() == expected


def test_hundreds_of_small_transactions_a_third_aborted_come_out_exactly(stage: Stage, name: str) -> None:
    producer, expected = stage.producer(name), []
    for number in range(300):
        producer.begin_transaction()
        values = [f"{number}-{part}" for part in "abcd"]
        stage.write(producer, *values)
        if number % 3 == 2:
            producer.flush(WAIT)
            producer.abort_transaction(WAIT)
        else:
            producer.commit_transaction(WAIT)
            expected += values
    assert stage.read() == sorted(expected)


def test_an_empty_transaction_commits(stage: Stage, name: str) -> None:
    producer = stage.producer(name)
    producer.begin_transaction()
    producer.commit_transaction(WAIT)
    assert stage.read() == []


def test_a_second_instance_fences_the_first_and_aborts_what_it_left_open(stage: Stage, name: str) -> None:
    first = stage.producer(name)
    first.begin_transaction()
    stage.write(first, "left open")
    first.flush(WAIT)
    second = stage.producer(name)
    error = fatally(lambda: first.commit_transaction(WAIT))
    second.begin_transaction()
    stage.write(second, "second")
    second.commit_transaction(WAIT)
    assert (error.code(), error.fatal(), stage.read()) == (KafkaError._FENCED, True, ["second"])


def test_a_fenced_producer_writes_nothing_more(stage: Stage, name: str) -> None:
    first = stage.producer(name)
    first.begin_transaction()
    stage.write(first, "before")
    first.flush(WAIT)
    stage.producer(name)
    first.produce(stage.topics[0], b"zombie", partition=0)
    error = fatally(lambda: first.flush(WAIT))
    assert (error.code(), "zombie" in stage.read("read_uncommitted")) == (KafkaError._FENCED, False)


def test_offsets_in_a_transaction_count_with_its_events(stage: Stage, name: str) -> None:
    producer, group = stage.producer(name), f"g-{name}"
    producer.begin_transaction()
    stage.write(producer, "a")
    position = TopicPartition(stage.topics[0], 0, 7)
    producer.send_offsets_to_transaction([position], metadata(stage, group), WAIT)
    producer.commit_transaction(WAIT)
    assert (stage.committed(group), stage.read()) == (7, ["a"])


def test_offsets_of_an_aborted_transaction_never_count(stage: Stage, name: str) -> None:
    producer, group = stage.producer(name), f"g-{name}"
    for offset, commits in ((3, True), (9, False)):
        producer.begin_transaction()
        position = TopicPartition(stage.topics[0], 0, offset)
        producer.send_offsets_to_transaction([position], metadata(stage, group), WAIT)
        producer.commit_transaction(WAIT) if commits else producer.abort_transaction(WAIT)
    assert stage.committed(group) == 3


def test_a_marker_takes_an_offset_of_its_own(stage: Stage, name: str) -> None:
    producer = stage.producer(name)
    producer.begin_transaction()
    stage.write(producer, "a")
    producer.commit_transaction(WAIT)
    stage.settle()
    assert stage.ends([TopicPartition(stage.topics[0], 0)], IsolationLevel.READ_UNCOMMITTED) == [2]


def consumed(stage: Stage, group: str) -> Iterator[list[Any]]:
    settings = {"bootstrap.servers": stage.bootstrap, "group.id": group, "enable.auto.commit": False}
    consumer = Consumer(settings | {"auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([stage.topics[0]])
    while messages := consumer.consume(40, 5):
        yield [consumer, [m for m in messages if m.error() is None]]
    consumer.close()


def test_consume_transform_produce_loses_and_repeats_nothing(stage: Stage, name: str) -> None:
    plain = Producer({"bootstrap.servers": stage.bootstrap})
    for number in range(200):
        plain.produce(stage.topics[0], f"{number:03d}".encode(), partition=number % 2)
    plain.flush(WAIT)
    producer, done = stage.producer(name), 0
    for turn, (consumer, messages) in enumerate(consumed(stage, f"g-{name}")):
        producer.begin_transaction()
        for message in messages:
            producer.produce(stage.topics[1], b"x" + message.value(), partition=message.partition())
        here = consumer.position(consumer.assignment())
        producer.send_offsets_to_transaction(here, consumer.consumer_group_metadata(), WAIT)
        if turn == 1:  # a failure in the middle: what was read is read again
            producer.abort_transaction(WAIT)
            for place in consumer.committed(consumer.assignment(), WAIT):
                consumer.seek(TopicPartition(place.topic, place.partition, max(place.offset, 0)))
            continue
        producer.commit_transaction(WAIT)
        done += len(messages)
        if done >= 200:
            break
    derived = [value for value in stage.read() if value.startswith("x")]
    assert derived == [f"x{number:03d}" for number in range(200)]
