"""The broker as a process: starting, stopping, being killed, a full disk, bad clients."""

from __future__ import annotations

import datetime
import json
import os
import random
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from mesh import limits
from mesh_platform.broker.versions import ADVERTISED
from tests.unit.broker_kit import Item, Process, Raw, batch, broker, request_frame, request_kind


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with broker(tmp_path / "data") as process:
        yield process


def make_topic(
    process: Process, name: str = "t", partitions: int = 1, config: dict[str, str] | None = None
) -> None:
    admin = AdminClient({"bootstrap.servers": process.bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(10)


def produce_request(data: bytes, *, topic: str = "t", acks: int = -1, partition: int = 0) -> Any:
    kind = request_kind(0, 9)
    topic_kind = kind.__annotations__["topic_data"].__args__[0]
    part_kind = topic_kind.__annotations__["partition_data"].__args__[0]
    part = part_kind(index=partition, records=data)
    return kind(
        transactional_id=None,
        acks=acks,
        timeout=datetime.timedelta(seconds=5),
        topic_data=(topic_kind(name=topic, partition_data=(part,)),),
    )


def produce(raw: Raw, data: bytes, **where: Any) -> tuple[ErrorCode, int]:
    answer = raw.ask(produce_request(data, **where)).responses[0].partition_responses[0]
    return answer.error_code, answer.base_offset


def read_all(process: Process, topic: str = "t", partition: int = 0) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": process.bootstrap, "group.id": "r", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(topic, partition, 0)])
    values: list[bytes] = []
    try:
        while True:
            message = consumer.poll(10)
            assert message is not None
            if message.error():
                return values
            values.append(message.value())
    finally:
        consumer.close()


def api_versions(raw: Raw) -> Any:
    return raw.ask(request_kind(18, 0)())


# Starting and stopping


def test_it_says_where_it_serves_in_one_line(running: Process) -> None:
    assert set(running.ready) == {"host", "port", "pid", "recovered"}


def test_it_is_ready_within_a_second(tmp_path: Path) -> None:
    begin = time.monotonic()
    with broker(tmp_path / "data"):
        assert time.monotonic() - begin < 1


@pytest.mark.parametrize("how", ["terminate", "interrupt", "stdin"])
def test_it_stops_cleanly_when_told(tmp_path: Path, how: str) -> None:
    with broker(tmp_path / "data", "--exit-with-parent") as process:
        make_topic(process)
        if how == "stdin":
            assert process.popen.stdin is not None
            process.popen.stdin.close()
        else:
            process.popen.send_signal(15 if how == "terminate" else 2)
        assert process.popen.wait(10) == 0
    assert list((tmp_path / "data").glob("topics/*/0/checkpoint.json"))


def test_it_stops_while_clients_wait(running: Process) -> None:
    make_topic(running)
    consumer = Consumer(
        {"bootstrap.servers": running.bootstrap, "group.id": "g", "fetch.wait.max.ms": 60_000}
    )
    consumer.subscribe(["t"])
    consumer.poll(1)
    assert running.stop() == 0
    consumer.close()


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mesh_platform.broker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def test_a_second_process_on_the_same_folder_is_refused_in_one_message(
    running: Process, tmp_path: Path
) -> None:
    second = refused("--data", str(tmp_path / "data"))
    assert (second.returncode, "MESH-P102" in second.stderr, "Traceback" in second.stderr) == (1, True, False)
    assert str(running.ready["pid"]) in second.stderr


def test_a_port_in_use_is_refused_in_one_message(running: Process, tmp_path: Path) -> None:
    second = refused("--data", str(tmp_path / "other"), "--port", str(running.ready["port"]))
    assert (second.returncode, "MESH-P103" in second.stderr, "Traceback" in second.stderr) == (1, True, False)


def test_a_folder_that_cannot_be_is_refused_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    second = refused("--data", str(tmp_path / "file"))
    assert (second.returncode, "MESH-P101" in second.stderr, "Traceback" in second.stderr) == (1, True, False)


# Restarts


def test_topics_settings_events_and_commits_outlive_a_kill(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process, partitions=3, config={"retention.ms": "-1"})
        producer = Producer({"bootstrap.servers": process.bootstrap, "enable.idempotence": True})
        producer.produce("t", b"kept", partition=0)
        assert producer.flush(10) == 0
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
        consumer.commit(offsets=[TopicPartition("t", 2, 41)], asynchronous=False)
        consumer.close()
        process.kill()
    with broker(tmp_path / "data") as process:
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
        (position,) = consumer.committed([TopicPartition("t", 2)], timeout=10)
        consumer.close()
        assert (read_all(process), position.offset, process.ready["recovered"]) == ([b"kept"], 41, [])


def test_a_torn_tail_is_reported_in_the_line_that_says_it_serves(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process)
        with Raw(process.ready) as raw:
            produce(raw, batch([Item(value=b"whole")]))
            produce(raw, batch([Item(value=b"torn")]))
        process.kill()
    (path,) = (tmp_path / "data").glob("topics/*/0/*.log")
    os.truncate(path, path.stat().st_size - 3)
    with broker(tmp_path / "data") as process:
        (loss,) = process.ready["recovered"]
        assert (loss["topic"], loss["partition"], loss["offset"]) == ("t", 0, 1)
        assert read_all(process) == [b"whole"]


@pytest.mark.parametrize("fsync", ["os", "always"])
def test_nothing_acknowledged_is_lost_when_it_is_killed_under_load(tmp_path: Path, fsync: str) -> None:
    acknowledged: set[bytes] = set()
    dice = random.Random(7)
    for round_number in range(5):
        with broker(tmp_path / "data", "--fsync", fsync) as process:
            if round_number == 0:
                make_topic(process)
            producer = Producer(
                {"bootstrap.servers": process.bootstrap, "acks": "all", "linger.ms": 1, "log_level": 0}
            )
            deadline, number = time.monotonic() + dice.uniform(0.2, 0.5), 0

            def keep(error: object, message: Any) -> None:
                if error is None:
                    acknowledged.add(message.value())

            while time.monotonic() < deadline:
                producer.produce("t", b"%d-%d" % (round_number, number), on_delivery=keep)
                producer.poll(0)
                number += 1
                time.sleep(0 if number % 50 else 0.001)
            process.kill()
            producer.poll(0.2)
            producer.purge()
            producer.flush(1)
    with broker(tmp_path / "data") as process:
        kept = read_all(process)
    assert len(acknowledged) > 500
    assert acknowledged <= set(kept)


def test_an_idempotent_producer_goes_on_over_a_kill_without_repeats(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process)
        port = process.ready["port"]
        producer = Producer(
            {"bootstrap.servers": process.bootstrap, "enable.idempotence": True, "log_level": 0}
        )
        for number in range(2000):
            producer.produce("t", b"%d" % number)
        producer.poll(0.02)
        process.kill()
    with broker(tmp_path / "data", "--port", str(port)) as process:
        assert producer.flush(20) == 0
        assert read_all(process) == [b"%d" % number for number in range(2000)]


def test_a_producer_id_is_never_given_twice(tmp_path: Path) -> None:
    given = []
    for _ in range(2):
        with broker(tmp_path / "data") as process, Raw(process.ready) as raw:
            given += [_new_producer_id(raw) for _ in range(2)]
            process.kill()
    assert len(set(given)) == 4


def _new_producer_id(raw: Raw) -> int:
    request = request_kind(22, 0)(transactional_id=None, transaction_timeout=datetime.timedelta(0))
    return int(raw.ask(request).producer_id)


def test_a_group_goes_on_over_a_restart(tmp_path: Path) -> None:
    lost: list[object] = []
    with broker(tmp_path / "data") as process:
        make_topic(process)
        port = process.ready["port"]
        settings = {"bootstrap.servers": process.bootstrap, "group.id": "g", "heartbeat.interval.ms": 200}
        consumer = Consumer(settings | {"auto.offset.reset": "earliest", "log_level": 0})
        consumer.subscribe(["t"], on_lost=lambda *_: lost.append(1), on_revoke=lambda *_: lost.append(2))
        while not consumer.assignment():
            consumer.poll(0.1)
        process.kill()
    with broker(tmp_path / "data", "--port", str(port)) as process:
        producer = Producer({"bootstrap.servers": process.bootstrap})
        producer.produce("t", b"after")
        producer.flush(10)
        message = None
        deadline = time.monotonic() + 15
        while message is None and time.monotonic() < deadline:
            message = consumer.poll(0.2)
        assert (message and message.value(), lost) == (b"after", [])
        consumer.close()


def test_a_topic_deleted_and_made_again_is_empty(running: Process) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        produce(raw, batch())
        admin = AdminClient({"bootstrap.servers": running.bootstrap})
        admin.delete_topics(["t"])["t"].result(10)
        make_topic(running)
        assert produce(raw, batch()) == (ErrorCode.none, 0)


# A full disk


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_and_takes_again_when_there_is_space(tmp_path: Path) -> None:
    with broker(tmp_path / "data", before=_small_files) as process:
        make_topic(process)
        big = batch([Item(value=b"x" * 100_000)])
        with Raw(process.ready) as raw:
            codes = [produce(raw, big)[0] for _ in range(8)]
            assert codes[-1] == ErrorCode.kafka_storage_error
            resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (10**9, resource.RLIM_INFINITY))
            acknowledged = codes.count(ErrorCode.none)
            assert produce(raw, big) == (ErrorCode.none, acknowledged)
        process.kill()
    with broker(tmp_path / "data") as process:
        assert len(read_all(process)) == acknowledged + 1


# What a produce request may hold


def test_a_wrong_crc_is_refused_and_nothing_is_written(running: Process) -> None:
    make_topic(running)
    damaged = bytearray(batch())
    damaged[-1] ^= 1
    with Raw(running.ready) as raw:
        assert produce(raw, bytes(damaged))[0] == ErrorCode.corrupt_message
        assert produce(raw, batch()) == (ErrorCode.none, 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (batch()[:-1], ErrorCode.invalid_record),
        (b"", ErrorCode.invalid_record),
        (b"x" * 20, ErrorCode.invalid_record),
        (batch() + batch(), ErrorCode.invalid_record),
        (batch()[:16] + b"\1" + batch()[17:], ErrorCode.invalid_record),
        (batch(attributes=0x20), ErrorCode.invalid_record),
        (batch(attributes=0x10, producer=(1, 0, 0)), ErrorCode.transactional_id_authorization_failed),
        (batch([Item(value=b"x" * 1_100_000)]), ErrorCode.message_too_large),
        (batch([Item(timestamp=10**14)]), ErrorCode.invalid_timestamp),
    ],
    ids=[
        "torn",
        "empty",
        "rubbish",
        "two",
        "old format",
        "control",
        "transactional",
        "too large",
        "from the future",
    ],
)
def test_what_is_no_batch_for_a_client_is_refused(running: Process, data: bytes, code: ErrorCode) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        assert produce(raw, data)[0] == code


def test_a_batch_sent_twice_is_answered_with_its_first_offset(running: Process) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        produce(raw, batch())
        once = batch(producer=(5, 0, 0))
        assert [produce(raw, once) for _ in range(2)] == [(ErrorCode.none, 1), (ErrorCode.none, 1)]


def test_a_gap_in_the_sequence_is_out_of_order(running: Process) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        produce(raw, batch(producer=(5, 0, 0)))
        assert produce(raw, batch(producer=(5, 0, 2)))[0] == ErrorCode.out_of_order_sequence_number


def test_a_failed_write_that_wants_no_answer_closes_the_connection(running: Process) -> None:
    with Raw(running.ready) as raw:
        raw.send_frame(request_frame(produce_request(batch(), topic="missing", acks=0)))
        assert raw.read_frame() == b""


def test_a_write_that_wants_no_answer_gets_none(running: Process) -> None:
    make_topic(running)
    with Raw(running.ready) as raw:
        raw.send_frame(request_frame(produce_request(batch(), acks=0)))
        assert api_versions(raw).error_code == ErrorCode.none
    assert read_all(running) == [b"v"]


# Versions and bad clients


def test_every_advertised_version_is_what_the_table_says(running: Process) -> None:
    with Raw(running.ready) as raw:
        answer = api_versions(raw)
    told = {entry.api_key: (entry.min_version, entry.max_version) for entry in answer.api_keys}
    assert told == ADVERTISED | {0: (0, 13)}  # Produce is told from 0 on, as Kafka does


def test_an_api_versions_request_from_the_future_is_answered_in_version_0(running: Process) -> None:
    with Raw(running.ready) as raw:
        raw.send_frame(struct.pack(">hhih", 18, 99, 3, -1))
        frame = raw.read_frame()
    assert struct.unpack_from(">ih", frame) == (3, ErrorCode.unsupported_version)


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">i", -1),
        struct.pack(">i", limits.REQUEST_BYTES + 1),
        struct.pack(">i", 3) + b"abc",
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 24, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhihi", 14, 3, 1, 1, -1, 2**31 - 1),
        struct.pack(">ihhihi", 14, 3, 1, 1, -1, -9),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=[
        "negative",
        "too large",
        "short",
        "unknown",
        "transactional",
        "version",
        "huge array",
        "bad array",
        "http",
    ],
)
def test_a_bad_frame_closes_its_connection_and_no_other(running: Process, sent: bytes) -> None:
    with Raw(running.ready) as good, Raw(running.ready) as bad:
        bad.socket.sendall(sent)
        assert bad.read_frame() == b""
        assert api_versions(good).error_code == ErrorCode.none


def test_a_frame_of_the_largest_size_is_not_refused_for_its_size(running: Process) -> None:
    with Raw(running.ready) as raw:
        raw.socket.sendall(struct.pack(">i", limits.REQUEST_BYTES) + b"\0" * 100)
        raw.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            raw.socket.recv(1)


def test_ten_thousand_spoiled_frames_do_not_end_the_broker(running: Process) -> None:
    make_topic(running)
    dice = random.Random(11)
    seeds = [request_frame(produce_request(batch())), request_frame(request_kind(18, 0)())]
    for key in (3, 8, 9, 10, 16, 19, 20, 32):
        seeds.append(struct.pack(">hhih", key, ADVERTISED[key][0], 1, -1) + bytes(40))
    address = (running.ready["host"], running.ready["port"])
    for _ in range(500):
        with socket.create_connection(address, timeout=5) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for _ in range(20):
                frame = bytearray(dice.choice(seeds))
                for _ in range(dice.randint(1, 6)):
                    frame[dice.randrange(8, len(frame))] = dice.randrange(256)
                try:
                    client.sendall(struct.pack(">i", len(frame)) + frame)
                except OSError:
                    break
    with Raw(running.ready) as raw:
        assert api_versions(raw).error_code == ErrorCode.none


def test_connections_beyond_the_limit_are_closed_and_the_others_served(running: Process) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < limits.CONNECTIONS + 200:
        pytest.skip(f"this machine allows only {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limits.CONNECTIONS + 200), hard))
    held = [Raw(running.ready) for _ in range(limits.CONNECTIONS)]
    try:
        assert api_versions(held[-1]).error_code == ErrorCode.none
        with Raw(running.ready) as one_too_many:
            assert one_too_many.read_frame() == b""
    finally:
        for raw in held:
            raw.socket.close()


def test_a_topic_is_created_on_demand_only_when_allowed(tmp_path: Path) -> None:
    with broker(tmp_path / "data", "--auto-create-topics") as process:
        producer = Producer({"bootstrap.servers": process.bootstrap})
        producer.produce("on-demand", b"v")
        assert producer.flush(10) == 0
        assert read_all(process, "on-demand") == [b"v"]


def test_what_it_writes_on_stderr_is_one_json_object_per_line(running: Process, tmp_path: Path) -> None:
    with Raw(running.ready) as raw:
        raw.socket.sendall(struct.pack(">i", -1))
        raw.read_frame()
    lines = (tmp_path / "data.stderr").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["bad frame"]
