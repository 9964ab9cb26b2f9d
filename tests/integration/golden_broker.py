"""Data folders as brokers of the past wrote them, and what must still be read from them.

`python -m tests.integration.golden_broker FOLDER` makes one with the broker of today; packed with
`tar -czf tests/integration/golden/broker-format-N.tar.gz -C FOLDER .` it stays for the brokers to come.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.unit.broker_kit import Process, broker

GOLDEN = Path(__file__).parent / "golden"
#: (topic, partition): the values of its events, in order
EVENTS: Mapping[tuple[str, int], tuple[bytes, ...]] = {
    ("orders", 0): tuple(b"plain-%d" % number for number in range(40)),
    ("orders", 1): tuple(b"packed-%d" % number for number in range(40)),
    ("orders", 2): (),
    ("prices", 0): (b"first", b"second"),
}
COMMITTED = 17  #: of group "readers" on orders/1
RETENTION_MS = "-1"


def make(folder: Path) -> None:
    """A folder that was closed once with half of the events, and killed with the rest unsaved."""
    with broker(folder) as process:
        admin = AdminClient({"bootstrap.servers": process.bootstrap})
        for topic, partitions, config in (
            ("orders", 3, {"retention.ms": RETENTION_MS}),
            ("prices", 1, {"cleanup.policy": "compact"}),
        ):
            admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(10)
        _fill(process, slice(0, 20))
        consumer = Consumer({"bootstrap.servers": process.bootstrap, "group.id": "readers"})
        consumer.commit(offsets=[TopicPartition("orders", 1, COMMITTED)], asynchronous=False)
        consumer.close()
        process.stop()
    with broker(folder) as process:
        _fill(process, slice(20, 40))
        process.kill()


def _fill(process: Process, part: slice) -> None:
    plain = Producer({"bootstrap.servers": process.bootstrap, "enable.idempotence": True})
    packed = Producer({"bootstrap.servers": process.bootstrap, "compression.type": "gzip"})
    for producer, (topic, partition) in ((plain, ("orders", 0)), (packed, ("orders", 1))):
        for value in EVENTS[topic, partition][part]:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(10) == 0
    number = part.start // 20
    plain.produce("prices", EVENTS["prices", 0][number], key=b"eur")
    assert plain.flush(10) == 0


if __name__ == "__main__":
    make(Path(sys.argv[1]))
