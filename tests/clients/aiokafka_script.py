"""aiokafka: the codecs it has here, two members of a group, a resume, look-ups by time, transactions."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, codec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced

from tests.clients.report import Event, Report, event, fresh

#: what this installation can pack and unpack
CODECS = ["none", *(name for name in ("gzip", "snappy", "lz4", "zstd") if getattr(codec, f"has_{name}")())]
EACH = 200
ALL = range(EACH * len(CODECS))
BEGAN = int(time.time() * 1000) - 3_600_000


class Round:
    """One broker, one topic of two partitions, one report."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.report = Report("aiokafka", aiokafka.__version__)
        self.topic, self.target = fresh("aiokafka"), fresh("aiokafka")
        self.places = [TopicPartition(self.topic, number) for number in range(2)]

    def producer(self, **config: Any) -> AIOKafkaProducer:
        return AIOKafkaProducer(bootstrap_servers=self.bootstrap, **config)

    def reader(self, *topics: str, **config: Any) -> AIOKafkaConsumer:
        settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **config}
        return AIOKafkaConsumer(*topics, bootstrap_servers=self.bootstrap, **settings)

    @asynccontextmanager
    async def topics(self) -> AsyncIterator[None]:
        """Both topics, for as long as the context is open."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        answer = await admin.create_topics([NewTopic(self.topic, 2, 1), NewTopic(self.target, 1, 1)])
        self.report.saw("made", [error[1] for error in answer.topic_errors], [0, 0])
        yield
        answer = await admin.delete_topics([self.topic, self.target])
        self.report.saw("deleted", [error[1] for error in answer.topic_error_codes], [0, 0])
        await admin.close()


async def send(producer: AIOKafkaProducer, topic: str, numbers: range) -> None:
    """Events of these numbers, all acknowledged."""
    told = []
    for number in numbers:
        key, value, headers = event(number)
        moment = BEGAN + number
        told.append(await producer.send(topic, value, key, headers=headers, timestamp_ms=moment))
    await asyncio.gather(*told)


async def take(consumer: AIOKafkaConsumer, count: int) -> list[Any]:
    """The next records; fewer when none came for 15 s."""
    found: list[Any] = []
    while len(found) < count:
        some = await consumer.getmany(timeout_ms=15_000, max_records=count - len(found))
        if not some:
            break
        found += [record for records in some.values() for record in records]
    return found


def number_of(record: Any) -> int:
    return int(dict(record.headers)["number"])


def contents(records: list[Any]) -> list[Event]:
    """What was read, in the order of the numbers."""
    return [(r.key, r.value, list(r.headers)) for r in sorted(records, key=number_of)]


async def codecs(the: Round) -> None:
    for index, name in enumerate(CODECS):
        config = {"compression_type": None if name == "none" else name, "enable_idempotence": True}
        async with the.producer(**config, linger_ms=20) as producer:
            await send(producer, the.topic, range(index * EACH, (index + 1) * EACH))
    async with the.reader(the.topic, group_id=fresh("group")) as consumer:
        found = contents(await take(consumer, len(ALL)))
    came = {name: found[i * EACH : (i + 1) * EACH] for i, name in enumerate(CODECS)}
    sent = {name: [event(i * EACH + n) for n in range(EACH)] for i, name in enumerate(CODECS)}
    the.report.saw("codecs", [name for name in CODECS if came[name] == sent[name]], CODECS)


async def groups(the: Round) -> None:
    group = fresh("group")
    async with the.reader(the.topic, group_id=group) as one, the.reader(the.topic, group_id=group) as two:
        async with asyncio.timeout(20):
            while (shares := [len(member.assignment()) for member in (one, two)]) != [1, 1]:
                await asyncio.sleep(0.05)
    the.report.saw("partitions of two members", shares, [1, 1])
    async with the.reader(the.topic, group_id=group) as consumer:
        first = await take(consumer, 150)
        await consumer.commit()
        committed = [await consumer.committed(place) or 0 for place in the.places]
    the.report.saw("committed", sum(committed), 150)
    async with the.reader(the.topic, group_id=group) as consumer:
        rest = await take(consumer, len(ALL) - 150)
    the.report.saw("read once across a resume", sorted(map(number_of, first + rest)) == [*ALL], True)


async def times(the: Round) -> None:
    async with the.reader() as consumer:
        consumer.assign(the.places)
        found = await consumer.offsets_for_times(dict.fromkeys(the.places, BEGAN + 120))
        for place, moment in found.items():
            consumer.seek(place, moment.offset)
        later = await take(consumer, len(ALL) - 120)
        begins = await consumer.beginning_offsets(the.places)
        ends = await consumer.end_offsets(the.places)
    the.report.saw("events from a time on", sorted(map(number_of, later)) == [*ALL][120:], True)
    the.report.saw("watermarks", [*begins.values(), sum(ends.values())], [0, 0, len(ALL)])


async def transactions(the: Round) -> None:
    """Events and the offsets of those they were made from: both or neither."""
    group, name = fresh("group"), fresh("transaction")
    async with the.producer(transactional_id=name) as made, the.reader(the.topic, group_id=group) as consumer:
        for numbers in (range(100), range(100, 200)):
            await take(consumer, 100)
            await made.begin_transaction()
            await send(made, the.target, numbers)
            places = {place: await consumer.position(place) for place in consumer.assignment()}
            await made.send_offsets_to_transaction(places, group)
            await (made.commit_transaction() if numbers.start == 0 else made.abort_transaction())
        committed = [await consumer.committed(place) or 0 for place in the.places]
        the.report.saw("offsets of a transaction", sum(committed), 100)
        for isolation, wanted in (("read_committed", 100), ("read_uncommitted", 200)):
            async with the.reader(the.target, isolation_level=isolation) as reader:
                found = len(await take(reader, wanted)) + len(await reader.getmany(timeout_ms=500))
            the.report.saw(isolation, found, wanted)


async def fenced(the: Round) -> None:
    """Who comes with the same transactional id shuts out whoever had it before."""
    name, seen = fresh("transaction"), "nothing"
    try:
        async with (
            the.producer(transactional_id=name) as old,
            the.producer(transactional_id=name),
            old.transaction(),
        ):
            await send(old, the.target, range(1))
    except ProducerFenced:
        seen = "fenced"
    the.report.saw("the producer before", seen, "fenced")


async def main(bootstrap: str) -> None:
    the = Round(bootstrap)
    async with the.topics():
        for part in (codecs, groups, times, transactions, fenced):
            await part(the)
    the.report.tell()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
