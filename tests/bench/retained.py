"""`python -m tests.bench --retained 10`: so many gigabytes of retained events, started again and again.

Values of 1 kB that no codec could make smaller, on four partitions. The broker is killed in the middle of
its work, so what it has to prove again is as much as it can be.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from mesh_platform.brokers import RunningBroker, start_embedded
from tests.bench import traffic
from tests.bench.broker import kill, memory, seconds, started, stop
from tests.bench.measuring import Figure

VALUE_BYTES = 1000
STARTS = 5
_TOPIC = "retained"
_BATCH = 10_000
_PER_GB = 10**9 // VALUE_BYTES


def retained(gigabytes: int) -> list[Figure]:
    """Time to start and memory with so much on disk."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_embedded(Path(folder)) as broker,
    ):
        return _figures(broker, gigabytes)


def _figures(broker: RunningBroker, gigabytes: int) -> list[Figure]:
    batch = traffic.values(_BATCH, VALUE_BYTES)
    amount, group = gigabytes * _PER_GB, f"{gigabytes} GB retained"

    def write(events: int) -> None:
        traffic.produce(broker.bootstrap, _TOPIC, batch, events // _BATCH)

    def killed_at_work(broker: RunningBroker) -> None:
        write(_PER_GB // 5)
        kill(broker)

    def figure(
        name: str, unit: str, measure: Callable[[], float], rounds: int = 1, target: str = ""
    ) -> Figure:
        found = tuple(measure() for _ in range(rounds))
        return Figure(group, name, statistics.median(found), unit, found, target=target)

    def starts(name: str, end: Callable[[RunningBroker], None]) -> Figure:
        figure_of = started(end)
        return figure(f"start after {name}", "s", lambda: figure_of(broker), STARTS, "≤ 1 s")

    traffic.create(broker.bootstrap, _TOPIC)
    before = figure("memory, empty", "MB", lambda: memory(broker))
    filled = figure("written", "/s", lambda: amount / seconds(lambda: write(amount)))
    full = figure("memory, written", "MB", lambda: memory(broker))
    first_kill = figure("first start, killed at once", "s", lambda: started(kill)(broker), 1, "≤ 1 s")
    kills = starts("kill -9 right after 200 MB", killed_at_work)
    stops = starts("a stop", stop)
    fresh = figure("memory, started", "MB", lambda: memory(broker))
    traffic.consume(broker.bootstrap, _TOPIC, _PER_GB)
    read = figure("memory, 1 GB read", "MB", lambda: memory(broker))
    write(_PER_GB)
    more = figure("memory, 1 GB more written", "MB", lambda: memory(broker))
    return [filled, first_kill, kills, stops, before, full, fresh, read, more]
