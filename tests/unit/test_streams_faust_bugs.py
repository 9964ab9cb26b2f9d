"""The bugs of Faust that its users know by number, and what keeps each of them out of a worker.

Numbers are issues of faust-streaming/faust, unless they are robinhood/faust's. Some show the bug itself in
Faust 0.15.3 first: when such a test fails, Faust has mended it, and its guard may go. What only a broker can
show is in `tests/integration/test_streams_worker.py` and names the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mode.utils.queues import FlowControlEvent

from mesh.errors import UsageError
from mesh.streams.reading import consumer_class
from mesh.streams.runtime import Pace, Runtime, faust_runtime
from tests.unit.streams_kit import HOURLY

TOPIC = "tests.numbers.v1"
KEPT = {0: 7}


async def nobody_was_there() -> None:
    """There is nobody to be shut out."""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    folder: Path = tmp_path_factory.mktemp("faust")
    return faust_runtime("127.0.0.1:1", TOPIC, "tests.sums", folder, KEPT.get, nobody_was_there, Pace())


def consumer(acked: list[int], committed: int | None) -> Any:
    """Our consumer, as far as it knows what was acknowledged of partition 0."""
    made: Any = object.__new__(consumer_class(KEPT.get, nobody_was_there))
    made._acked, made._acked_index = defaultdict(list), defaultdict(set)
    made._acked[partition(0)] = list(acked)
    made._gap = {partition(0): None}
    made._committed_offset = {partition(0): committed}
    made.app = SimpleNamespace(
        tables=SimpleNamespace(changelog_topics={"tests.sums-windows-changelog"}),
        flow_control=FlowControlEvent(initially_suspended=False),
    )
    return made


def partition(number: int) -> Any:
    from faust.types import TP

    return TP(TOPIC, number)


def fausts_new_offset(of: Any) -> int | None:
    from faust.transport.consumer import Consumer

    found: int | None = Consumer._new_offset(of, partition(0))
    return found


def test_faust_606_of_its_own_commits_past_an_event_in_flight() -> None:
    """Event 0 is in flight; 1 and 2, handled beside it, are acknowledged."""
    assert fausts_new_offset(consumer([1, 2], None)) == 3


def test_faust_606_only_the_kept_position_is_committed() -> None:
    assert consumer([1, 2], None)._new_offset(partition(0)) == KEPT[0]


def test_faust_606_nothing_is_committed_of_a_partition_of_which_nothing_is_kept() -> None:
    assert consumer([1, 2], None)._new_offset(partition(1)) is None


def test_faust_606_a_higher_concurrency_is_refused_and_the_reason_named() -> None:
    with pytest.raises(UsageError, match="MESH-K042") as caught:
        replace(HOURLY, concurrency=2)

    assert "faust-streaming/faust#606" in caught.value.why
    assert "stands by" in caught.value.fix


def test_faust_596_of_its_own_never_commits_again_behind_a_gap() -> None:
    """Recovery let 11 fall between clearing the queues and seeking."""
    assert fausts_new_offset(consumer([12, 13], 10)) is None


def test_faust_596_a_gap_in_what_is_acknowledged_is_no_obstacle() -> None:
    assert consumer([12, 13], 10)._new_offset(partition(0)) == KEPT[0]


def test_faust_527_what_was_acknowledged_without_being_handled_is_forgotten() -> None:
    made = consumer([1, 2, 3], 0)
    made._new_offset(partition(0))

    assert list(made._acked[partition(0)]) == []


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Our consumer, that has fetched one event and not been told yet where to read."""
    from faust.transport.drivers.aiokafka import Consumer

    async def fetched(*_: object) -> AsyncIterator[tuple[Any, Any]]:
        yield partition(0), SimpleNamespace(offset=4)

    async def perform_seek() -> None:
        made.sought_times += 1

    monkeypatch.setattr(Consumer, "getmany", fetched)
    made = consumer([], None)
    made._sought, made.handed, made.sought_times, made.perform_seek = False, {}, 0, perform_seek
    made._line, made._next = {}, {0: 2}
    return made


async def test_faust_527_what_comes_while_the_group_rebalances_is_not_handed_over(fetching: Any) -> None:
    fetching.app.rebalancing = True

    assert [message async for message in fetching.getmany(0.0)] == []
    assert fetching.sought_times == 0


