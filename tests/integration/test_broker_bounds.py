"""The bounds of the broker: slow clients, room in memory, connections, the disk.

While a bad client misbehaves, official ones go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.presence import holder
from mesh_platform.broker.upkeep import keep
from tests.integration.broker_inside import (
    Inside,
    answered,
    connect,
    deaf_client,
    failure_of,
    fetch_request,
    fill,
    framed,
    goes_on,
    inside,
    until,
)
from tests.integration.test_broker_process import (
    api_versions,
    make_topic,
    produce,
    produce_request,
    read_all,
)
from tests.unit.broker_kit import Item, Process, Raw, batch, broker, read_answer, request_frame, request_kind


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with broker(tmp_path / "data") as process:
        yield process


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Inside]:
    async with inside(tmp_path / "data") as here:
        yield here


# Slow clients


async def test_a_client_that_stops_in_a_request_is_hung_up_on(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.2)
    reader, writer = await connect(here)
    writer.write(framed(produce_request(batch()))[:-1])
    assert await goes_on(here)
    assert await reader.read() == b""
    assert here.server.traffic.refused["too slow"] == 1
    writer.close()


async def test_a_client_that_stops_in_the_size_of_a_request_is_hung_up_on(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.2)
    reader, writer = await connect(here)
    writer.write(b"\0\0\0")
    assert await reader.read() == b""
    assert here.server.traffic.refused["too slow"] == 1
    writer.close()


async def test_a_client_that_only_waits_between_requests_is_not_hung_up_on(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.05)
    reader, writer = await connect(here)
    for _ in range(3):
        writer.write(framed(request_kind(18, 0)()))
        assert await answered(reader)
        await asyncio.sleep(0.1)
    writer.close()


async def test_a_client_that_takes_nothing_of_its_answer_is_hung_up_on(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.2)
    fill(here, 20)
    with deaf_client(here.ready):
        assert await goes_on(here)
        await until(lambda: here.server.traffic.refused["too slow"] == 1)
        await until(lambda: not here.server.connections)


async def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 1.0)
    fill(here, 20)
    loop, taken, began = asyncio.get_running_loop(), 0, time.monotonic()
    client = deaf_client(here.ready)
    client.setblocking(False)
    while taken < 20 * limits.MIB:
        await asyncio.sleep(0.01)
        got = await loop.sock_recv(client, 256 * 1024)
        assert got, "it was hung up on"
        taken += len(got)
    client.close()
    assert time.monotonic() - began > limits.ANSWER_SECONDS
    assert here.server.traffic.refused["too slow"] == 0


async def test_a_client_that_does_not_read_holds_one_answer(here: Inside) -> None:
    fill(here, 20)
    with deaf_client(here.ready, requests=5):
        await until(lambda: here.server.traffic.times)
        assert await goes_on(here)
        (deaf,) = (connection for connection in here.server.connections if connection.busy)
        held = deaf._writer.transport.get_write_buffer_size()
        assert 0 < held < 21 * limits.MIB
        assert here.server.traffic.received < 2 * len(framed(fetch_request())) + 5_000


async def test_clients_that_do_not_read_hold_no_more_together_than_the_bound_and_a_batch_each(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNSENT_BYTES", 8 * limits.MIB)
    fill(here, 20)
    with contextlib.ExitStack() as stack:
        for number in range(6):
            stack.enter_context(deaf_client(here.ready))
            await until(lambda number=number: fetches(here) == number + 1)
        assert limits.MIB < here.node.traffic.unsent < (8 + 6) * limits.MIB
        assert await goes_on(here)
    await until(lambda: here.node.traffic.unsent == 0)


def fetches(here: Inside) -> int:
    times = here.node.traffic.times.get(1)
    return sum(times.counts) if times else 0


async def test_a_client_that_reads_gets_on_while_others_hold_all_there_is(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNSENT_BYTES", 0)
    fill(here, 3)
    reader, writer = await connect(here)
    writer.write(framed(fetch_request()))
    assert limits.MIB < len(await answered(reader)) < 2 * limits.MIB
    writer.close()
    assert await goes_on(here)


# Room for requests


async def test_a_request_waits_for_room_and_official_clients_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IN_FLIGHT_BYTES", 1_000_000)
    big = framed(produce_request(batch([Item(value=bytes(600_000))])))
    async with inside(tmp_path / "data") as here:
        first, first_writer = await connect(here)
        first_writer.write(big[:-1])
        await until(lambda: here.server.room.taken > 600_000)
        assert await goes_on(here)
        second, second_writer = await connect(here)
        second_writer.write(big)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await second.readexactly(1)
        first_writer.write(big[-1:])
        for reader in (first, second):
            answer = read_answer(produce_request(b""), await answered(reader))
            assert answer.responses[0].partition_responses[0].error_code == ErrorCode.none
        assert here.server.room.taken == 0
        first_writer.close()
        second_writer.close()


async def test_a_long_poll_gives_its_room_up(here: Inside) -> None:
    _, writer = await connect(here)
    writer.write(framed(fetch_request(wait=30)))
    await until(lambda: here.log().waiters)
    assert here.server.room.taken == 0
    writer.close()


# Connections


@pytest.fixture
def many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < limits.CONNECTIONS + 200:
        pytest.skip(f"this machine allows only {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limits.CONNECTIONS + 200), hard))


def memory(process: Process) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{process.ready['pid']}/statm").read_text().split()[1]) * resource.getpagesize()


def processor_seconds(process: Process) -> float:
    times = Path(f"/proc/{process.ready['pid']}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.usefixtures("many_files")
def test_nine_hundred_idle_connections_cost_little_and_harm_nobody(running: Process) -> None:
    make_topic(running)
    before = memory(running)
    with contextlib.ExitStack() as stack:
        for _ in range(900):
            raw = stack.enter_context(Raw(running.ready))
            assert api_versions(raw).error_code == ErrorCode.none
        assert memory(running) - before < 900 * 40 * 1024
        used = processor_seconds(running)
        time.sleep(1)
        assert processor_seconds(running) - used < 0.1
        producer = Producer({"bootstrap.servers": running.bootstrap})
        producer.produce("t", b"good")
        assert producer.flush(10) == 0
        assert read_all(running) == [b"good"]


def is_served(raw: Raw) -> bool:
    raw.send_frame(request_frame(request_kind(18, 0)()))
    return raw.read_frame() != b""


@pytest.mark.usefixtures("many_files")
def test_the_connection_that_is_one_too_many_is_refused_and_official_clients_go_on(running: Process) -> None:
    make_topic(running)
    producer = Producer({"bootstrap.servers": running.bootstrap})
    producer.produce("t", b"before")
    assert producer.flush(10) == 0
    with contextlib.ExitStack() as stack:
        served = 0
        while is_served(stack.enter_context(Raw(running.ready))):
            served += 1
        assert limits.CONNECTIONS - 5 < served < limits.CONNECTIONS  # the producer has some of them
        producer.produce("t", b"while")
        assert producer.flush(10) == 0
    assert read_all(running) == [b"before", b"while"]


# The disk


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_full_disk_refuses_for_good_and_takes_again_when_a_topic_is_deleted(
    tmp_path: Path, idempotent: bool
) -> None:
    with broker(tmp_path / "data", "--max-disk", "1MiB") as process:
        make_topic(process)
        make_topic(process, "other")
        producer = Producer({"bootstrap.servers": process.bootstrap, "enable.idempotence": idempotent})
        failures = [failure_of(producer, topic) for topic in ("t", "other") * 6]
        assert failures[:10] == [None] * 10
        assert [error and error.code() for error in failures[10:]] == [KafkaError.POLICY_VIOLATION] * 2
        assert len(read_all(process)) == len(read_all(process, "other")) == 5
        assert process.ready["pid"] == holder(tmp_path / "data")
        admin = AdminClient({"bootstrap.servers": process.bootstrap})
        admin.delete_topics(["other"])["other"].result(10)
        assert failure_of(producer) is None
        assert len(read_all(process)) == 6
    events = [json.loads(line)["event"] for line in (tmp_path / "data.stderr").read_text().splitlines()]
    assert events == ["disk full", "disk has room"]


def test_a_refusal_for_the_disk_says_what_to_do_and_writes_nothing(tmp_path: Path) -> None:
    with broker(tmp_path / "data", "--max-disk", "4KiB") as process:
        make_topic(process)
        with Raw(process.ready) as raw:
            answer = raw.ask(produce_request(batch([Item(value=bytes(5000))])))
            part = answer.responses[0].partition_responses[0]
            assert (part.error_code, part.base_offset) == (ErrorCode.policy_violation, -1)
            assert "--max-disk" in part.error_message
            assert produce(raw, batch()) == (ErrorCode.none, 0)


async def test_a_repeat_is_answered_also_when_the_disk_is_full(tmp_path: Path) -> None:
    sent = batch(producer=(7, 0, 0))
    async with inside(tmp_path / "data", max_disk=len(sent)) as here:
        answers = []
        for data in (sent, sent, batch(producer=(7, 0, 1))):
            reader, writer = await connect(here)
            writer.write(framed(produce_request(data)))
            answer = read_answer(produce_request(data), await answered(reader))
            part = answer.responses[0].partition_responses[0]
            answers.append((part.error_code, part.base_offset))
            writer.close()
    assert answers == [(ErrorCode.none, 0), (ErrorCode.none, 0), (ErrorCode.policy_violation, -1)]


async def test_retention_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh_platform.broker.disk._COUNT_SECONDS", 0)
    async with inside(tmp_path / "data", max_disk=3 * limits.MIB) as here:
        fill(here, 2)
        before = here.node.disk.used
        topic = here.node.topics["t"]
        here.node.configure_topic(topic, {"retention.ms": "1"})
        await keep(topic, here.log())
        here.node.disk.claim(3 * limits.MIB)
    assert before == 0  # events that came past a claim are seen when the logs are counted
