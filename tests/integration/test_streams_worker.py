"""The stream worker as a process on a real broker: right figures through crashes, poison and company."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition

from domains.operations.departures import departures
from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_sender import KafkaSender
from mesh_platform.brokers import RunningBroker, start_embedded
from tests.integration import streams_worker as kit

EVENTS = 40_000
PARTITIONS = 4
KEY = ["route", "window_start"]


@dataclass
class World:
    """One test's topics on a broker, and the workers that it started."""

    bootstrap: str
    mark: str
    folder: Path
    workers: contextlib.ExitStack

    def __post_init__(self) -> None:
        self.source, self.windows = kit.source_port(self.mark), kit.windows_port(self.mark)
        admin = KafkaAdmin(self.bootstrap)
        admin.create_topic(self.source.topic, PARTITIONS, {})
        admin.create_topic(self.source.dead_letters, 1, {})
        admin.create_topic(self.windows.topic, 2, {"cleanup.policy": "compact"})

    @property
    def group(self) -> str:
        return f"punctuality.route-delays-{self.mark}"

    def publish(self, events: pa.Table) -> None:
        with kit.publisher(self.source, kit.SOURCE_ID, self.bootstrap) as publish:
            publish.many(events)

    def start(self, **more: object) -> subprocess.Popen[bytes]:
        state = self.folder / uuid4().hex
        given = {"bootstrap": self.bootstrap, "mark": self.mark, "state": str(state), **more}
        argv = [sys.executable, "-m", "tests.integration.streams_worker", json.dumps(given)]
        worker = subprocess.Popen(
            [*argv, "--exit-with-parent"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=kit.ROOT
        )
        self.workers.callback(_end, worker)
        return worker

    def ends(self, topic: str, partitions: int) -> list[int]:
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "tests.looking", "log_level": 0}
        )
        try:
            places = [TopicPartition(topic, partition) for partition in range(partitions)]
            return [consumer.get_watermark_offsets(place, timeout=10)[1] for place in places]
        finally:
            consumer.close()

    def published(self) -> int:
        return sum(self.ends(self.windows.topic, 2))

    def committed(self) -> list[int]:
        return [max(place.offset, 0) for place in self._offsets()]

    def commit(self, offsets: list[int]) -> None:
        places = [TopicPartition(self.source.topic, p, offset) for p, offset in enumerate(offsets)]
        with self._member() as consumer:
            consumer.commit(offsets=places, asynchronous=False)

    def until_done(self) -> None:
        ends = self.ends(self.source.topic, PARTITIONS)
        until(lambda: self.committed() == ends, f"the worker commits {ends}")

    def figures(self) -> pl.DataFrame:
        """The last event of every window, as a subscriber sees them."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.reading import Reading

        decoder = Decoder(self.windows, kit.Schemas(self.windows.schema, kit.WINDOWS_ID))
        reading = Reading(self.windows, decoder, BoundedReceiver(self.bootstrap, self.windows.topic, None))
        return reading.to_polars().unique(KEY, keep="last", maintain_order=True).sort(KEY)

    def _offsets(self) -> list[TopicPartition]:
        with self._member() as consumer:
            places = [TopicPartition(self.source.topic, partition) for partition in range(PARTITIONS)]
            return list(consumer.committed(places, timeout=10))

    @contextlib.contextmanager
    def _member(self) -> Iterator[Consumer]:
        settings = {"bootstrap.servers": self.bootstrap, "group.id": self.group, "enable.auto.commit": False}
        consumer = Consumer({**settings, "log_level": 0})
        try:
            yield consumer
        finally:
            consumer.close()


def _end(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        worker.kill()
    worker.communicate()


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.2)


#: What a worker does whatever its broker, and what depends on how a broker keeps its groups.
ON_THE_EMBEDDED_BROKER = pytest.mark.parametrize("world", ["embedded"], indirect=True)
ON_KAFKA = pytest.mark.parametrize("world", [pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    broker: RunningBroker = request.getfixturevalue(f"{request.param}_broker")
    with contextlib.ExitStack() as workers:
        yield World(broker.bootstrap, uuid4().hex[:10], tmp_path, workers)


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    return next(departures()).slice(0, EVENTS)


def expected(flights: pa.Table) -> pl.DataFrame:
    """The figures as Polars finds them, without a line of the domain's code."""
    frame = pl.from_arrow(flights)
    assert isinstance(frame, pl.DataFrame)
    delay = pl.col("dep_delay_minutes").cast(pl.Int64)
    return (
        frame.group_by(
            (pl.col("origin") + "-" + pl.col("destination")).alias("route"),
            pl.col("departed_at").dt.truncate("1d").alias("window_start"),
        )
        .agg(
            pl.len().cast(pl.Int64).alias("departures"),
            (delay >= 15).sum().cast(pl.Int64).alias("late_departures"),
            delay.mean().alias("mean_delay_minutes"),
            delay.max().alias("max_delay_minutes"),
        )
        .sort(KEY)
    )


def assert_right(world: World, flights: pa.Table) -> None:
    wanted = expected(flights)
    found = world.figures().select(wanted.columns).cast(dict(zip(wanted.columns, wanted.dtypes, strict=True)))
    differences = (
        found.join(wanted, on=KEY, how="anti").height,
        pl.concat([found, wanted]).unique().height - wanted.height,
    )
    assert (found.height, differences) == (wanted.height, (0, 0))


def test_the_windows_have_the_figures_that_polars_finds(world: World, flights: pa.Table) -> None:
    world.publish(flights)
    world.start()

    world.until_done()

    assert_right(world, flights)


