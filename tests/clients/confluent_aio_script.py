"""confluent-kafka's AIOProducer and AIOConsumer: events, a resume, look-ups by time, transactions."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import confluent_kafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.aio import AIOConsumer, AIOProducer

from tests.clients.report import Report, event, fresh

EVENTS = range(300)


async def send(producer: AIOProducer, topic: str, numbers: range) -> list[int]:
    """Events of these numbers; answers the offset of each. It sends neither headers nor times of ours."""
    told = []
    for number in numbers:
        key, value, _ = event(number)
        told.append(await producer.produce(topic, value, key, partition=0))
    await producer.flush()
    return [message.offset() for message in await asyncio.gather(*told)]


async def take(consumer: AIOConsumer, count: int) -> list[Any]:
    """The next messages; fewer when none came for 15 s."""
    found: list[Any] = []
    while len(found) < count and (some := await consumer.consume(count - len(found), 15)):
        found += some
    return found


def contents(messages: list[Any]) -> list[tuple[bytes, bytes]]:
    return [(message.key(), message.value()) for message in messages]


class Round:
    """One broker, one topic, one report."""

    def __init__(self, bootstrap: str) -> None:
        self.servers = {"bootstrap.servers": bootstrap}
        self.report = Report("confluent-kafka AIO", confluent_kafka.__version__)
        self.admin = AdminClient(dict(self.servers))
        self.topic, self.target = fresh("aio"), fresh("aio")
        made = self.admin.create_topics([NewTopic(name, 1, 1) for name in (self.topic, self.target)])
        for topic in made.values():
            topic.result(20)

    def reader(self, group: str, **config: Any) -> AIOConsumer:
        settings = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
        return AIOConsumer({**self.servers, **settings, "group.id": group, **config})


async def events(the: Round) -> None:
    async with AIOProducer({**the.servers, "compression.type": "lz4"}) as producer:
        the.report.saw("offsets count up", await send(producer, the.topic, EVENTS) == [*EVENTS], True)
    group = fresh("group")
    async with the.reader(group) as consumer:
        await consumer.subscribe([the.topic])
        first = await take(consumer, 100)
        await consumer.commit(asynchronous=False)
    async with the.reader(group) as consumer:
        await consumer.subscribe([the.topic])
        (place,) = await consumer.committed([TopicPartition(the.topic, 0)], 20)
        the.report.saw("committed", place.offset, 100)
        rest = await take(consumer, len(EVENTS) - 100)
        moments = [message.timestamp()[1] for message in first + rest]
        (place,) = await consumer.offsets_for_times([TopicPartition(the.topic, 0, moments[250])], 20)
    read = contents(first + rest)
    the.report.saw("read once across a resume", read == [event(n)[:2] for n in EVENTS], True)
    the.report.saw("found by time", place.offset == moments.index(moments[250]), True)


async def transactions(the: Round) -> None:
    config = {**the.servers, "transactional.id": fresh("transaction")}
    async with AIOProducer(config) as producer, the.reader(fresh("group")) as consumer:
        await producer.init_transactions()
        await consumer.subscribe([the.topic])
        for numbers in (range(50), range(50, 100)):
            await take(consumer, 50)
            await producer.begin_transaction()
            await send(producer, the.target, numbers)
            places = await consumer.position(await consumer.assignment())
            await producer.send_offsets_to_transaction(places, await consumer.consumer_group_metadata())
            await (producer.commit_transaction() if numbers.start == 0 else producer.abort_transaction())
        (place,) = await consumer.committed([TopicPartition(the.topic, 0)], 20)
    the.report.saw("offset of a transaction", place.offset, 50)
    async with the.reader(fresh("group")) as consumer:
        await consumer.subscribe([the.target])
        found = contents(await take(consumer, 50)) + contents(await consumer.consume(1, 1))
    the.report.saw("committed and no more", found == [event(n)[:2] for n in range(50)], True)


async def main(bootstrap: str) -> None:
    the = Round(bootstrap)
    await events(the)
    await transactions(the)
    for topic in the.admin.delete_topics([the.topic, the.target]).values():
        topic.result(20)
    the.report.tell()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
