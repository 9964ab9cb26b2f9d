"""Real Apache Kafka starts from Maven's jars, keeps what it acknowledged, ends with whoever started it."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from mesh.errors import UnreachableError, UsageError
from mesh_platform.brokers import RunningBroker, start_kafka
from mesh_platform.kafka import jars
from mesh_platform.kafka.cluster import prepare
from mesh_platform.kafka.java import find_java, java_major
from mesh_platform.kafka.settings import Node, properties
from tests.conftest import require
from tests.integration.test_processes import ends_within


def create(broker: RunningBroker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic)])[topic].result(20)


def publish(broker: RunningBroker, topic: str, *values: bytes) -> None:
    """Returns when every value is acknowledged by all in-sync replicas."""
    refused: list[object] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "all", "message.timeout.ms": 20_000})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: refused.append(error) if error else None)
    assert producer.flush(30) == 0
    assert refused == []


def read(broker: RunningBroker, topic: str, count: int) -> list[bytes]:
    settings = {
        "bootstrap.servers": broker.bootstrap,
        "group.id": "tests.reader",
        "enable.auto.commit": False,
    }
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        records = consumer.consume(count, timeout=20)
        return [record.value() for record in records if record.error() is None]
    finally:
        consumer.close()


def replicas(broker: RunningBroker, topic: str) -> list[int]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    deadline = time.monotonic() + 10
    # A broker may answer before the controller's news of a topic has reached it.
    while not (partitions := admin.list_topics(topic, timeout=10).topics[topic].partitions):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [len(partition.replicas) for partition in partitions.values()]


@pytest.mark.kafka
def test_one_node_takes_and_gives_events(kafka_broker, topic_name):
    create(kafka_broker, topic_name)
    publish(kafka_broker, topic_name, b"one", b"two")
    assert read(kafka_broker, topic_name, 2) == [b"one", b"two"]


@pytest.mark.kafka
def test_one_node_keeps_one_replica(kafka_broker, topic_name):
    create(kafka_broker, topic_name)
    assert replicas(kafka_broker, topic_name) == [1]


@pytest.mark.kafka
def test_a_topic_that_nobody_declared_is_not_created(kafka_broker, topic_name):
    producer = Producer({"bootstrap.servers": kafka_broker.bootstrap, "message.timeout.ms": 1_000})
    producer.produce(topic_name, b"lost")
    producer.flush(10)
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    assert topic_name not in admin.list_topics(timeout=10).topics


@pytest.mark.kafka
def test_it_listens_on_one_loopback_address_only(kafka_broker):
    host, port = kafka_broker.bootstrap.split(":")
    assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):  # a listener on every address would answer here too
        socket.create_connection(("127.0.0.2", int(port)), timeout=1)


@pytest.mark.kafka
def test_acknowledged_events_survive_kill_9_and_the_node_comes_back_on_its_port(java, tmp_path, topic_name):
    with start_kafka(tmp_path) as broker:
        create(broker, topic_name)
        publish(broker, topic_name, b"kept")
        broker.kill()
        broker.restart()
        assert read(broker, topic_name, 1) == [b"kept"]


@pytest.mark.kafka
def test_a_state_directory_can_be_started_again(java, tmp_path, topic_name):
    with start_kafka(tmp_path) as broker:
        create(broker, topic_name)
        publish(broker, topic_name, b"kept")
    with start_kafka(tmp_path) as broker:
        assert read(broker, topic_name, 1) == [b"kept"]


@pytest.mark.kafka
def test_three_nodes_acknowledge_with_one_node_lost_and_take_it_back(java, tmp_path, topic_name):
    with start_kafka(tmp_path, nodes=3) as broker:
        create(broker, topic_name)
        assert replicas(broker, topic_name) == [3]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic_name)
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        assert admin.describe_configs([resource])[resource].result(10)["min.insync.replicas"].value == "2"
        publish(broker, topic_name, b"with three")
        broker.kill(1)
        publish(broker, topic_name, b"with two")
        broker.restart(1)
        assert read(broker, topic_name, 2) == [b"with three", b"with two"]


HOLD = """
import json, sys, time
from pathlib import Path
from mesh_platform.brokers import start_kafka
with start_kafka(Path(sys.argv[1])) as broker:
    print(json.dumps(broker.processes[0].pid), flush=True)
    time.sleep(600)