def test_a_worker_that_is_killed_half_way_counts_nothing_twice(world: World, flights: pa.Table) -> None:
    world.publish(flights)
    for _ in range(2):
        before = world.published()
        worker = world.start()
        until(lambda before=before: world.published() > before + 1_500, "the worker is half way")  # type: ignore[misc]
        worker.kill()
        worker.communicate()
    assert sum(world.committed()) < EVENTS
    world.start()

    world.until_done()

    assert_right(world, flights)


@ON_THE_EMBEDDED_BROKER
def test_a_commit_that_ran_ahead_loses_nothing(world: World, flights: pa.Table) -> None:
    """faust-streaming/faust#527: what was skipped while the group rebalanced is acknowledged all the same."""
    world.publish(flights.slice(0, 20_000))
    worker = world.start()
    world.until_done()
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=15)
    world.publish(flights.slice(20_000))
    world.commit([end - 10 for end in world.ends(world.source.topic, PARTITIONS)])
    world.start()

    world.until_done()

    until(lambda: world.figures()["departures"].sum() == EVENTS, "every event is counted")
    assert_right(world, flights)


@ON_THE_EMBEDDED_BROKER
def test_sigterm_ends_the_worker_in_time_and_cleanly(world: World, flights: pa.Table) -> None:
    world.publish(flights)
    worker = world.start()
    until(lambda: world.published() > 0, "the worker works")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)

    _, said = worker.communicate(timeout=15)

    assert (worker.returncode, said) == (0, b"")
    assert time.monotonic() - began < 10
    world.start()
    world.until_done()
    assert_right(world, flights)


def test_sigterm_ends_the_worker_even_when_the_broker_is_gone(tmp_path: Path, flights: pa.Table) -> None:
    with start_embedded(tmp_path / "broker") as broker, contextlib.ExitStack() as workers:
        world = World(broker.bootstrap, uuid4().hex[:10], tmp_path, workers)
        world.publish(flights)
        worker = world.start()
        until(lambda: world.published() > 0, "the worker works")
        broker.kill()
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)

        worker.wait(20)

        assert time.monotonic() - began < 11
        broker.restart()
        world.start()
        world.until_done()
        assert_right(world, flights)


@ON_THE_EMBEDDED_BROKER
def test_the_end_of_stdin_ends_the_worker(world: World) -> None:
    worker = world.start()
    time.sleep(2)

    worker.communicate(timeout=15)

    assert worker.returncode == 0


def test_poison_goes_to_the_dead_letters_and_the_others_count(world: World, flights: pa.Table) -> None:
    world.publish(flights.slice(0, 1_000))
    sender = KafkaSender(world.bootstrap)
    sender.send(
        world.source.topic, [b"k"] * 3, [b"\x00", b"no frame at all", None], [[("trace", b"7")]] * 3, [0] * 3
    )
    sender.flush()
    world.publish(flights.slice(1_000, 1_000))
    world.start()

    world.until_done()

    assert_right(world, flights.slice(0, 2_000))
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "tests.dead", "log_level": 0})
    consumer.assign([TopicPartition(world.source.dead_letters, 0, 0)])
    dead = consumer.consume(2, timeout=20)
    consumer.close()
    assert [letter.value() for letter in dead] == [b"\x00", b"no frame at all"]
    assert [dict(letter.headers())["mesh.dlq.code"] for letter in dead] == [b"MESH-E011", b"MESH-E012"]
    assert {dict(letter.headers())["trace"] for letter in dead} == {b"7"}


@ON_THE_EMBEDDED_BROKER
def test_an_error_of_the_stream_ends_the_worker_and_loses_nothing(world: World, flights: pa.Table) -> None:
    world.publish(flights)
    worker = world.start(fails_after=3)

    assert worker.wait(60) == 1
    _, said = worker.communicate()
    assert b"ZeroDivisionError" in said
    world.start()
    world.until_done()
    assert_right(world, flights)


@ON_KAFKA
def test_of_two_workers_one_waits_and_takes_over(world: World, flights: pa.Table) -> None:
    world.publish(flights.slice(0, 10_000))
    first = world.start()
    world.until_done()
    world.start()
    time.sleep(5)
    first.kill()
    world.publish(flights.slice(10_000))

    world.until_done()

    assert_right(world, flights)


@ON_KAFKA
def test_workers_that_come_and_go_change_no_figure(world: World, flights: pa.Table) -> None:
    """Each arrival is a rebalance, in the midst of which Faust by itself loses events."""
    world.start()
    for step in range(4):
        company = world.start()
        for part in range(10):
            world.publish(flights.slice(step * 10_000 + part * 1_000, 1_000))
            time.sleep(0.3)
        (company.kill if step % 2 else company.terminate)()

    world.until_done()

    assert_right(world, flights)


def test_sigterm_ends_a_worker_whose_words_nobody_reads() -> None:
    """It writes more than a pipe holds, so it stands in a write when the signal comes."""
    talkative = "import sys\nfrom mesh.streams.process import run_process\n"
    talkative += "run_process(lambda *_: [print('x' * 200, file=sys.stderr) for _ in iter(int, 1)], [])"
    with subprocess.Popen([sys.executable, "-c", talkative], stderr=subprocess.PIPE) as worker:
        try:
            assert worker.stderr is not None
            assert worker.stderr.read(1) == b"x"  # it talks, so it listens to signals already
            time.sleep(0.5)
            worker.terminate()
            assert worker.wait(15) == 1
        finally:
            worker.kill()
