"""Faust: an agent that repartitions and counts into a table; a second worker that goes on where it was.

Both ways to work: at least once, and exactly once, which is one transaction per round of each partition.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.clients.report import Report, fresh

EVENTS = range(200)
REMAINDERS = 10


class Worker:
    """Numbers come in; how many there were of each remainder is a table, kept in a changelog."""

    def __init__(self, bootstrap: str, name: str, folder: str, guarantee: str) -> None:
        self.app = faust.App(
            name,
            broker=f"kafka://{bootstrap}",
            datadir=folder,
            processing_guarantee=guarantee,
            topic_partitions=2,
            topic_replication_factor=1,
            broker_commit_interval=0.2,
            stream_wait_empty=False,
            web_enabled=False,
        )
        self.app.in_worker = True  # as its own command does; without, exactly once would use no transactions
        self.source = self.app.topic(f"{name}-numbers", key_type=str, value_type=int)
        self.table: Any = self.app.Table("remainders", default=int)
        self.app.agent(self.source, name=f"{name}.count")(self.count)

    async def count(self, numbers: Any) -> None:
        async for number in numbers.group_by(lambda number: str(number % REMAINDERS), name="remainder"):
            self.table[str(number % REMAINDERS)] += 1

    async def __aenter__(self) -> Worker:
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()


async def run(bootstrap: str, name: str, guarantee: str, wanted: dict[str, int]) -> tuple[Any, Any]:
    """One worker's life: what it knew when it began, and what its table was when it had counted as wanted."""
    with tempfile.TemporaryDirectory() as folder:
        async with Worker(bootstrap, name, folder, guarantee) as worker:
            await until(worker.app.tables.recovery.completed.is_set)
            recovered = dict(worker.table.items())
            await send(bootstrap, f"{name}-numbers")
            await until(lambda: sum(worker.table.values()) >= sum(wanted.values()))
            await worker.app.commit(set(worker.app.consumer.assignment()))
            return recovered, dict(worker.table.items())


async def send(bootstrap: str, topic: str) -> None:
    """The numbers come from outside: what a worker sends is not seen before its transaction ends."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in EVENTS:
            await producer.send(topic, b"%d" % number, b"%d" % number)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)


async def main(bootstrap: str) -> None:
    report = Report("faust-streaming", faust.__version__)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    for guarantee in ("at_least_once", "exactly_once"):
        name = fresh("faust")
        await admin.create_topics([NewTopic(f"{name}-numbers", 2, 1)])
        share = len(EVENTS) // REMAINDERS
        once, twice = ({str(n): share * times for n in range(REMAINDERS)} for times in (1, 2))
        first = await run(bootstrap, name, guarantee, once)
        report.saw(f"{guarantee}: the first worker", first == ({}, once), True)
        second = await run(bootstrap, name, guarantee, twice)
        report.saw(f"{guarantee}: the second worker", second == (once, twice), True)
        ours = [topic for topic in await admin.list_topics() if name in topic]
        report.saw(f"{guarantee}: topics", len(ours), 4)
        await admin.delete_topics(ours)
    await admin.close()
    report.tell()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