async def test_faust_527_events_are_handed_over_once_it_is_said_where_to_read(fetching: Any) -> None:
    fetching.app.rebalancing = False

    assert [message.offset async for _, message in fetching.getmany(0.0)] == [4]
    assert fetching.sought_times == 1
    assert (fetching.follows(0, 4), fetching.follows(0, 5)) == (2, None)


async def test_what_a_stream_would_skip_is_not_handed_over_and_read_again(fetching: Any) -> None:
    fetching.app.rebalancing = False
    fetching.app.flow_control.suspend()

    assert [message async for message in fetching.getmany(0.0)] == []
    assert not fetching._sought


async def test_faust_527_reading_goes_on_where_totals_stand_and_not_where_the_group_committed() -> None:
    made, reached = consumer([], None), {}
    made._line, made._next, made.begun = {}, {}, {}

    async def earliest_offsets(*places: Any) -> dict[Any, int]:
        return dict.fromkeys(places, 2)

    async def seek_wait(places: dict[Any, int]) -> None:
        reached.update(places)

    made._thread = SimpleNamespace(earliest_offsets=earliest_offsets, seek_wait=seek_wait)
    made.assignment = lambda: {partition(0), partition(1)}

    await made.seek_to_committed()

    assert reached == {partition(0): KEPT[0], partition(1): 2}
    assert made.begun == {1: 2}


def test_faust_517_its_exactly_once_is_not_used(runtime: Runtime) -> None:
    assert not runtime.app.in_transaction


async def test_faust_517_what_is_not_committed_is_not_read_all_the_same(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faust.transport.drivers import aiokafka as driver

    monkeypatch.setattr(driver.aiokafka, "AIOKafkaConsumer", lambda **settings: settings)
    made: Any = runtime.app._new_consumer()
    try:
        settings = made._thread._create_worker_consumer(runtime.app.transport)
    finally:
        made._thread.thread_loop.close()

    assert settings["isolation_level"] == "read_committed"
    assert not made.in_transaction


def test_faust_502_what_another_worker_has_handled_is_not_read_again() -> None:
    """Which it has, when its group hears of it late: positions and totals are one transaction."""
    from mesh.streams.records import Record, without_repeats

    records = [Record(SimpleNamespace(topic=TOPIC, partition=0, offset=offset)) for offset in (5, 6, 7, 8)]

    once, ends = without_repeats(records, KEPT.get)

    assert ([record.offset() for record in once], ends) == ([7, 8], {0: 9})


def test_robinhood_134_of_more_workers_than_partitions_one_works_and_the_others_have_nothing(
    runtime: Runtime,
) -> None:
    from faust.assignor.client_assignment import ClientAssignment, ClientMetadata

    app = runtime.app
    assignor = app.conf.PartitionAssignor(app)
    idle = ClientMetadata(
        assignment=ClientAssignment(actives={}, standbys={}),
        url="http://127.0.0.1:6066/",
        changelog_distribution={},
        external_topic_distribution={},
        topic_groups={},
    ).dumps()
    member = SimpleNamespace(subscription=[TOPIC], user_data=idle)
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0} if topic == TOPIC else set())

    assigned = assignor._perform_assignment(cluster, dict.fromkeys(("a", "b", "c"), member))

    assert {name: found.assignment for name, found in assigned.items()} == {
        "a": [(TOPIC, [0])],
        "b": [],
        "c": [],
    }


def test_robinhood_402_a_stop_does_not_wait_for_what_is_in_the_buffers(runtime: Runtime) -> None:
    assert not runtime.app.conf.stream_wait_empty


def test_the_driver_that_drops_headers_and_timestamps_is_not_used(runtime: Runtime) -> None:
    from faust.transport.drivers.aiokafka import Consumer

    assert {url.scheme for url in runtime.app.conf.broker} == {"aiokafka"}
    assert issubclass(runtime.app.transport.Consumer, Consumer)


def test_a_silent_worker_is_given_up_as_soon_as_it_is_told_to_be(tmp_path: Path) -> None:
    pace = Pace(session_seconds=6.5, heartbeat_seconds=0.5)
    app = faust_runtime("127.0.0.1:1", TOPIC, "tests.x", tmp_path, KEPT.get, nobody_was_there, pace).app

    assert (app.conf.broker_session_timeout, app.conf.broker_heartbeat_interval) == (6.5, 0.5)
