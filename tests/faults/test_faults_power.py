"""Power cuts and disks that fail, simulated: what was not forced to the disk is taken away after the kill.

A small library in front of libc (power.c) keeps a copy of each file as it was last synced.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from mesh_platform.broker.batch import read_one_batch
from mesh_platform.broker.log import Log, LogFailed
from tests.conftest import require
from tests.integration.test_broker_process import make_topic, produce, read_all
from tests.unit.broker_kit import Item, Process, Raw, batch, broker

pytestmark = pytest.mark.xdist_group("faults")


@dataclass(frozen=True, slots=True)
class Disk:
    """A data folder, and a folder with what of it has reached the disk."""

    shim: Path
    data: Path
    kept: Path

    @contextmanager
    def broker(self, *arguments: str) -> Iterator[Process]:
        settings = {"LD_PRELOAD": str(self.shim), "POWER_KEEP": str(self.kept)}
        with broker(self.data, *arguments, before=lambda: os.environ.update(settings)) as process:
            yield process

    def cut_power(self) -> None:
        """Leave of every file what had reached the disk."""
        for path in [path for path in self.data.rglob("*") if path.is_file()]:
            kept = self.kept / str(path.resolve()).replace("/", "%")
            path.write_bytes(kept.read_bytes() if kept.exists() else b"")

    def fail_next_sync(self) -> None:
        (self.kept / "fail").write_bytes(b"")


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, compiled."""
    library = tmp_path_factory.mktemp("power") / "power.so"
    source = Path(__file__).with_name("power.c")
    compiler = require("cc", "gcc", "clang")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture
def disk(shim: Path, tmp_path: Path) -> Disk:
    (tmp_path / "kept").mkdir()
    return Disk(shim, tmp_path / "data", tmp_path / "kept")


def publish(process: Process, *, events: int, size: int) -> set[bytes]:
    """What three producers at once were told is kept, when the broker is killed in the middle."""
    acknowledged: set[bytes] = set()
    enough = threading.Event()
    name = os.urandom(4).hex().encode()
    producers = []
    for number in range(3):
        settings = {"bootstrap.servers": process.bootstrap, "linger.ms": 0, "acks": "all", "log_level": 0}
        producers.append(Producer(settings | {"batch.size": size * 2}))
        for event in range(events):
            value = b"%s-%d-%d-" % (name, number, event)

            def told(error: object, _: object, value: bytes = value) -> None:
                if error is None:
                    acknowledged.add(value)
                if len(acknowledged) > events:
                    enough.set()

            producers[-1].produce("t", value + b"." * size, on_delivery=told)
    while not enough.is_set():
        for producer in producers:
            producer.poll(0.01)
    process.kill()
    for producer in producers:
        producer.purge()
        producer.flush(2)
    return acknowledged


def kept_of(process: Process) -> set[bytes]:
    return {value.rstrip(b".") for value in read_all(process)}


def test_what_was_acknowledged_with_fsync_always_survives_power_cuts(disk: Disk) -> None:
    acknowledged: set[bytes] = set()
    for life in range(4):
        with disk.broker("--fsync", "always") as process:
            if life == 0:
                make_topic(process, config={"segment.bytes": "1048576"})
            consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
            consumer.commit(offsets=[TopicPartition("t", 0, 7 + life)], asynchronous=False)
            consumer.close()
            make_topic(process, f"late-{life}")
            acknowledged |= publish(process, events=40, size=30_000)
        disk.cut_power()
    with disk.broker() as process:
        assert acknowledged <= kept_of(process)
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
        assert consumer.committed([TopicPartition("t", 0)], timeout=10)[0].offset == 10
        topics = set(consumer.list_topics(timeout=10).topics)
        consumer.close()
    assert topics >= {"t", "late-0", "late-1", "late-2", "late-3"}


def test_a_power_cut_is_seen_to_take_what_was_not_forced(disk: Disk) -> None:
    with disk.broker("--fsync", "always") as process:
        make_topic(process)
        process.kill()
    with disk.broker() as process:
        acknowledged = publish(process, events=40, size=1000)
    disk.cut_power()
    with disk.broker() as process:
        assert acknowledged - kept_of(process)


def test_a_transaction_committed_with_fsync_always_survives_a_power_cut(disk: Disk) -> None:
    with disk.broker("--fsync", "always") as process:
        admin = AdminClient({"bootstrap.servers": process.bootstrap})
        admin.create_topics([NewTopic("t", 1, 1), NewTopic("u", 1, 1)])["u"].result(10)
        producer = Producer({"bootstrap.servers": process.bootstrap, "transactional.id": "x"})
        producer.init_transactions(10)
        for value in (b"1", b"2"):
            producer.begin_transaction()
            producer.produce("t", value)
            producer.produce("u", value)
            producer.commit_transaction(10)
        process.kill()
    disk.cut_power()
    with disk.broker() as process:
        assert (read_all(process), read_all(process, "u")) == ([b"1", b"2"], [b"1", b"2"])


def test_a_failed_sync_is_no_acknowledgement_and_neither_is_the_one_after_it(disk: Disk) -> None:
    with disk.broker("--fsync", "always") as process:
        make_topic(process)
        with Raw(process.ready) as raw:
            first, second = batch([Item(value=b"kept")], producer=(5, 0, 0)), batch(producer=(5, 0, 1))
            assert produce(raw, first) == (ErrorCode.none, 0)
            disk.fail_next_sync()
            refused = [produce(raw, second)[0] for _ in range(3)]
        process.kill()
    assert refused == [ErrorCode.kafka_storage_error] * 3
    disk.cut_power()
    with disk.broker() as process:
        assert read_all(process) == [b"kept"]


# In one process


def append(log: Log, value: bytes) -> None:
    data = batch([Item(value=value)])
    log.append(data, read_one_batch(data), 0, append_time=False, segment_bytes=10**6)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were synced, and of folders that got new ones."""
    names: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: names.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name))
    return names


def test_a_sync_covers_what_lies_in_segments_that_were_closed_meanwhile(
    tmp_path: Path, synced: list[str]
) -> None:
    log, _ = Log.open(tmp_path)
    append(log, b"1")
    log.roll()
    append(log, b"2")
    log.sync()
    assert synced == ["00000000000000000000.log", "00000000000000000001.log", tmp_path.name]


def test_what_is_synced_is_not_synced_again(tmp_path: Path, synced: list[str]) -> None:
    log, _ = Log.open(tmp_path)
    append(log, b"1")
    log.sync()
    log.sync()
    assert synced == ["00000000000000000000.log", tmp_path.name]


def test_a_log_that_could_not_be_synced_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = Log.open(tmp_path)
    append(log, b"1")

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input"):
            log.sync()
    with pytest.raises(LogFailed):
        log.sync()
