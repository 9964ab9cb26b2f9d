"""The stream worker as a process on a real broker: right figures through crashes, poison and company."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
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
from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from domains.operations.departures import departures
from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_sender import KafkaSender
from mesh_platform.brokers import RunningBroker, start_embedded
from tests.integration import streams_worker as kit

EVENTS = 12_000
PARTITIONS = 4
KEY = ["route", "window_start"]


#: Whence all workers are forked, with all imported that they need.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.integration.streams_worker"])


class Worker:
    """A worker in a process of its own."""

    def __init__(self, given: dict[str, object], stderr: Path) -> None:
        self._stderr = stderr
        theirs, self._stdin = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=kit.work, args=(given, theirs, str(stderr)))
        self._process.start()
        theirs.close()

    def send(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """As power loss does, and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None when it still runs."""
        self._process.join(seconds)
        return self._process.exitcode

    def said(self) -> str:
        return self._stderr.read_text()

    def stands_still(self) -> bool:
        found = subprocess.run(["ps", "-o", "stat=", "-p", str(self._process.pid)], capture_output=True)
        return found.stdout.strip().startswith(b"T")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.close()
        self._stdin.close()


@dataclass
class World:
    """One test's topics on a broker, and the workers that it started."""

    bootstrap: str
    mark: str
    folder: Path
    workers: contextlib.ExitStack

    def __post_init__(self) -> None:
        self.source, self.windows = kit.source_port(self.mark), kit.windows_port(self.mark)
        settings = {"bootstrap.servers": self.bootstrap, "log_level": 0}
        self.looking = Consumer({**settings, "group.id": self.group, "enable.auto.commit": False})
        self.workers.callback(self.looking.close)
        self.admin = AdminClient(settings)
        admin = KafkaAdmin(self.bootstrap)
        admin.create_topic(self.source.topic, PARTITIONS, {})
        admin.create_topic(self.source.dead_letters, 1, {})
        admin.create_topic(self.windows.topic, 2, {"cleanup.policy": "compact"})

    @property
    def group(self) -> str:
        return f"punctuality.route-delays-{self.mark}"

    def publish(self, events: pa.Table) -> None:
        with kit.publisher(self.source, kit.SOURCE_ID, KafkaSender(self.bootstrap)) as publish:
            publish.many(events)

    def start(self, **more: object) -> Worker:
        state = self.folder / uuid4().hex
        given = {"bootstrap": self.bootstrap, "mark": self.mark, "state": str(state), **more}
        return self.workers.enter_context(Worker(given, Path(f"{state}.stderr")))

    def ends(self, topic: str, partitions: int) -> list[int]:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        return [self.looking.get_watermark_offsets(place, timeout=10)[1] for place in places]

    def published(self) -> int:
        return sum(self.ends(self.windows.topic, 2))

    def committed(self) -> list[int]:
        places = [TopicPartition(self.source.topic, partition) for partition in range(PARTITIONS)]
        return [max(place.offset, 0) for place in self.looking.committed(places, timeout=10)]

    def commit(self, offsets: list[int]) -> None:
        places = [TopicPartition(self.source.topic, p, offset) for p, offset in enumerate(offsets)]
        self.looking.commit(offsets=places, asynchronous=False)

    def members(self) -> int:
        """How many workers have joined the group."""
        described = self.admin.describe_consumer_groups([self.group], request_timeout=10)
        return len(described[self.group].result().members)

    def until_done(self) -> None:
        ends = self.ends(self.source.topic, PARTITIONS)
        until(lambda: self.committed() == ends, f"the worker commits {ends}")
        # A transaction's end is written on each partition in its own time.
        until(lambda: not self.in_transactions(), "the last transaction is over everywhere")

    def in_transactions(self) -> int:
        """Offsets of the windows that nobody may read yet."""
        latest = {
            TopicPartition(self.windows.topic, partition): OffsetSpec.latest() for partition in range(2)
        }

        def ends(level: IsolationLevel) -> int:
            asked = self.admin.list_offsets(latest, isolation_level=level)
            return sum(told.result(10).offset for told in asked.values())

        return ends(IsolationLevel.READ_UNCOMMITTED) - ends(IsolationLevel.READ_COMMITTED)

    def figures(self) -> pl.DataFrame:
        """The last event of every window, as a subscriber sees them."""
        return self.said_of_windows().unique(KEY, keep="last", maintain_order=True).sort(KEY)

    def said_of_windows(self) -> pl.DataFrame:
        """All committed events of all windows, those of one window in their order."""
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder
        from mesh.reading import Reading

        decoder = Decoder(self.windows, kit.Schemas(self.windows.schema, kit.WINDOWS_ID))
        reading = Reading(self.windows, decoder, lambda: BoundedReceiver(self.bootstrap, self.windows.topic))
        return reading.to_polars()


def until(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not _holds(holds):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.2)


def _holds(what: Callable[[], bool]) -> bool:
    try:
        return what()
    except KafkaException:
        return False  # a coordinator that has just moved is asked again


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


def assert_each_said_once(world: World) -> None:
    """Each committed event of a window says of more departures than the one before."""
    said = world.said_of_windows()
    steps = said.select(pl.col("departures").diff().over(KEY)).drop_nulls()
    assert steps.filter(pl.col("departures") <= 0).height == 0


