"""Several platform processes on one control log: one order, one answer, whoever is asked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from mesh_platform.brokers import RunningBroker, start_embedded
from mesh_platform.control import ControlPlane, RegistryDoor
from mesh_platform.log import LogUnavailable, OutcomeUnknown
from mesh_platform.registry.errors import STORE_ERROR, STORE_TIMEOUT
from mesh_platform.registry.warrant import KEY, Warrant
from mesh_platform.rights import EVERY_RIGHT
from tests.conformance.control_logs import KafkaLogs, eventually, kafka_logs

SET_CONFIG, REGISTER, DELETE = "registry.set-config", "registry.register", "registry.delete-subject"
WARRANT = {KEY: Warrant(EVERY_RIGHT, open=True).as_data()}


class Platforms:
    """Control planes that share one log, as processes do."""

    def __init__(self, logs: KafkaLogs) -> None:
        self.logs = logs
        self._planes: list[ControlPlane] = []

    def start(self, patience_seconds: float = 20.0) -> ControlPlane:
        self._planes.append(ControlPlane(self.logs.open(), patience_seconds=patience_seconds))
        return self._planes[-1]

    def stop(self) -> None:
        for plane in self._planes:
            plane.close()


@pytest.fixture
def platforms(broker: RunningBroker, tmp_path: Path) -> Iterator[Platforms]:
    started = Platforms(KafkaLogs(broker.bootstrap, tmp_path))
    yield started
    started.stop()


def schema(name: str, kind: Any = "string") -> str:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": "f", "type": kind}]})


def register(plane: ControlPlane, subject: str, text: str, command: str = "") -> Any:
    return plane.submit_now(REGISTER, {"subject": subject, "schema": text, **WARRANT}, "ann", command)


def subjects(plane: ControlPlane) -> list[str]:
    return [str(name) for name in plane.registry.subjects.names()]


def versions(plane: ControlPlane, subject: str) -> list[tuple[int, int, str]]:
    return [(v.version, v.id, v.content.text) for v in plane.registry.subjects.versions(subject)]


def test_what_one_writes_the_other_knows_within_a_second(platforms: Platforms) -> None:
    one, two = platforms.start(), platforms.start()
    register(one, "s", schema("A"))
    eventually(lambda: subjects(two) == ["s"], seconds=1)


def test_a_process_that_starts_later_knows_what_was_written_before(platforms: Platforms) -> None:
    register(platforms.start(), "s", schema("A"))
    assert subjects(platforms.start()) == ["s"]


def test_ids_go_on_across_processes(platforms: Platforms) -> None:
    one, two = platforms.start(), platforms.start()
    ids = [register((one, two)[n % 2], f"s{n}", schema(f"A{n}"))["id"] for n in range(6)]
    assert ids == [1, 2, 3, 4, 5, 6]


def test_of_schemas_that_exclude_each_other_one_wins_and_everybody_agrees(platforms: Platforms) -> None:
    planes = [platforms.start() for _ in range(3)]
    many = {"type": "array", "items": "long"}
    kinds = ["string", "long", "boolean", "null", many, {"type": "map", "values": "long"}]
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(register, planes[n % 3], "s", schema("A", kind)) for n, kind in enumerate(kinds)]
        answers = [future.result(30) for future in asked]
    assert [type(answer).__name__ for answer in answers].count("dict") == 1
    eventually(lambda: all(versions(plane, "s") for plane in planes))
    assert versions(planes[0], "s") == versions(planes[1], "s") == versions(planes[2], "s")


def test_one_schema_registered_everywhere_at_once_has_one_id(platforms: Platforms) -> None:
    planes = [platforms.start() for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(register, planes[n % 3], "s", schema("A")) for n in range(24)]
        assert {future.result(30)["id"] for future in asked} == {1}


def test_a_command_sent_again_elsewhere_gets_the_same_answer_and_changes_nothing(
    platforms: Platforms,
) -> None:
    one, two = platforms.start(), platforms.start()
    register(one, "s", schema("A"))
    body = {"subject": "s", "permanent": False, **WARRANT}
    first = one.submit_now(DELETE, body, "ann", "k/d")
    register(one, "s", schema("B"))
    assert (first, two.submit_now(DELETE, body, "ann", "k/d")) == ([1], [1])
    eventually(lambda: len(two.registry.subjects.live("s")) == 1)


def test_one_command_sent_everywhere_at_once_is_carried_out_once(platforms: Platforms) -> None:
    planes = [platforms.start() for _ in range(3)]
    register(planes[0], "s", schema("A"))
    body = {"subject": "s", "permanent": False, **WARRANT}
    with ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(planes[n % 3].submit_now, DELETE, body, "ann", "k/d") for n in range(9)]
        assert [future.result(30) for future in asked] == [[1]] * 9


def test_kinds_of_a_later_release_are_passed_over(platforms: Platforms) -> None:
    one, two = platforms.start(), platforms.start()
    for kind in ("registry.of-tomorrow", "something.new"):
        one.submit_now(kind, {"x": [1]}, "ann")
    assert register(two, "s", schema("A"))["id"] == 1
    assert subjects(platforms.start()) == ["s"]


def test_what_strangers_write_into_the_topic_stops_nobody(platforms: Platforms) -> None:
    one = platforms.start()
    producer = Producer({"bootstrap.servers": platforms.logs.bootstrap})
    for value in (b"\xff", b"{}", b'{"format":1,"time":"2026-11-02","actor":"","kind":"contract.declare"}'):
        producer.produce(platforms.logs.topic, value)
    assert producer.flush(10) == 0
    assert register(one, "s", schema("A"))["id"] == 1
    assert subjects(platforms.start()) == ["s"]


def test_an_event_loop_is_the_only_thread_that_changes_what_it_reads(platforms: Platforms) -> None:
    """Requests read without a lock; a view that another thread changes could be seen half changed."""
    writer, reader = platforms.start(), platforms.start()
    threads: set[int] = set()
    applied = reader.registry.apply

    def watched(record: Any) -> Any:
        threads.add(threading.get_ident())
        return applied(record)

    reader.registry.apply = watched  # type: ignore[method-assign]

    async def serve() -> int:
        reader.serve_on(asyncio.get_running_loop())
        await asyncio.to_thread(register, writer, "s", schema("A"))
        await reader.submit(SET_CONFIG, {"subject": "s", "compatibility": "NONE", **WARRANT}, "bo")
        while not subjects(reader):
            await asyncio.sleep(0.01)
        return threading.get_ident()

    assert {asyncio.run(serve())} == threads


async def test_requests_are_answered_while_others_wait_for_the_log(platforms: Platforms) -> None:
    plane = platforms.start()
    plane.serve_on(asyncio.get_running_loop())
    body = {"subject": None, "compatibility": "FULL", **WARRANT}
    writes = [asyncio.create_task(plane.submit(SET_CONFIG, body, "ann")) for _ in range(20)]
    turns = 0
    while not all(task.done() for task in writes):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20, "the loop stood still until the log had answered"


@contextmanager
def asleep(broker: RunningBroker) -> Iterator[None]:
    """A broker whose process does not run, while its connections stay open."""
    pid = broker.processes[0].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[RunningBroker, Platforms]]:
    """A broker of this test's own, to be stopped, and platforms on it."""
    with start_embedded(tmp_path) as broker:
        for logs in kafka_logs(broker, tmp_path):
            platforms = Platforms(logs)
            yield broker, platforms
            platforms.stop()


