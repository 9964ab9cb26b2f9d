"""An event goes to the partition that Java's default would choose, whoever publishes it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka.admin import AdminClient, NewTopic

from mesh.adapters.kafka_sender import KafkaSender
from mesh.keys import composite_key
from mesh_platform.brokers import RunningBroker
from mesh_platform.kafka.jars import classpath
from mesh_platform.kafka.java import find_java
from tests.conformance.test_sender import records

PARTITIONS = 7
#: Kafka's own, from its UtilsTest
GOLDEN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
KEYS = [b"", b"a", b"k-\xc3\xa9", composite_key(["EWR", "7"]), *(b"key-%d" % number for number in range(40))]
POM = Path(__file__).parents[1] / "clients" / "pom.xml"


@pytest.fixture
def topic(broker: RunningBroker) -> str:
    name = f"partitions-{uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(20)
    return name


def partitions(bootstrap: str, topic: str) -> dict[bytes, int]:
    return {message.key(): message.partition() for message in records(bootstrap, topic)}


def send(bootstrap: str, topic: str, keys: list[bytes]) -> None:
    sender = KafkaSender(bootstrap)
    sender.send(topic, keys, [b"v"] * len(keys), [[] for _ in keys], [0] * len(keys))
    sender.flush()
    sender.close()


def test_a_key_is_hashed_as_kafka_itself_hashes_it(broker: RunningBroker, topic: str) -> None:
    send(broker.bootstrap, topic, [*GOLDEN, *KEYS])
    hashes = GOLDEN | {key: murmur2(key) for key in KEYS}
    assert partitions(broker.bootstrap, topic) == {
        key: (number & 0x7FFFFFFF) % PARTITIONS for key, number in hashes.items()
    }


@pytest.mark.kafka
def test_javas_own_producer_chooses_the_same_partitions(kafka_broker: RunningBroker, tmp_path: Path) -> None:
    ours, javas = f"ours-{uuid4().hex}", f"javas-{uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, PARTITIONS) for name in (ours, javas)]).values():
        made.result(20)
    send(kafka_broker.bootstrap, ours, KEYS)
    argv = [find_java(), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-Xlog:disable", "-Dfile.encoding=UTF-8"]
    argv += ["-cp", classpath(POM), "org.apache.kafka.tools.ConsoleProducer"]
    argv += ["--bootstrap-server", kafka_broker.bootstrap, "--topic", javas]
    argv += ["--reader-property", "parse.key=true", "--reader-property", "key.separator=\t"]
    lines = b"".join(key + b"\tv\n" for key in KEYS)
    done = subprocess.run(argv, input=lines, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    found = partitions(kafka_broker.bootstrap, javas)
    assert len(found) == len(KEYS)
    assert found == partitions(kafka_broker.bootstrap, ours)