@ON_THE_EMBEDDED_BROKER
def test_the_windows_have_the_figures_that_polars_finds(world: World, flights: pa.Table) -> None:
    world.publish(flights)
    world.start()

    world.until_done()

    assert_right(world, flights)


def test_a_worker_that_is_killed_half_way_counts_nothing_twice(world: World, flights: pa.Table) -> None:
    """Nor does it say anything twice, as Faust's own exactly once does (faust-streaming/faust#517)."""
    world.publish(flights)
    for _ in range(2):
        before = world.published()
        worker = world.start()
        until(lambda before=before: world.published() > before + 500, "the worker is half way")  # type: ignore[misc]
        worker.kill()
    assert sum(world.committed()) < EVENTS
    world.start()

    world.until_done()

    assert_right(world, flights)
    assert_each_said_once(world)


@pytest.mark.parametrize(
    ("world", "moment"),
    [
        ("embedded", "stops_counting_after"),
        pytest.param("kafka", "stops_committing_after", marks=pytest.mark.kafka),
    ],
    indirect=["world"],
)
def test_a_worker_that_was_stopped_and_wakes_after_another_took_over_counts_nothing(
    world: World, flights: pa.Table, moment: str
) -> None:
    """It wakes in the midst of a batch that the other has counted meanwhile."""
    world.publish(flights)
    stopped = world.start(**{moment: 3})
    until(stopped.stands_still, "the worker stands still")
    world.start()
    world.until_done()

    stopped.send(signal.SIGCONT)

    assert stopped.wait(30) == 1
    assert "MESH-K051" in stopped.said()
    world.publish(flights)
    world.until_done()
    assert_right(world, pa.concat_tables([flights, flights]))
    assert_each_said_once(world)


@ON_THE_EMBEDDED_BROKER
def test_a_commit_that_ran_ahead_loses_nothing(world: World, flights: pa.Table) -> None:
    """faust-streaming/faust#527: what was skipped while the group rebalanced is acknowledged all the same."""
    world.publish(flights.slice(0, 6_000))
    worker = world.start()
    world.until_done()
    worker.send(signal.SIGTERM)
    assert worker.wait(15) == 0
    world.publish(flights.slice(6_000))
    world.commit([end - 10 for end in world.ends(world.source.topic, PARTITIONS)])
    world.start()

    world.until_done()

    until(lambda: world.figures()["departures"].sum() == EVENTS, "every event is counted")
    assert_right(world, flights)


@ON_THE_EMBEDDED_BROKER
def test_sigterm_ends_the_worker_in_time_and_cleanly(world: World, flights: pa.Table) -> None:
    """robinhood/faust#402: it waited for ever for what was in its buffers."""
    world.publish(flights)
    worker = world.start()
    until(lambda: world.published() > 0, "the worker works")
    began = time.monotonic()
    worker.send(signal.SIGTERM)

    assert (worker.wait(15), worker.said()) == (0, "")
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
        worker.send(signal.SIGTERM)

        assert worker.wait(20) is not None
        assert time.monotonic() - began < 11
        broker.restart()
        world.start()
        world.until_done()
        assert_right(world, flights)


def test_the_end_of_stdin_ends_the_worker() -> None:
    patient = "import sys\nfrom mesh.streams.process import run_process\n"
    patient += "run_process(lambda _, stop: stop.wait(60), ['--exit-with-parent'])"
    with subprocess.Popen([sys.executable, "-c", patient], stdin=subprocess.PIPE) as worker:
        try:
            worker.communicate(timeout=15)
            assert worker.returncode == 0
        finally:
            worker.kill()


@ON_THE_EMBEDDED_BROKER
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
    assert "ZeroDivisionError" in worker.said()
    world.start()
    world.until_done()
    assert_right(world, flights)


@ON_KAFKA
def test_of_two_workers_one_waits_and_takes_over(world: World, flights: pa.Table) -> None:
    """robinhood/faust#134: a worker without partitions hung, and the others with it."""
    world.publish(flights.slice(0, 3_000))
    first = world.start()
    world.until_done()
    world.start()
    until(lambda: world.members() == 2, "the second worker has joined")
    first.kill()
    world.publish(flights.slice(3_000))

    world.until_done()

    assert_right(world, flights)


@ON_KAFKA
def test_workers_that_come_and_go_change_no_figure(world: World, flights: pa.Table) -> None:
    """Each arrival is a rebalance; in its midst Faust loses events, or handles them twice (#502)."""
    world.start()
    published = 0
    for leave in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        company = world.start()
        while world.members() < 2:
            world.publish(flights.slice(published, 200))
            published += 200
        world.publish(flights.slice(published, 200))
        published += 200
        company.send(leave)
        assert company.wait(15) is not None

    world.until_done()

    assert_right(world, flights.slice(0, published))
    assert_each_said_once(world)


def test_sigterm_ends_a_worker_whose_words_nobody_reads() -> None:
    """It writes more than a pipe holds, so it stands in a write when the signal comes."""
    talkative = "import sys\nfrom mesh.streams.process import run_process\n"
    talkative += "run_process(lambda *_: [print('x' * 200, file=sys.stderr) for _ in iter(int, 1)], [], 0.5)"
    with subprocess.Popen([sys.executable, "-c", talkative], stderr=subprocess.PIPE) as worker:
        try:
            assert worker.stderr is not None
            assert worker.stderr.read(1) == b"x"  # it talks, so it listens to signals already
            worker.terminate()
            assert worker.wait(15) == 1
        finally:
            worker.kill()