def test_an_outcome_that_comes_too_late_is_unknown_and_the_same_command_finds_it(
    own: tuple[RunningBroker, Platforms],
) -> None:
    broker, platforms = own
    plane = platforms.start(patience_seconds=0.3)
    register(plane, "s", schema("A"))
    body = {"subject": "s", "permanent": False, **WARRANT}
    with asleep(broker), pytest.raises(OutcomeUnknown) as caught:
        plane.submit_now(DELETE, body, "ann", "k/d")
    assert caught.value.error_code == "MESH-S021"
    eventually(lambda: not plane.registry.subjects.live("s"))
    assert plane.submit_now(DELETE, body, "ann", "k/d") == [1]


async def test_the_registry_says_50002_when_it_cannot_tell(own: tuple[RunningBroker, Platforms]) -> None:
    broker, platforms = own
    plane = platforms.start(patience_seconds=0.3)
    plane.serve_on(asyncio.get_running_loop())
    door = RegistryDoor(plane, takes_unowned=True)
    body = {"subject": "s", "schema": schema("A"), **WARRANT}
    with asleep(broker):
        assert await door.submit(REGISTER, body, "ann") == STORE_TIMEOUT.refuse()
    while not subjects(plane):
        await asyncio.sleep(0.01)
    again = await door.submit(REGISTER, body, "ann")
    assert (again["id"], len(versions(plane, "s"))) == (1, 1)


def test_a_broker_that_was_killed_and_comes_back_costs_nothing(
    own: tuple[RunningBroker, Platforms],
) -> None:
    broker, platforms = own
    one, two = platforms.start(), platforms.start()
    register(one, "s0", schema("A"))
    broker.kill()
    broker.restart()
    assert register(two, "s1", schema("B"))["id"] == 2
    eventually(lambda: subjects(one) == ["s0", "s1"])


async def test_a_log_that_was_deleted_takes_no_writes_and_says_so(
    platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_platform.log.kafka_reader.LOOK_EVERY_SECONDS", 0.2)
    plane = platforms.start()
    plane.serve_on(asyncio.get_running_loop())
    await plane.submit(SET_CONFIG, {"subject": None, "compatibility": "FULL", **WARRANT}, "ann")
    topic = platforms.logs.topic
    admin = AdminClient({"bootstrap.servers": platforms.logs.bootstrap})
    admin.delete_topics([topic])[topic].result(10)
    while not plane.trouble():
        await asyncio.sleep(0.02)
    with pytest.raises(LogUnavailable) as caught:
        await plane.submit(SET_CONFIG, {"subject": None, "compatibility": "NONE", **WARRANT}, "ann")
    assert caught.value.error_code == "MESH-S024"
    answer = await RegistryDoor(plane, takes_unowned=True).submit(REGISTER, {"subject": "s", **WARRANT}, "a")
    assert answer.error_code == STORE_ERROR.error_code
