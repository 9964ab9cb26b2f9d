"""confluent-kafka: every codec, two members of a group, a resume, look-ups by time, transactions."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.clients.report import Event, Report, event, fresh, settled

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
EACH = 200
ALL = range(EACH * len(CODECS))
BEGAN = int(time.time() * 1000) - 3_600_000


class Round:
    """One broker, one topic of two partitions, one report."""

    def __init__(self, bootstrap: str) -> None:
        self.servers = {"bootstrap.servers": bootstrap}
        self.report = Report("confluent-kafka", confluent_kafka.__version__)
        self.admin = AdminClient(dict(self.servers))
        self.topic = self.new_topic(2)

    def new_topic(self, partitions: int) -> str:
        name = fresh("confluent")
        self.admin.create_topics([NewTopic(name, partitions, 1)])[name].result(20)
        return name

    @contextmanager
    def member(self, group: str, topic: str, **config: Any) -> Iterator[Consumer]:
        settings = {"auto.offset.reset": "earliest", "enable.auto.commit": False, "check.crcs": True}
        consumer = Consumer({**self.servers, **settings, "group.id": group, **config})
        consumer.subscribe([topic])
        try:
            yield consumer
        finally:
            consumer.close()


def send(producer: Producer, topic: str, numbers: range) -> None:
    """Events of these numbers, all acknowledged. Raises KafkaException for the first that was not."""
    errors: list[KafkaError] = []
    for number in numbers:
        key, value, headers = event(number)
        told = lambda error, _: errors.append(error) if error else None  # noqa: E731
        producer.produce(topic, value, key, headers=headers, timestamp=BEGAN + number, on_delivery=told)
    if producer.flush(20) or errors:
        raise KafkaException(errors[0] if errors else KafkaError(KafkaError._TIMED_OUT))


def take(consumer: Consumer, count: int) -> list[Message]:
    """The next messages; fewer when none came for 15 s."""
    found: list[Message] = []
    while len(found) < count and (message := consumer.poll(15)) is not None:
        if error := message.error():
            raise KafkaException(error)
        found.append(message)
    return found


def number_of(message: Message) -> int:
    return int(dict(message.headers())["number"])


def contents(messages: list[Message]) -> list[Event]:
    """What was read, in the order of the numbers."""
    return [(m.key(), m.value(), m.headers()) for m in sorted(messages, key=number_of)]


def codecs(the: Round) -> None:
    for index, codec in enumerate(CODECS):
        config = {**the.servers, "compression.type": codec, "enable.idempotence": True, "linger.ms": 50}
        send(Producer(config), the.topic, range(index * EACH, (index + 1) * EACH))
    with the.member(fresh("group"), the.topic) as consumer:
        found = contents(take(consumer, len(ALL)))
    came = {codec: found[i * EACH : (i + 1) * EACH] for i, codec in enumerate(CODECS)}
    sent = {codec: [event(i * EACH + n) for n in range(EACH)] for i, codec in enumerate(CODECS)}
    the.report.saw("codecs", [codec for codec in CODECS if came[codec] == sent[codec]], list(CODECS))


def groups(the: Round) -> None:
    group = fresh("group")
    with the.member(group, the.topic) as one, the.member(group, the.topic) as two:
        while not (one.assignment() and two.assignment()):
            one.poll(0.1), two.poll(0.1)
        shares = [len(member.assignment()) for member in (one, two)]
    the.report.saw("partitions of two members", shares, [1, 1])
    with the.member(group, the.topic) as consumer:
        first = take(consumer, 300)
        consumer.commit(asynchronous=False)
        committed = consumer.committed([TopicPartition(the.topic, n) for n in range(2)], 20)
    the.report.saw("committed", sum(max(place.offset, 0) for place in committed), 300)
    with the.member(group, the.topic) as consumer:
        rest = take(consumer, len(ALL) - 300)
    the.report.saw("read once across a resume", sorted(map(number_of, first + rest)) == [*ALL], True)


def times(the: Round) -> None:
    """The place of a time is the first event with that number or a later one."""
    consumer = Consumer({**the.servers, "group.id": fresh("group")})
    places = consumer.offsets_for_times([TopicPartition(the.topic, n, BEGAN + 500) for n in range(2)], 20)
    ends = [consumer.get_watermark_offsets(place, 20) for place in places]
    consumer.assign(places)
    later = take(consumer, len(ALL) - 500)
    consumer.close()
    the.report.saw("events from a time on", sorted(map(number_of, later)) == [*ALL][500:], True)
    the.report.saw("watermarks", [low for low, _ in ends] + [sum(high for _, high in ends)], [0, 0, len(ALL)])


def transactions(the: Round) -> None:
    """Events and the offsets of those they were made from: both or neither."""
    target, group, name = the.new_topic(1), fresh("group"), fresh("transaction")
    producer = Producer({**the.servers, "transactional.id": name, "linger.ms": 5})
    producer.init_transactions(20)
    with the.member(group, the.topic) as consumer:
        for begin, end in ((0, 100), (100, 200)):
            take(consumer, 100)
            producer.begin_transaction()
            send(producer, target, range(begin, end))
            places, members = consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
            producer.send_offsets_to_transaction([p for p in places if p.offset >= 0], members, 20)
            producer.commit_transaction(20) if begin == 0 else producer.abort_transaction(20)
        committed = consumer.committed([TopicPartition(the.topic, n) for n in range(2)], 20)
    the.report.saw("offsets of a transaction", sum(max(place.offset, 0) for place in committed), 100)
    for isolation, wanted in (("read_committed", 100), ("read_uncommitted", 200)):
        config = {"isolation.level": isolation, "enable.partition.eof": True}
        with the.member(fresh("group"), target, **config) as consumer:
            found = 0
            while (message := consumer.poll(15)) is not None and message.error() is None:
                found += 1
        the.report.saw(isolation, found, wanted)
    fenced(the, producer, target, name)


def fenced(the: Round, old: Producer, topic: str, name: str) -> None:
    """Who comes with the same transactional id shuts out whoever had it before."""
    new = Producer({**the.servers, "transactional.id": name})
    new.init_transactions(20)
    seen = "nothing"
    try:
        old.begin_transaction()
        send(old, topic, range(1))
        old.commit_transaction(20)
    except KafkaException as error:
        seen = "fenced" if error.args[0].fatal() else str(error)
    the.report.saw("the producer before", seen, "fenced")


def main(bootstrap: str) -> None:
    the = Round(bootstrap)
    for part in (codecs, groups, times, transactions):
        part(the)
    the.admin.delete_topics([the.topic])[the.topic].result(20)
    left = settled(lambda: the.topic in the.admin.list_topics(timeout=20).topics, False)
    the.report.saw("topic left", left, False)
    the.report.tell()


if __name__ == "__main__":
    main(sys.argv[1])