"""


@pytest.mark.kafka
def test_kill_9_of_whoever_started_it_ends_kafka_within_two_seconds(java, tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        supervisor = json.loads(parent.stdout.readline())
        [jvm] = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        parent.kill()
        deadline = time.monotonic() + 2
        assert all(ends_within(pid, deadline - time.monotonic()) for pid in (supervisor, int(jvm)))


@pytest.mark.kafka
def test_a_state_directory_in_use_starts_no_second_kafka(java, tmp_path):
    with start_kafka(tmp_path) as first:
        create(first, "kept")
        with pytest.raises(UnreachableError, match=r"another process holds .*lock; java is not started"):
            prepare(tmp_path, 1)[0].start()
        publish(first, "kept", b"one")


@pytest.mark.kafka
def test_storage_that_cannot_be_formatted_is_told(java, tmp_path):
    (tmp_path / "kafka-1" / "node-1").mkdir(parents=True)
    (tmp_path / "kafka-1" / "node-1" / "data").write_text("a file, not a directory")
    with pytest.raises(UnreachableError, match="MESH-X024"):
        prepare(tmp_path, 1)


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts programs on an otherwise empty PATH, with an empty cache."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def install(name: str, script: str) -> Path:
        program = directory / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    return install


def test_without_java_the_error_names_it_and_the_command(bin_dir):
    with pytest.raises(UnreachableError, match="MESH-X020 Apache Kafka needs Java") as caught:
        find_java()
    assert "openjdk-17" in caught.value.fix


def test_an_old_java_is_refused_by_its_version(bin_dir):
    java = bin_dir("java", """echo 'openjdk version "1.8.0_402"' >&2""")
    with pytest.raises(UnreachableError, match=f"MESH-X021 .* {java} is Java 8"):
        find_java()


def test_java_home_comes_before_the_path(bin_dir, tmp_path, monkeypatch):
    bin_dir("java", """echo 'openjdk version "1.8.0_402"' >&2""")
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    newer = bin_dir("newer", """echo 'openjdk version "21.0.2" 2024-01-16' >&2""").rename(
        home / "bin" / "java"
    )
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert find_java() == str(newer)


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "26-ea"', 26),
        ("?", 0),
    ],
)
def test_java_versions_are_read_in_every_style(said, major):
    assert java_major(said) == major


def test_without_maven_and_with_nothing_remembered_the_error_names_it(bin_dir):
    with pytest.raises(UnreachableError, match=r"MESH-X022 .* needs Maven"):
        jars.classpath()


def test_what_maven_says_is_told_when_it_fails(bin_dir):
    bin_dir("mvn", "echo '[ERROR] Could not find artifact'; exit 1")
    with pytest.raises(UnreachableError, match="MESH-X023 Maven could not fetch Apache Kafka 4") as caught:
        jars.classpath()
    assert "Could not find artifact" in caught.value.why


def fake_maven(jar: Path) -> str:
    """A Maven that resolves to one jar and counts its runs in a file beside it."""
    return f"""echo run >> {jar}.runs
for a in "$@"; do case $a in -Dmdep.outputFile=*) echo {jar} > "${{a#*=}}";; esac; done"""


def test_maven_runs_once(bin_dir, tmp_path):
    jar = tmp_path / "kafka.jar"
    jar.touch()
    bin_dir("mvn", fake_maven(jar))
    assert [jars.classpath(), jars.classpath()] == [str(jar), str(jar)]
    assert Path(f"{jar}.runs").read_text() == "run\n"


def test_maven_runs_again_when_a_jar_is_gone(bin_dir, tmp_path):
    jar = tmp_path / "kafka.jar"
    bin_dir("mvn", fake_maven(jar))
    jars.classpath()
    jars.classpath()
    assert Path(f"{jar}.runs").read_text() == "run\nrun\n"


def test_a_classpath_is_remembered_per_version_and_pom(bin_dir, tmp_path):
    jar = tmp_path / "kafka.jar"
    jar.touch()
    bin_dir("mvn", fake_maven(jar))
    jars.classpath()
    [file] = (tmp_path / "cache").rglob("*.classpath")
    assert file.parent.name == f"kafka-{jars.kafka_version()}"
    assert jars.remembered() == str(jar)


def test_a_program_that_is_missing_skips_at_home(bin_dir, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="java is not installed"):
        require("java")


def test_a_program_that_is_missing_fails_in_ci(bin_dir, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="java is not installed, and in CI that is a failure"):
        require("java")


def test_two_nodes_are_refused_before_anything_is_started(bin_dir, tmp_path):
    with pytest.raises(UsageError, match="MESH-U050 a local Kafka cluster has 1 or 3 nodes, not 2"):
        prepare(tmp_path, 2)


def settings(count: int) -> dict[str, str]:
    cluster = [Node(n, Path(f"/mesh/node-{n}"), 9000 + n, 9100 + n) for n in range(1, count + 1)]
    return dict(line.split("=", 1) for line in properties(cluster[0], cluster).splitlines())


def test_nodes_listen_on_loopback_and_know_their_quorum():
    assert settings(3)["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    assert settings(3)["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"


@pytest.mark.parametrize(("count", "copies", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_every_topic_is_copied_as_often_as_the_cluster_allows(count, copies, in_sync):
    found = settings(count)
    assert {v for k, v in found.items() if k.endswith("replication.factor")} == {copies}
    assert {v for k, v in found.items() if k.endswith(("min.isr", "insync.replicas"))} == {in_sync}
