"""What the bench of the brokers sends and reads: always librdkafka, always every event acknowledged."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 4
_BATCH = 10_000
_SECONDS = 60.0


def values(count: int, size: int) -> list[bytes]:
    """So many values of so many bytes each, incompressible, the same at every run."""
    source = random.Random(1)
    return [source.randbytes(size) for _ in range(count)]


def metadata(bootstrap: str) -> None:
    """A new client's first answer."""
    AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=_SECONDS)


def topics(bootstrap: str) -> list[str]:
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    return sorted(client.list_topics(timeout=_SECONDS).topics)


def create(bootstrap: str, topic: str, partitions: int = PARTITIONS) -> None:
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    client.create_topics([NewTopic(topic, partitions, 1)])[topic].result(_SECONDS)


def produce(
    bootstrap: str, topic: str, batch: Sequence[bytes], times: int, partitions: int = PARTITIONS
) -> None:
    """Publish `batch` so often, spread over the partitions, with an idempotent producer and acks=all."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "enable.idempotence": True,
            "acks": "all",
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for turn in range(times):
        while len(producer) > 500_000 or len(producer) * len(batch[0]) > 256 * 2**20:
            producer.flush(0.01)
        producer.produce_batch(topic, [{"value": value} for value in batch], turn % partitions)
    if left := producer.flush(_SECONDS):
        raise KafkaException(f"{left} events were not acknowledged")


def consume(bootstrap: str, topic: str, count: int, partitions: int = PARTITIONS) -> None:
    """Read so many events from the beginning."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "group.id": "bench",
            "queued.min.messages": 200_000,
            "fetch.message.max.bytes": 4_000_000,
        }
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    taken = 0
    while taken < count:
        taken += len([message.value() for message in consumer.consume(_BATCH, _SECONDS)])
    consumer.close()


def transact(bootstrap: str, topic: str, batch: Sequence[bytes], times: int) -> None:
    """So many transactions, each with the events of `batch`, one after the other."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "transactional.id": topic,
            "linger.ms": 0,
        }
    )
    producer.init_transactions(_SECONDS)
    for _ in range(times):
        producer.begin_transaction()
        producer.produce_batch(topic, [{"value": value} for value in batch])
        producer.commit_transaction(_SECONDS)


def one_by_one(bootstrap: str, topic: str, count: int) -> list[float]:
    """Seconds from `produce` until the consumer has the event, each sent when the last has come."""
    settings = {"bootstrap.servers": bootstrap, "log_level": 0}
    producer = Producer({**settings, "enable.idempotence": True, "linger.ms": 0})
    consumer = Consumer({**settings, "group.id": "bench", "auto.offset.reset": "latest"})
    consumer.assign([TopicPartition(topic, 0, consumer.get_watermark_offsets(TopicPartition(topic, 0))[1])])
    found = []
    for number in range(count + 20):
        began = time.perf_counter()
        producer.produce(topic, b"x" * 200, partition=0)
        if consumer.poll(_SECONDS) is None:
            raise KafkaException("the event did not come")
        if number >= 20:  # the first meet connections that are still being made
            found.append(time.perf_counter() - began)
        producer.poll(0)
    consumer.close()
    producer.flush(_SECONDS)
    return found
