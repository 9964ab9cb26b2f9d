"""Producing, fetching and finding offsets: the same on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from mesh_platform.brokers import RunningBroker


class Topic:
    """A topic of its own for one test, and the clients to use it."""

    def __init__(self, bootstrap: str, partitions: int = 1, **config: str) -> None:
        self.bootstrap = bootstrap
        self.name = f"events.{uuid.uuid4().hex}.v1"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        settings = {key.replace("_", "."): value for key, value in config.items()}
        self.admin.create_topics([NewTopic(self.name, partitions, 1, config=settings)])[self.name].result(20)

    def produce(self, *values: bytes | None, key: bytes | None = None, **config: Any) -> list[Message]:
        """The delivered messages, in order. Raises KafkaException for the first that was not delivered."""
        delivered: list[Message] = []
        errors: list[KafkaError] = []

        def note(error: KafkaError | None, message: Message) -> None:
            errors.append(error) if error else delivered.append(message)

        record = {name: config.pop(name) for name in ("timestamp", "headers", "partition") if name in config}
        producer = Producer({"bootstrap.servers": self.bootstrap, "acks": "all", **config})
        for value in values:
            producer.produce(self.name, value, key=key, on_delivery=note, **{"partition": 0, **record})
        producer.flush(20)
        if errors:
            raise KafkaException(errors[0])
        return delivered

    def read(self, offset: int = 0, partition: int = 0, **config: Any) -> list[Message]:
        """Everything from `offset` to the end."""
        settings = {"bootstrap.servers": self.bootstrap, "group.id": "reader", "enable.partition.eof": True}
        consumer = Consumer({**settings, "check.crcs": True, **config})
        consumer.assign([TopicPartition(self.name, partition, offset)])
        found: list[Message] = []
        try:
            while True:
                message = consumer.poll(20)
                assert message is not None, "the end was not reached in 20 s"
                if (error := message.error()) is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    return found
                else:
                    raise KafkaException(error)
        finally:
            consumer.close()

    def offset(self, spec: OffsetSpec) -> int:
        place = TopicPartition(self.name, 0)
        return int(self.admin.list_offsets({place: spec})[place].result(20).offset)


@pytest.fixture
def topic(broker: RunningBroker) -> Topic:
    """What is of long ago stays, too."""
    return Topic(broker.bootstrap, retention_ms="-1")


def values(messages: list[Message]) -> list[bytes | None]:
    return [message.value() for message in messages]


def test_events_come_out_as_they_went_in(topic: Topic) -> None:
    topic.produce(b"value", key=b"key", headers=[("a", b"1"), ("a", None)], timestamp=1_700_000_000_123)
    (message,) = topic.read()
    assert (message.key(), message.value(), message.headers()) == (
        b"key",
        b"value",
        [("a", b"1"), ("a", None)],
    )
    assert message.timestamp()[1] == 1_700_000_000_123


def test_a_tombstone_comes_out_as_none(topic: Topic) -> None:
    topic.produce(None, key=b"key")
    assert values(topic.read()) == [None]


def test_offsets_count_from_zero_without_gaps(topic: Topic) -> None:
    assert [m.offset() for m in topic.produce(*[b"%d" % n for n in range(50)])] == list(range(50))


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compressed_events_come_out_whole(topic: Topic, codec: str) -> None:
    sent = [b"%d" % n * 100 for n in range(100)]
    topic.produce(*sent, **{"compression.type": codec})
    assert values(topic.read()) == sent


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_events_arrive_with_every_kind_of_acknowledgement(topic: Topic, acks: str) -> None:
    topic.produce(b"v", acks=acks)
    deadline = time.monotonic() + 10
    while not (found := values(topic.read())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == [b"v"]


def test_an_idempotent_producer_writes_each_event_once_and_in_order(topic: Topic) -> None:
    sent = [b"%d" % n for n in range(5_000)]
    topic.produce(*sent, **{"enable.idempotence": True, "batch.num.messages": 100})
    assert values(topic.read()) == sent


def test_a_reader_may_begin_inside_a_batch(topic: Topic) -> None:
    topic.produce(*[b"%d" % n for n in range(10)])
    assert values(topic.read(7)) == [b"7", b"8", b"9"]


def test_a_reader_that_takes_little_at_a_time_gets_everything(topic: Topic) -> None:
    sent = [bytes([n]) * 20_000 for n in range(100)]
    topic.produce(*sent, **{"batch.size": 50_000})
    small = {"fetch.max.bytes": 30_000, "max.partition.fetch.bytes": 1_000, "message.max.bytes": 30_000}
    assert values(topic.read(**small, **{"receive.message.max.bytes": 2_000_000})) == sent


def test_an_event_over_the_topics_limit_is_refused(broker: RunningBroker) -> None:
    topic = Topic(broker.bootstrap, max_message_bytes="1000")
    with pytest.raises(KafkaException) as caught:
        topic.produce(b"x" * 2000)
    assert caught.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_an_event_from_far_in_the_future_is_refused(topic: Topic) -> None:
    with pytest.raises(KafkaException) as caught:
        topic.produce(b"v", timestamp=int(time.time() * 1000) + 10 * 3_600_000)
    assert caught.value.args[0].code() == KafkaError.INVALID_TIMESTAMP


def test_a_compacted_topic_takes_no_event_without_a_key(broker: RunningBroker) -> None:
    topic = Topic(broker.bootstrap, cleanup_policy="compact")
    with pytest.raises(KafkaException) as caught:
        topic.produce(b"v")
    assert caught.value.args[0].code() == KafkaError.INVALID_RECORD


def test_a_topic_is_asked_for_no_more_replicas_in_sync_than_it_has(broker: RunningBroker) -> None:
    topic = Topic(broker.bootstrap, min_insync_replicas="2")
    topic.produce(b"v")
    assert values(topic.read()) == [b"v"]


def test_the_brokers_own_time_replaces_the_clients(broker: RunningBroker) -> None:
    topic = Topic(broker.bootstrap, message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    topic.produce(b"v", timestamp=1)
    kind, timestamp = topic.read()[0].timestamp()
    assert (kind, timestamp >= before - 1000) == (TIMESTAMP_LOG_APPEND_TIME, True)


def test_an_unknown_topic_is_an_error_not_a_new_topic(topic: Topic) -> None:
    topic.name += ".missing"
    with pytest.raises(KafkaException) as caught:
        topic.produce(b"v", **{"topic.metadata.propagation.max.ms": 0, "message.timeout.ms": 5000})
    assert caught.value.args[0].code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)


def test_a_reader_beyond_the_end_is_told(topic: Topic) -> None:
    topic.produce(b"v")
    with pytest.raises(KafkaException) as caught:
        topic.read(99, **{"auto.offset.reset": "error"})
    assert caught.value.args[0].code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


def test_a_waiting_reader_gets_an_event_soon_after_it_was_written(topic: Topic) -> None:
    consumer = Consumer({"bootstrap.servers": topic.bootstrap, "group.id": "w", "fetch.wait.max.ms": 10_000})
    consumer.assign([TopicPartition(topic.name, 0, 0)])
    assert consumer.poll(1) is None
    topic.produce(b"v", **{"linger.ms": 0})
    begin = time.monotonic()
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert time.monotonic() - begin < 2


def test_a_reader_with_a_minimum_waits_for_that_much_or_its_time(topic: Topic) -> None:
    topic.produce(b"v")
    config = {"bootstrap.servers": topic.bootstrap, "group.id": "w", "fetch.min.bytes": 100_000}
    consumer = Consumer({**config, "fetch.wait.max.ms": 1500})
    consumer.assign([TopicPartition(topic.name, 0, 0)])
    early, late = consumer.poll(0.7), consumer.poll(10)
    consumer.close()
    assert (early, late is not None) == (None, True)


@pytest.fixture
def timed(topic: Topic) -> Iterator[Topic]:
    for timestamp in (1_000, 3_000, 2_000, 5_000):
        topic.produce(b"v", timestamp=timestamp)
    return topic


@pytest.mark.parametrize(
    ("spec", "offset"),
    [
        (OffsetSpec.earliest(), 0),
        (OffsetSpec.latest(), 4),
        (OffsetSpec.max_timestamp(), 3),
        (OffsetSpec.for_timestamp(1_000), 0),
        (OffsetSpec.for_timestamp(1_001), 1),
        (OffsetSpec.for_timestamp(4_000), 3),
        (OffsetSpec.for_timestamp(5_001), -1),
    ],
    ids=["start", "end", "largest time", "first time", "between", "later", "after all"],
)
def test_offsets_are_found_by_place_and_by_time(timed: Topic, spec: OffsetSpec, offset: int) -> None:
    assert timed.offset(spec) == offset


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_time_is_found_inside_a_compressed_batch(topic: Topic, codec: str) -> None:
    producer = Producer({"bootstrap.servers": topic.bootstrap, "compression.type": codec, "linger.ms": 500})
    for number in range(100):
        producer.produce(topic.name, b"v" * 100, partition=0, timestamp=1_000 + number)
    assert producer.flush(20) == 0
    assert topic.offset(OffsetSpec.for_timestamp(1_042)) == 42


def test_deleted_records_are_not_served(topic: Topic) -> None:
    topic.produce(*[b"%d" % n for n in range(10)])
    place = TopicPartition(topic.name, 0, 4)
    low = topic.admin.delete_records([place])[place].result(20).low_watermark
    assert (low, topic.offset(OffsetSpec.earliest()), values(topic.read(4))[0]) == (4, 4, b"4")


def test_records_beyond_the_end_cannot_be_deleted(topic: Topic) -> None:
    place = TopicPartition(topic.name, 0, 5)
    with pytest.raises(KafkaException) as caught:
        topic.admin.delete_records([place])[place].result(20)
    assert caught.value.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE
