"""A worker that has events to handle and handles none is ended.

Numbers are issues of faust-streaming/faust about workers that die without ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from mesh.streams.watchdog import StuckError, Watchdog

TOPIC = "tests.numbers.v1"


class TP(NamedTuple):
    topic: str
    partition: int


@dataclass
class Consumer:
    """A consumer of one partition, as far as the watchdog asks it."""

    end: int = 10
    fetched: int = 0
    handed: dict[int, int] = field(default_factory=dict)
    owns: bool = True
    dead: bool = False
    read_again_times: int = 0

    def read_again(self) -> None:
        self.read_again_times += 1

    def assignment(self) -> set[TP]:
        return {TP(TOPIC, 0), TP("tests.changelog", 0)} if self.owns else set()

    async def highwaters(self, *tps: TP) -> Mapping[TP, int]:
        if self.dead:
            raise OSError("no answer")
        return dict.fromkeys(tps, self.end)

    async def position(self, tp: TP) -> int:
        return self.fetched


@dataclass
class App:
    consumer: Consumer


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A watchdog, its time, and what it watches."""

    def __init__(self) -> None:
        self.time, self.consumer, self.positions = Time(), Consumer(), {0: 0}
        self.watchdog = Watchdog(App(self.consumer), TOPIC, self.positions.get, patience=60, clock=self.time)

    async def pass_by(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time.now += 1
            await self.watchdog.look()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_faust_175_events_that_wait_for_a_minute_end_the_worker_with_70(bench: Bench) -> None:
    with pytest.raises(StuckError) as caught:
        await bench.pass_by(75)

    assert caught.value.exit_code == 70
    assert 60 <= bench.time.now <= 70


async def test_progress_however_slow_is_no_reason(bench: Bench) -> None:
    for position in range(5):
        bench.positions[0] = position
        await bench.pass_by(50)


async def test_a_topic_without_news_is_no_reason(bench: Bench) -> None:
    bench.positions[0] = bench.consumer.fetched = bench.consumer.end

    await bench.pass_by(300)


async def test_an_end_of_markers_that_are_never_handed_over_is_no_reason(bench: Bench) -> None:
    bench.consumer.fetched, bench.consumer.handed, bench.positions[0] = 10, {0: 8}, 9

    await bench.pass_by(300)


async def test_faust_523_events_that_were_fetched_and_never_handled_are_a_reason(bench: Bench) -> None:
    bench.consumer.fetched, bench.consumer.handed, bench.positions[0] = 10, {0: 9}, 4

    with pytest.raises(StuckError):
        await bench.pass_by(75)


async def test_faust_532_a_consumer_that_does_not_answer_is_a_reason(bench: Bench) -> None:
    bench.consumer.dead = True

    with pytest.raises(StuckError):
        await bench.pass_by(75)


async def test_a_worker_that_stands_by_may_wait_for_ever(bench: Bench) -> None:
    bench.consumer.owns = False

    await bench.pass_by(300)


async def test_what_was_handed_over_and_not_handled_is_read_again_before_it_is_given_up(bench: Bench) -> None:
    bench.consumer.fetched, bench.consumer.handed = 10, {0: 9}

    await bench.pass_by(30)

    assert bench.consumer.read_again_times > 0
