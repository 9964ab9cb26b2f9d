"""The broker in operation: syncing every so often, stopping, the run file, metrics, old and new folders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import struct
import tarfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.flushing import flush
from mesh_platform.broker.presence import RUN_FILE, holder, present
from tests.integration import golden_broker
from tests.integration.broker_inside import (
    Inside,
    answered,
    connect,
    deaf_client,
    failure_of,
    fill,
    framed,
    inside,
    until,
)
from tests.integration.test_broker_process import (
    make_topic,
    produce_request,
    read_all,
    refused,
)
from tests.unit.broker_kit import Process, Raw, batch, broker, read_answer


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with broker(tmp_path / "data") as process:
        yield process


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Inside]:
    async with inside(tmp_path / "data") as here:
        yield here


# Syncing


async def test_a_repeat_of_a_write_whose_sync_failed_is_not_acknowledged(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    here.node.durability = "always"
    request = produce_request(batch(producer=(7, 0, 0)))
    reader, writer = await connect(here)
    codes = []
    for syncs_fail in (True, False):
        with monkeypatch.context() as broken:
            if syncs_fail:
                broken.setattr(os, "fsync", fail)
            writer.write(framed(request))
            answer = read_answer(request, await answered(reader))
            codes.append(answer.responses[0].partition_responses[0].error_code)
    writer.close()
    assert codes == [ErrorCode.kafka_storage_error] * 2


async def test_what_was_written_is_synced_once_and_not_again(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    fill(here, 1)
    await flush(here.node)
    await flush(here.node)
    assert [Path(path).name for path in synced if path.endswith(".log")] == [f"{0:020d}.log"]
    fill(here, 1)
    await flush(here.node)
    assert sum(path.endswith(".log") for path in synced) == 2


async def test_a_segment_that_was_closed_since_is_synced_too(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fill(here, 1)
    here.log().roll()
    fill(here, 1)
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    await flush(here.node)
    assert sum(path.endswith(".log") for path in synced) == 2


async def test_topics_and_commits_are_synced_with_the_events(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    await flush(here.node)
    assert [Path(path).name for path in synced] == ["broker.sqlite-wal"]


async def test_a_log_whose_sync_failed_takes_no_more_writes_and_others_do(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    fill(here, 1)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        await flush(here.node)
    here.node.create_topic("u", 1, {})
    codes = {}
    for topic in ("t", "u"):
        reader, writer = await connect(here)
        writer.write(framed(produce_request(batch(), topic=topic)))
        answer = read_answer(produce_request(b""), await answered(reader))
        codes[topic] = answer.responses[0].partition_responses[0].error_code
        writer.close()
    assert codes == {"t": ErrorCode.kafka_storage_error, "u": ErrorCode.none}


def test_with_interval_nothing_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    arguments = ("--fsync", "interval", "--fsync-ms", "20")
    with broker(tmp_path / "data", *arguments) as process:
        make_topic(process)
        producer = Producer({"bootstrap.servers": process.bootstrap, "linger.ms": 0})
        for number in range(500):
            producer.produce("t", b"%d" % number)
            producer.poll(0)
        assert producer.flush(10) == 0
        process.kill()
    with broker(tmp_path / "data", *arguments) as process:
        assert read_all(process) == [b"%d" % number for number in range(500)]


# Stopping


async def test_a_request_that_is_being_answered_may_end_before_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inside(tmp_path / "data") as here:
        here.node.durability = "always"
        monkeypatch.setattr(here.log(), "sync", lambda: time.sleep(0.3))
        reader, writer = await connect(here)
        writer.write(framed(produce_request(batch())))
        await until(lambda: any(connection.busy for connection in here.server.connections))
        await here.server.close()
        answer = read_answer(produce_request(b""), await answered(reader))
        assert answer.responses[0].partition_responses[0].error_code == ErrorCode.none
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_does_not_read_delays_the_stop_by_its_bound_only(
    here: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STOP_SECONDS", 0.2)
    fill(here, 20)
    with deaf_client(here.ready):
        await until(lambda: any(connection.busy for connection in here.server.connections))
        began = time.monotonic()
        await here.server.close()
        assert 0.2 <= time.monotonic() - began < 2
        assert not here.server.connections


def test_a_second_signal_ends_it_at_once_and_nothing_is_lost(running: Process, tmp_path: Path) -> None:
    make_topic(running)
    producer = Producer({"bootstrap.servers": running.bootstrap})
    for _ in range(20):
        assert failure_of(producer, size=900_000) is None
    with deaf_client(running.ready):
        wait_for(lambda: running_facts(tmp_path).connections >= 2)
        began = time.monotonic()
        running.popen.terminate()
        wait_for(lambda: "stopping" in (tmp_path / "data.stderr").read_text())
        running.popen.terminate()
        assert running.popen.wait(10) == 128 + signal.SIGTERM
        assert time.monotonic() - began < limits.STOP_SECONDS
    with broker(tmp_path / "data") as again:
        assert (len(read_all(again)), again.ready["recovered"]) == (20, [])


def wait_for(is_so: Any) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The run file


def running_facts(tmp_path: Path) -> Any:
    wait_for(lambda: present(tmp_path / "data") is not None)
    return present(tmp_path / "data")


def test_the_run_file_says_where_it_serves_and_what_it_holds(running: Process, tmp_path: Path) -> None:
    make_topic(running, partitions=3)
    producer = Producer({"bootstrap.servers": running.bootstrap})
    assert failure_of(producer) is None
    wait_for(lambda: running_facts(tmp_path).bytes > 100_000)
    facts = running_facts(tmp_path)
    assert (facts.host, facts.port, facts.pid) == ("127.0.0.1", running.ready["port"], running.ready["pid"])
    assert (facts.topics, facts.partitions, facts.groups) == (1, 3, 0)
    assert facts.connections > 0


def test_a_killed_broker_is_no_running_broker(running: Process, tmp_path: Path) -> None:
    assert running_facts(tmp_path)
    running.kill()
    assert (tmp_path / "data" / RUN_FILE).exists()
    assert (present(tmp_path / "data"), holder(tmp_path / "data")) == (None, None)


def test_a_file_that_names_a_living_stranger_is_no_running_broker(running: Process, tmp_path: Path) -> None:
    facts = running_facts(tmp_path)
    running.kill()
    stranger = json.dumps({name: getattr(facts, name) for name in facts.__slots__} | {"pid": os.getpid()})
    (tmp_path / "data" / RUN_FILE).write_text(stranger)
    (tmp_path / "data" / "lock").write_text(f"{os.getpid()}\n")
    assert present(tmp_path / "data") is None


def test_a_broker_that_stopped_leaves_no_run_file(running: Process, tmp_path: Path) -> None:
    assert running_facts(tmp_path)
    assert running.stop() == 0
    assert not (tmp_path / "data" / RUN_FILE).exists()


# Metrics


def scraped(process: Process) -> dict[str, dict[tuple[str, ...], float]]:
    """Samples by name, each by its labels' values."""
    from prometheus_client.parser import text_string_to_metric_families

    with urllib.request.urlopen(
        f"http://127.0.0.1:{process.ready['metrics_port']}/metrics", timeout=10
    ) as page:
        text = page.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_metrics_say_what_official_clients_did(tmp_path: Path) -> None:
    with broker(tmp_path / "data", "--metrics-port", "0", "--max-disk", "10MiB") as process:
        make_topic(process, partitions=2)
        producer = Producer({"bootstrap.servers": process.bootstrap})
        assert failure_of(producer) is None
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
        consumer.subscribe(["t"])
        consumer.poll(0.1)
        with Raw(process.ready) as raw:
            raw.socket.sendall(struct.pack(">i", -1))
            raw.read_frame()
        writer = Producer({"bootstrap.servers": process.bootstrap, "transactional.id": "x"})
        writer.init_transactions(10)
        wait_for(lambda: scraped(process).get("mesh_broker_groups"))
        metrics = scraped(process)
        consumer.close()
    one = {name.removeprefix("mesh_broker_"): values.get((), -1) for name, values in metrics.items()}
    assert (one["topics"], one["partitions"], one["produced_batches_total"]) == (1, 2, 1)
    assert (
        one["produced_bytes_total"] == one["log_bytes"] == metrics["mesh_broker_topic_log_bytes"]["t",] > 1e5
    )
    assert (one["log_limit_bytes"], one["recovery_dropped_bytes"]) == (10 << 20, 0)
    assert 0 < one["connections"] <= one["connections_accepted_total"]
    assert one["received_bytes_total"] > 100_000 > one["sent_bytes_total"] > 0
    assert metrics["mesh_broker_request_seconds_count"]["Produce",] == 1
    assert metrics["mesh_broker_refused_total"]["bad frame",] == 1
    assert metrics["mesh_broker_journal_events_total"]["bad frame",] == 1
    assert metrics["mesh_broker_transactional_ids"]["Empty",] == 1
    assert metrics["process_open_fds"][()] > 0


