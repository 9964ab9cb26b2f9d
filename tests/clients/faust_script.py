"""Faust: an agent counts into a table, whose changes are kept in a topic; a second worker goes on from there.

At least once, that is. Exactly once, changes and position move in transactions, and one worker must come to
the end of its numbers. What it leaves behind is not looked at: Faust 0.15.3 now and then commits a position
without the changes that belong to it, on Apache Kafka too.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.clients.report import Report, fresh

EVENTS = 200
REMAINDERS = 10


class Worker:
    """Numbers come in under their remainder; the table says how many there were of each."""

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
        source = self.app.topic(f"{name}-numbers", key_type=str, value_type=int)
        self.table: Any = self.app.Table("remainders", default=int)
        self.app.agent(source, name=f"{name}.count")(self.count)

    async def count(self, numbers: Any) -> None:
        async for remainder, _ in numbers.items():
            self.table[remainder] += 1

    def counted(self) -> dict[str, int]:
        return dict(sorted(self.table.items()))

    async def recovered(self) -> bool:
        return bool(self.app.tables.recovery.completed.is_set())

    async def __aenter__(self) -> Worker:
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()


class Round:
    """One broker and one app; its numbers come from outside."""

    def __init__(self, bootstrap: str, admin: AIOKafkaAdminClient, guarantee: str) -> None:
        self.bootstrap, self.admin, self.guarantee = bootstrap, admin, guarantee
        self.name = fresh("faust")

    async def run(self, already: int) -> tuple[dict[str, int], dict[str, int]]:
        """One worker's life: its table before it read anything, and after it had committed all there was."""
        with tempfile.TemporaryDirectory() as folder:
            async with Worker(self.bootstrap, self.name, folder, self.guarantee) as worker:
                await until(worker.recovered)
                before = worker.counted()
                await self.send()

                async def committed() -> bool:
                    offsets = await self.admin.list_consumer_group_offsets(self.name)
                    ours = [found.offset for place, found in offsets.items() if place.topic == self.numbers]
                    return bool(sum(ours) == already + EVENTS)

                await until(committed)
                return before, worker.counted()

    @property
    def numbers(self) -> str:
        return f"{self.name}-numbers"

    async def send(self) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for number in range(EVENTS):
                await producer.send(self.numbers, b"%d" % number, b"%d" % (number % REMAINDERS))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(40):
        while not await holds():
            await asyncio.sleep(0.05)


async def main(bootstrap: str) -> None:
    report = Report("faust-streaming", faust.__version__)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    once = dict(Counter(str(number % REMAINDERS) for number in range(EVENTS)))
    twice = {remainder: 2 * count for remainder, count in once.items()}
    for guarantee in ("at_least_once", "exactly_once"):
        the = Round(bootstrap, admin, guarantee)
        await admin.create_topics([NewTopic(the.numbers, 2, 1)])
        report.saw(f"{guarantee}: counted", await the.run(0) == ({}, once), True)
        if guarantee == "at_least_once":
            report.saw("a second worker", await the.run(EVENTS) == (once, twice), True)
        made = [topic for topic in await admin.list_topics() if the.name in topic]
        report.saw(f"{guarantee}: topics", len(made), 3)
        await admin.delete_topics(made)
    await admin.close()
    report.tell()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
