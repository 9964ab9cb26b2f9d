"""The embedded broker beside Apache Kafka: the same clients, in turns, in one run.

Apache Kafka is one node with a heap of 512 MB and its own settings. Both keep their events on the same disk
and acknowledge when the operating system has them.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mesh.testing import start_broker
from mesh_platform.brokers import RunningBroker, start_embedded, start_kafka
from tests.bench import traffic
from tests.bench.measuring import ROUNDS, Figure, compared

EVENTS = 500_000
RETAINED = 1_000_000
SINGLE_EVENTS = 500
TRANSACTIONS = 200
STARTS = 3
FIXTURES = 20
NAMES = {"embedded": "embedded broker", "kafka": "Apache Kafka"}
_VALUE_BYTES = 200
_BATCH = 10_000


def against_kafka() -> list[Figure]:
    """Every figure of the embedded broker, beside Apache Kafka's of this run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_kafka(Path(folder)) as kafka,
        start_embedded(Path(folder)) as embedded,
    ):
        return Comparison(embedded, kafka).figures()


class Comparison:
    """Two brokers that take turns at everything."""

    def __init__(self, embedded: RunningBroker, kafka: RunningBroker) -> None:
        self.brokers = (kafka, embedded)
        self.batch = traffic.values(_BATCH, _VALUE_BYTES)

    def figures(self) -> list[Figure]:
        self._create("single", 1)
        self._create("transactions", traffic.PARTITIONS)
        found = [
            *self._turns("produce", "/s", self.produce, "≥ 0.7"),
            *self._turns("consume", "/s", self.consume, "≥ 0.7"),
            *self._single(),
            *self._turns("transactions of 10 events", "/s", self.transact, ""),
        ]
        self._create("retained", traffic.PARTITIONS)
        for broker in self.brokers:
            traffic.produce(broker.bootstrap, "retained", self.batch, RETAINED // _BATCH)
        after_stop, after_kill = started(stop), started(kill)
        return [
            *found,
            *self._turns("memory after this bench", "MB", memory, "", 1),
            *self._turns("start with 1 M events, after a stop", "s", after_stop, "≤ 0.3 s", STARTS),
            *self._turns("start with 1 M events, after kill -9", "s", after_kill, "≤ 0.3 s", STARTS),
            *self._turns("memory with 1 M events, after a start", "MB", memory, "", 1),
            fixture(),
        ]

    def produce(self, broker: RunningBroker) -> float:
        topic = f"rates-{time.monotonic_ns()}"
        traffic.create(broker.bootstrap, topic)
        return EVENTS / seconds(
            lambda: traffic.produce(broker.bootstrap, topic, self.batch, EVENTS // _BATCH)
        )

    def consume(self, broker: RunningBroker) -> float:
        topic = next(name for name in traffic.topics(broker.bootstrap) if name.startswith("rates-"))
        return EVENTS / seconds(lambda: traffic.consume(broker.bootstrap, topic, EVENTS))

    def transact(self, broker: RunningBroker) -> float:
        return TRANSACTIONS / seconds(
            lambda: traffic.transact(broker.bootstrap, "transactions", self.batch[:10], TRANSACTIONS)
        )

    def _create(self, topic: str, partitions: int) -> None:
        for broker in self.brokers:
            traffic.create(broker.bootstrap, topic, partitions)

    def _turns(
        self,
        group: str,
        unit: str,
        measure: Callable[[RunningBroker], float],
        target: str,
        rounds: int = ROUNDS,
    ) -> list[Figure]:
        found = [[measure(broker) for broker in self.brokers] for _ in range(rounds)]
        return self._pair(group, unit, list(zip(*found, strict=True)), target)

    def _single(self) -> list[Figure]:
        found = [
            [traffic.one_by_one(broker.bootstrap, "single", SINGLE_EVENTS) for broker in self.brokers]
            for _ in range(ROUNDS)
        ]
        return [
            figure
            for percentile, target in ((50, ""), (99, "≤ 2"))
            for figure in self._pair(
                f"one event there and back, p{percentile}",
                "s",
                [
                    tuple(statistics.quantiles(times, n=100)[percentile - 1] for times in side)
                    for side in zip(*found, strict=True)
                ],
                target,
            )
        ]

    def _pair(self, group: str, unit: str, sides: list[tuple[float, ...]], target: str) -> list[Figure]:
        kafka, embedded = (
            Figure(group, NAMES[broker.kind], statistics.median(rounds), unit, rounds)
            for broker, rounds in zip(self.brokers, sides, strict=True)
        )
        return [kafka, compared(embedded, kafka, target)]


def fixture() -> Figure:
    """From the call of the `kafka` fixture's `start_broker` to a new client's first answer."""
    rounds = []
    for _ in range(FIXTURES):
        began = time.perf_counter()
        with start_broker() as broker:
            traffic.metadata(broker.bootstrap)
            rounds.append(time.perf_counter() - began)
    name = f"pytest fixture, to the first answer (worst of {FIXTURES}: {max(rounds) * 1000:.0f} ms)"
    return Figure("start", name, statistics.median(rounds), "s", tuple(rounds), target="≤ 0.3 s")


def started(end: Callable[[RunningBroker], object]) -> Callable[[RunningBroker], float]:
    """Seconds from the command to a new client's first answer, when the broker was ended so before."""

    def measure(broker: RunningBroker) -> float:
        end(broker)

        def start() -> None:
            broker.processes[0].start()
            traffic.metadata(broker.bootstrap)

        return seconds(start)

    return measure


def stop(broker: RunningBroker) -> None:
    broker.processes[0].stop()


def kill(broker: RunningBroker) -> None:
    broker.kill()


def memory(broker: RunningBroker) -> float:
    """Resident megabytes of the broker's process group."""
    group = str(broker.processes[0].pid)
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return sum(int(kib) for pgid, kib in rows if pgid == group) / 1024


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