def test_every_metric_of_the_table_is_served_and_no_other(tmp_path: Path) -> None:
    from mesh_platform.broker.families import FAMILIES, PREFIX

    with broker(tmp_path / "data", "--metrics-port", "0", "--max-disk", "1GiB") as process:
        url = f"http://127.0.0.1:{process.ready['metrics_port']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            text = page.read().decode()
    told = {line.split()[2] for line in text.splitlines() if line.startswith(f"# TYPE {PREFIX}")}
    assert {name.removeprefix(PREFIX).removesuffix("_total") for name in told} == set(FAMILIES)


def test_many_topics_make_few_series(tmp_path: Path) -> None:
    with broker(tmp_path / "data", "--metrics-port", "0") as process:
        admin = AdminClient({"bootstrap.servers": process.bootstrap})
        made = admin.create_topics([NewTopic(f"t{number}", 1, 1) for number in range(120)])
        for future in made.values():
            future.result(10)
        metrics = scraped(process)
    assert len(metrics["mesh_broker_topic_log_bytes"]) == 50
    assert sum(len(values) for values in metrics.values()) < 300


# The data folder


def test_a_folder_of_a_newer_broker_is_refused_and_left_alone(running: Process, tmp_path: Path) -> None:
    running.stop()
    store = tmp_path / "data" / "broker.sqlite"
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as db:
        db.execute("update meta set value = '999' where key = 'format'")
    newer = refused("--data", str(tmp_path / "data"))
    assert (newer.returncode, "MESH-P105" in newer.stderr, "Traceback" in newer.stderr) == (1, True, False)
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert db.execute("select value from meta where key = 'format'").fetchone() == ("999",)


