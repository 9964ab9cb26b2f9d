"""The control log's topic: made right, refused when it would lose records, watched while it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from mesh.errors import MeshError, UnreachableError
from mesh_platform.brokers import RunningBroker
from mesh_platform.log import LogUnavailable, Record
from mesh_platform.log.kafka import KafkaLog
from mesh_platform.log.kafka_shape import prepare
from mesh_platform.log.kafka_topic import ControlTopic
from mesh_platform.log.wire import UNREADABLE
from tests.conformance.control_logs import WHEN, Follower, KafkaLogs, append, kafka_logs

KEEPING = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@pytest.fixture
def logs(broker: RunningBroker, tmp_path: Path) -> Iterator[KafkaLogs]:
    yield from kafka_logs(broker, tmp_path)


@pytest.fixture
def admin(broker: RunningBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap})


def create(admin: AdminClient, topic: str, partitions: int = 1, **config: str) -> None:
    named = {name.replace("_", "."): value for name, value in config.items()}
    admin.create_topics([NewTopic(topic, partitions, 1, config={**KEEPING, **named})])[topic].result(20)


def refused(logs: KafkaLogs) -> MeshError:
    with pytest.raises(MeshError) as caught:
        logs.open()
    assert caught.value.fix
    return caught.value


def test_the_topic_is_made_so_that_nothing_is_ever_deleted(logs: KafkaLogs, admin: AdminClient) -> None:
    logs.open()
    asked = ConfigResource(ConfigResource.Type.TOPIC, logs.topic)
    config = admin.describe_configs([asked])[asked].result(10)
    assert {name: config[name].value for name in KEEPING} == KEEPING
    assert len(admin.list_topics(logs.topic, timeout=10).topics[logs.topic].partitions) == 1


def test_platforms_that_start_at_once_make_one_topic(logs: KafkaLogs) -> None:
    opened: list[KafkaLog] = []
    threads = [threading.Thread(target=lambda: opened.append(logs.open())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    records = [append(log, n)[0] for n, log in enumerate(opened)]
    assert [record.offset for record in records] == [0, 1, 2, 3]


def test_a_topic_made_by_hand_and_right_is_taken(logs: KafkaLogs, admin: AdminClient) -> None:
    create(admin, logs.topic)
    assert append(logs.open(), 1)[0].offset == 0


@pytest.mark.parametrize(
    "config",
    [
        {"cleanup_policy": "compact"},
        {"cleanup_policy": "compact,delete"},
        {"retention_ms": "604800000"},
        {"retention_bytes": "1000000"},
    ],
    ids=["compacted", "compacted and deleted", "kept for a time", "kept up to a size"],
)
def test_a_topic_that_deletes_is_refused(logs: KafkaLogs, admin: AdminClient, config: dict[str, str]) -> None:
    create(admin, logs.topic, **config)
    error = refused(logs)
    [name] = config
    assert error.error_code == "MESH-S020"
    assert name.replace("_", ".") in error.why
    assert f"--add-config {name.replace('_', '.')}={KEEPING[name.replace('_', '.')]}" in error.fix


def test_a_topic_of_three_partitions_is_refused(logs: KafkaLogs, admin: AdminClient) -> None:
    create(admin, logs.topic, partitions=3)
    error = refused(logs)
    assert (error.error_code, "3 partitions" in error.why) == ("MESH-S020", True)


def test_a_topic_that_lost_its_beginning_is_refused(logs: KafkaLogs, admin: AdminClient) -> None:
    append(logs.open(), 1, 2, 3)
    for deleted in admin.delete_records([TopicPartition(logs.topic, 0, 2)]).values():
        deleted.result(10)
    error = refused(logs)
    assert (error.error_code, "first 2 records are gone" in error.why) == ("MESH-S020", True)


def test_a_topic_made_anew_since_the_last_start_is_refused(logs: KafkaLogs, admin: AdminClient) -> None:
    first, follower = logs.open(), Follower()
    append(first, 1, 2)
    first.follow(0, follower.deliver, follower.lose)
    follower.wait_for(lambda: len(follower.records) == 2)
    memory = next(logs.folder.rglob("control-topic.json"))
    first.close()
    admin.delete_topics([logs.topic])[logs.topic].result(10)
    with pytest.raises(MeshError) as caught:
        KafkaLog(logs.bootstrap, logs.topic, memory.parent)
    assert (caught.value.error_code, str(memory) in caught.value.fix) == ("MESH-S026", True)


def test_a_topic_that_is_deleted_while_it_is_followed_is_noticed(
    logs: KafkaLogs, admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_platform.log.kafka_reader.LOOK_EVERY_SECONDS", 0.2)
    log, follower = logs.open(), Follower()
    append(log, 1)
    log.follow(0, follower.deliver, follower.lose)
    follower.wait_for(lambda: len(follower.records) == 1)
    admin.delete_topics([logs.topic])[logs.topic].result(10)
    follower.wait_for(lambda: bool(follower.lost))
    assert follower.lost[0].error_code == "MESH-S024"


class Spent:
    """A producer that lost its place: it takes nothing more, as librdkafka has it after a fatal error."""

    def produce(self, *_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL, "out of order", fatal=True))


def test_a_producer_that_lost_its_place_is_followed_by_another(logs: KafkaLogs) -> None:
    log = logs.open()
    log._producer = Spent()
    with pytest.raises(LogUnavailable):
        append(log, 1)
    assert [record.offset for record in append(log, 2, 3)] == [0, 1]


STRANGE = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"null",
    b'{"format": 2, "everything": "else"}',
    b'{"format": 1, "time": "t", "actor": "a", "kind": "k", "command": "", "body": {}}',
    b'{"format": 1, "time": "2026-11-02", "actor": "a", "kind": "k", "command": "", "body": []}',
    b'{"format": 1, "time": "2026-11-02", "actor": 1, "kind": "k", "command": "", "body": {}}',
    b"[" * 100_000,
]


def test_what_no_release_of_ours_wrote_takes_its_offset_and_changes_nothing(logs: KafkaLogs) -> None:
    log = logs.open()
    producer = Producer({"bootstrap.servers": logs.bootstrap})
    for value in [*STRANGE, None]:
        producer.produce(logs.topic, value)
    assert producer.flush(10) == 0
    [after] = append(log, 1)
    *strange, last = log.read()
    assert [(record.kind, record.offset) for record in strange] == [(UNREADABLE, n) for n in range(10)]
    assert last == after


def test_a_member_that_a_later_release_adds_is_passed_over(logs: KafkaLogs) -> None:
    log = logs.open()
    value = f'{{"format":1,"time":"{WHEN}","actor":"a","kind":"k","command":"c","body":{{}},"new":1}}'
    producer = Producer({"bootstrap.servers": logs.bootstrap})
    producer.produce(logs.topic, value.encode())
    assert producer.flush(10) == 0
    assert list(log.read()) == [Record(0, WHEN, "a", "k", {}, "c")]


def test_a_record_that_is_too_large_is_refused_and_the_log_goes_on(logs: KafkaLogs) -> None:
    log = logs.open()
    with pytest.raises(LogUnavailable) as caught:
        log.append(time=WHEN, actor="a", kind="k", body={"text": "x" * 25_000_000})
    assert caught.value.error_code == "MESH-S011"
    assert [record.offset for record in append(log, 1)] == [0]


def test_without_a_broker_the_error_says_where_it_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh_platform.log.kafka_shape.TIMEOUT_SECONDS", 0.1)
    with pytest.raises(UnreachableError) as caught:
        prepare(ControlTopic("127.0.0.1:1", "__control", timeout_seconds=0.2))
    assert (caught.value.error_code, caught.value.where) == ("MESH-X001", "127.0.0.1:1")
