"""What the official client reads of transactions that were written in every order, on both brokers."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka import Producer as Client
from kio.schema.errors import ErrorCode

from tests.conformance.raw_transactions import Producer
from tests.unit.broker_kit import Item


def read(producer: Producer, isolation: str) -> list[bytes]:
    """What the official client gets from the first partition, up to its end."""
    settings = {"bootstrap.servers": producer.bootstrap, "group.id": "r", "enable.partition.eof": True}
    consumer = Consumer(settings | {"isolation.level": isolation, "fetch.wait.max.ms": 50})
    consumer.assign([TopicPartition(producer.topic, 0, 0)])
    found: list[bytes] = []
    while True:
        message = consumer.poll(20)
        assert message is not None, "the end was not reached"
        if message.error() is not None:
            assert message.error().code() == KafkaError._PARTITION_EOF
            consumer.close()
            return found
        found.append(message.value())


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_of_transactions_exactly_what_was_committed_is_read(
    producer: Producer, seed: int
) -> None:
    """Five producers, each of its own mind; now and then a batch so large that segments are closed."""
    dice = random.Random(seed)
    # Kafka would let go of closed segments whose events are of long ago.
    topic = producer.elsewhere(**{"segment.bytes": str(1 << 20), "retention.ms": "-1"})
    writers = {topic.twin().ready(): list[tuple[int, bytes]]() for _ in range(5)}
    plain, sequence, committed = topic.idempotent(), 0, list[tuple[int, bytes]]()
    written: list[bytes] = []
    for number in range(120):
        value = b"%d-%d" % (seed, number) + b"x" * dice.choice([0, 0, 0, 100_000])
        chosen = dice.choice([*writers, None])
        if chosen is None:
            code, offset = plain.plain(sequence, Item(value=value))
            assert code == ErrorCode.none
            sequence += 1
            committed.append((offset, value))
        else:
            waiting = writers[chosen]
            if not waiting:
                chosen.add()
            waiting.append((chosen.write(value), value))
            if dice.random() < 0.4:
                fate = dice.random() < 0.5
                assert chosen.end(fate) == ErrorCode.none
                committed += waiting if fate else []
                waiting.clear()
        written.append(value)
    for writer, waiting in writers.items():
        if waiting:
            writer.end(False)
    topic.settled()
    seen, everything = read(topic, "read_committed"), read(topic, "read_uncommitted")
    assert seen == [value for _, value in sorted(committed)]
    assert everything == written


def test_a_reader_that_never_rests_sees_a_thousand_transactions_whole_or_not_at_all(
    producer: Producer,
) -> None:
    """Every third is aborted after it was written; three events each, in one partition."""
    settings = {"bootstrap.servers": producer.bootstrap, "log_level": 0}
    client = Client(settings | {"transactional.id": producer.name, "linger.ms": 0})
    client.init_transactions(20)
    seen: list[bytes] = []
    done = threading.Event()

    def rest_never() -> None:
        reading = {"group.id": "r", "isolation.level": "read_committed", "fetch.wait.max.ms": 10}
        consumer = Consumer(settings | reading)
        consumer.assign([TopicPartition(producer.topic, 0, 0)])
        while not (done.is_set() and seen and seen[-1] == b"last"):
            seen.extend(message.value() for message in consumer.consume(500, 0.05))
        consumer.close()

    expected = []
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(rest_never)
        for number in range(1000):
            values = [b"%d-%d" % (number, part) for part in range(3)]
            client.begin_transaction()
            for value in values:
                client.produce(producer.topic, value, partition=0)
            if number % 3 == 2:
                client.flush(20)
                client.abort_transaction(20)
            else:
                client.commit_transaction(20)
                expected += values
        client.begin_transaction()
        client.produce(producer.topic, b"last", partition=0)
        client.commit_transaction(20)
        done.set()
        reader.result(60)
    assert seen == [*expected, b"last"]
