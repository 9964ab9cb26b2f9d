"""A full disk: records, store and checkpoints are refused or left out; nothing acknowledged goes."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from kio.schema.errors import ErrorCode

from tests.integration.test_broker_process import make_topic, produce, read_all
from tests.unit.broker_kit import Item, Process, Raw, batch, broker

BIG = batch([Item(value=b"x" * 9000)])
FULL = 8192  # bytes of any one file


@contextmanager
def full_disk(process: Process) -> Iterator[None]:
    """While the context lasts, no file of the broker grows beyond a size that each has passed."""
    infinity = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (FULL, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, infinity)


def commit(process: Process, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g", "log_level": 0})
    try:
        consumer.commit(offsets=[TopicPartition("t", 0, offset)], asynchronous=False)
    finally:
        consumer.close()


def committed(process: Process) -> int:
    consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "g"})
    try:
        return int(consumer.committed([TopicPartition("t", 0)], timeout=10)[0].offset)
    finally:
        consumer.close()


def test_what_the_store_cannot_write_is_refused_and_taken_when_there_is_space(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process)
        commit(process, 1)
        with full_disk(process):
            with pytest.raises(KafkaException):
                make_topic(process, "u")
            assert committed(process) == 1
        make_topic(process, "u")
        commit(process, 3)
        process.kill()
    with broker(tmp_path / "data") as process:
        assert committed(process) == 3
        assert read_all(process, "u") == []


def test_a_checkpoint_that_cannot_be_written_costs_no_event(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process)
        with Raw(process.ready) as raw:
            assert [produce(raw, BIG)[0] for _ in range(3)] == [ErrorCode.none] * 3
        resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
        assert process.stop() == 0
    assert not list((tmp_path / "data").rglob("checkpoint.json"))
    with broker(tmp_path / "data") as process:
        assert len(read_all(process)) == 3


def test_an_event_refused_for_a_full_disk_leaves_no_trace(tmp_path: Path) -> None:
    with broker(tmp_path / "data") as process:
        make_topic(process)
        with Raw(process.ready) as raw:
            with full_disk(process):
                assert produce(raw, BIG)[0] == ErrorCode.kafka_storage_error
            assert produce(raw, batch()) == (ErrorCode.none, 0)
        process.kill()
    with broker(tmp_path / "data") as process:
        assert (read_all(process), process.ready["recovered"]) == ([b"v"], [])
