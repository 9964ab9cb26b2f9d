"""The test kit, as its users meet it: a broker in a block, and the fixtures in sessions of their own."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mesh.errors import MeshError, UnreachableError
from mesh.testing import Broker, start_broker

pytest_plugins = ["pytester"]
PLUGIN = ("-p", "mesh.testing.plugin", "-p", "no:cacheprovider", "-p", "no:schemathesis")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with start_broker(tmp_path_factory.mktemp("kit")) as broker:
        yield broker


def publish(broker: Broker, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0


def published(broker: Broker, topic: str) -> list[bytes | None]:
    config = {"bootstrap.servers": broker.bootstrap, "group.id": "kit", "enable.partition.eof": True}
    consumer = Consumer(config)
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while (message := consumer.poll(20)) is not None and message.error() is None:
        values.append(message.value())
    consumer.close()
    assert message is not None, "the end of the topic was not reached"
    return values


def test_a_new_topic_takes_events(own: Broker) -> None:
    topic = own.topic()
    publish(own, topic, b"one", b"two")
    assert published(own, topic) == [b"one", b"two"]


def test_two_topics_without_a_name_are_not_the_same(own: Broker) -> None:
    assert own.topic() != own.topic()


def test_a_topic_asked_for_again_by_name_is_empty(own: Broker) -> None:
    publish(own, own.topic("orders"), b"one")
    assert published(own, own.topic("orders")) == []


def test_a_topic_has_the_partitions_and_settings_asked_for(own: Broker) -> None:
    from confluent_kafka.admin import AdminClient, ConfigResource

    topic = own.topic(partitions=3, cleanup_policy="compact", preallocate=True)
    client = AdminClient({"bootstrap.servers": own.bootstrap})
    resource = ConfigResource("topic", topic)
    settings = client.describe_configs([resource])[resource].result(10)
    assert len(client.list_topics(topic, timeout=10).topics[topic].partitions) == 3
    assert (settings["cleanup.policy"].value, settings["preallocate"].value) == ("compact", "true")


def test_a_setting_that_the_broker_refuses_is_an_error_with_a_code(own: Broker) -> None:
    with pytest.raises(MeshError) as caught:
        own.topic(cleanup_policy="sometimes")
    assert caught.value.error_code == "MESH-K041"


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker:
        topic, before = broker.topic(), broker.bootstrap
        publish(broker, topic, b"one")
        broker.kill()
        assert not broker.running
        broker.restart()
        assert broker.bootstrap == before
        assert published(broker, topic) == [b"one"]


def test_a_restart_of_a_running_broker_lets_it_stop_first(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker:
        broker.restart()
        assert '"event": "stopping"' in broker.logs


def test_a_dead_broker_says_that_it_is_dead(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker:
        broker.kill()
        with pytest.raises(UnreachableError) as caught:
            broker.topic()
    assert (caught.value.error_code, caught.value.why) == (
        "MESH-X042",
        "it was killed and not started again",
    )


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    with start_broker(tmp_path), pytest.raises(UnreachableError) as caught, start_broker(tmp_path):
        pass
    assert caught.value.error_code == "MESH-X041"
    assert "another broker is already running on this data folder" in caught.value.why


def test_without_a_folder_nothing_is_left_behind() -> None:
    with start_broker() as broker:
        folder = broker.folder
        assert folder.is_dir()
    assert not folder.exists()
    assert not broker.running


def test_a_session_with_many_open_files_can_start_one(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1100):
            stack.enter_context(open(os.devnull))
        assert stack.enter_context(start_broker(tmp_path)).running


def test_a_kill_of_the_tests_ends_their_broker(tmp_path: Path) -> None:
    script = (
        "import sys; from mesh.testing import start_broker\n"
        "with start_broker() as kafka: print(kafka.bootstrap, flush=True); sys.stdin.read()"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert tests.stdin is not None
    assert tests.stdout is not None
    host, port = tests.stdout.readline().decode().strip().split(":")
    with tests.stdin, tests.stdout, socket.create_connection((host, int(port)), timeout=10) as client:
        tests.send_signal(signal.SIGKILL)
        tests.wait()
        assert client.recv(1) == b"", "the broker hangs up when it ends"


def test_a_session_has_one_broker_and_each_test_a_topic(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from confluent_kafka.admin import AdminClient

        seen = []

        def test_one(kafka, kafka_topic):
            client = AdminClient({"bootstrap.servers": kafka.bootstrap})
            assert kafka_topic in client.list_topics(timeout=10).topics
            seen.append((kafka.bootstrap, kafka_topic))

        def test_two(kafka, kafka_topic):
            seen.append((kafka.bootstrap, kafka_topic))
            assert len({bootstrap for bootstrap, _ in seen}) == 1
            assert len({topic for _, topic in seen}) == 2
    """)
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=2)


def test_a_broker_that_one_test_killed_serves_the_next(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_one(kafka):
            kafka.kill()

        def test_two(kafka, kafka_topic):
            assert kafka.running
    """)
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=2)


def test_the_ini_file_sets_the_broker_up(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmesh_kafka_auto_create_topics = true")
    pytester.makepyfile("""
        from confluent_kafka import Producer

        def test_a_first_event_makes_its_topic(kafka):
            producer = Producer({"bootstrap.servers": kafka.bootstrap})
            producer.produce("never-created", b"one")
            assert producer.flush(20) == 0
    """)
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_a_fixture_of_the_users_sets_the_broker_up(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def kafka_options():
            return {"fsync": "sometimes"}
    """)
    pytester.makepyfile("def test_one(kafka): ...")
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*MESH-X041*", "*invalid choice: 'sometimes'*"])


def test_each_worker_of_xdist_has_a_broker_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pathlib

        def test_one(kafka, worker_id):
            pathlib.Path(worker_id).write_text(kafka.bootstrap)
    """)
    pytester.runpytest_subprocess(*PLUGIN, "--dist", "each", "--tx", "2*popen").assert_outcomes(passed=2)
    assert (pytester.path / "gw0").read_text() != (pytester.path / "gw1").read_text()


def test_an_asyncio_test_can_use_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile("""
        from aiokafka import AIOKafkaProducer

        async def test_one(kafka, kafka_topic):
            async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
                assert (await producer.send_and_wait(kafka_topic, b"one")).offset == 0
    """)
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_a_session_that_asks_for_no_broker_starts_none(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_one():
            assert not [name for name in sys.modules if name.startswith(("mesh_platform", "confluent_kafka"))]
    """)
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)
    assert not list(pytester.path.rglob("broker.log"))
