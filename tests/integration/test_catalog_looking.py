"""What the catalog sees of a cluster, also of one that has a topic it cannot look into."""

from __future__ import annotations

from mesh_platform.brokers import RunningBroker
from mesh_platform.catalog.looking import Looking
from tests.conformance.raw_transactions import Producer
from tests.unit.broker_kit import Item, batch

ZSTD = 4  #: as an attribute of a batch; what is in it is for its readers to find out


def test_a_topic_whose_newest_event_nobody_can_open_hides_no_other(embedded_broker: RunningBroker) -> None:
    whole, damaged = Producer(embedded_broker.bootstrap), Producer(embedded_broker.bootstrap)
    try:
        whole.idempotent().plain(0)
        damaged.send(batch([Item(value=b"not compressed at all")], attributes=ZSTD))
        topics = Looking(embedded_broker.bootstrap).look().topics
    finally:
        whole.close()
        damaged.close()
    assert topics[whole.topic].newest is not None
    assert (topics[damaged.topic].newest, topics[damaged.topic].offsets[0]) == (None, (0, 1))