def test_a_store_that_is_none_is_refused_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "broker.sqlite").write_bytes(b"this is no database" * 100)
    ended = refused("--data", str(tmp_path / "data"))
    assert (ended.returncode, "MESH-P106" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)


@pytest.mark.parametrize("packed", sorted(golden_broker.GOLDEN.glob("*.tar.gz")), ids=lambda path: path.name)
def test_a_folder_of_an_older_broker_opens_with_everything_in_it(tmp_path: Path, packed: Path) -> None:
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "data", filter="data")
    with broker(tmp_path / "data") as process:
        for (topic, partition), values in golden_broker.EVENTS.items():
            assert tuple(read_all(process, topic, partition)) == values
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "readers"})
        (position,) = consumer.committed([TopicPartition("orders", 1)], timeout=10)
        consumer.close()
        assert (position.offset, process.ready["recovered"]) == (golden_broker.COMMITTED, [])
        producer = Producer({"bootstrap.servers": process.bootstrap, "enable.idempotence": True})
        assert failure_of(producer, "orders") is None


# Beyond this machine


def test_it_does_not_serve_beyond_this_machine_unasked(tmp_path: Path) -> None:
    ended = refused("--data", str(tmp_path / "data"), "--host", "0.0.0.0")
    assert (ended.returncode, "MESH-P104" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)
    assert not (tmp_path / "data").exists()


def test_it_says_loudly_that_it_is_open_to_everyone(tmp_path: Path) -> None:
    with broker(tmp_path / "data", "--host", "0.0.0.0", "--allow-remote"):
        (line,) = (tmp_path / "data.stderr").read_text().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["level"]) == ("open to everyone", "warning")
