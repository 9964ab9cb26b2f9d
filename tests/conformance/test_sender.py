"""What the sender does when things go wrong: everything is told, nothing is lost, and it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from mesh.adapters.kafka_receiver import BoundedReceiver
from mesh.adapters.kafka_sender import GAPLESS, KafkaSender
from mesh.errors import NotAcknowledged, Unacknowledged
from mesh_platform.brokers import RunningBroker, start_embedded
from tests.conformance.raw_transactions import Producer, eventually

Ids = list[str]


class Sending:
    """A sender, what was given to it, and who it is to the broker."""

    def __init__(self, bootstrap: str, topic: str, **settings: Any) -> None:
        self.bootstrap, self.topic = bootstrap, topic
        self.known: dict[str, Any] = {}
        watched = {"statistics.interval.ms": 20, "stats_cb": self._watch}
        # What is handed over in one call travels together, so that its end is the same for all of it.
        together: dict[str, Any] = {"linger.ms": 100}
        self.sender = KafkaSender(bootstrap, together | watched | settings)
        self.count = 0

    def _watch(self, text: str) -> None:
        self.known = json.loads(text)["eos"]

    def send(self, count: int, size: int = 10, topic: str | None = None) -> Ids:
        """Hand over events with fresh ids and values of a size; the ids."""
        numbers = range(self.count, self.count + count)
        self.count += count
        ids = [f"e-{number}" for number in numbers]
        values = [event_id.encode().ljust(size, b".") for event_id in ids]
        headers = [[("ce_id", event_id.encode())] for event_id in ids]
        self.sender.send(topic or self.topic, [b"k"] * count, values, headers, [0] * count)
        return ids

    def sent(self, count: int) -> Ids:
        ids = self.send(count)
        self.sender.flush()
        return ids

    def again(self, events: tuple[Unacknowledged, ...]) -> None:
        keys, values = [event.key for event in events], [event.value for event in events]
        headers = [list(event.headers) for event in events]
        self.sender.send(self.topic, keys, values, headers, [0] * len(events))
        self.sender.flush()

    def on_topic(self) -> Ids:
        return [dict(message.headers())["ce_id"].decode() for message in records(self.bootstrap, self.topic)]

    def become(self, other: Producer) -> Producer:
        """`other` as the broker sees this sender."""
        self.known = {}

        def known() -> bool:
            self.sender._producer.poll(0.02)
            return self.known.get("producer_id", -1) >= 0

        eventually(known, "the sender has no producer id")
        other.id, other.epoch = self.known["producer_id"], self.known["producer_epoch"]
        return other


def records(bootstrap: str, topic: str) -> list[Any]:
    receiver = BoundedReceiver(bootstrap, topic)
    found: list[Any] = []
    while not receiver.at_end():
        found += receiver.take(10_000, 1.0)
    receiver.close()
    return found


def ids_of(error: NotAcknowledged) -> Ids:
    return [(dict(event.headers)["ce_id"] or b"").decode() for event in error.events]


@pytest.fixture
def sending(producer: Producer) -> Iterator[Sending]:
    made = Sending(producer.bootstrap, producer.topic)
    yield made
    made.sender.close()


def failed(call: Callable[[], object]) -> NotAcknowledged:
    with pytest.raises(NotAcknowledged) as failure:
        call()
    return failure.value


def test_a_producer_that_was_fenced_tells_what_was_not_acknowledged_and_is_replaced(
    producer: Producer, sending: Sending
) -> None:
    before = sending.sent(10)
    other = sending.become(producer)
    for partition in (0, 1):  # somebody with the same id and a later epoch
        other.plain(0, epoch=other.epoch + 1, partition=partition)
    fenced = failed(lambda: sending.sent(10))
    assert ids_of(fenced) == [f"e-{number}" for number in range(10, 20)]
    fatal = failed(lambda: sending.sent(5))
    assert (fatal.error_code, ids_of(fatal)) == ("MESH-K020", [f"e-{number}" for number in range(20, 25)])
    assert "sequence desynchronization" in fatal.why
    sending.again((*fenced.events, *fatal.events))
    after = sending.sent(3)
    found = [i for i in sending_ids(sending) if i is not None]
    assert found == [*before, *ids_of(fenced), *ids_of(fatal), *after]


def sending_ids(sending: Sending) -> list[str | None]:
    """Ids on the topic; None for what the other producer wrote."""
    headers = [dict(message.headers() or ()) for message in records(sending.bootstrap, sending.topic)]
    return [own["ce_id"].decode() if "ce_id" in own else None for own in headers]


def test_a_sequence_that_somebody_else_used_up_ends_the_client_and_not_the_sender(
    producer: Producer, sending: Sending
) -> None:
    other = sending.become(producer)
    for partition in (0, 1):
        assert other.plain(50, partition=partition)[0] == ErrorCode.none
    fatal = failed(lambda: sending.sent(10))
    assert (fatal.error_code, len(fatal.events)) == ("MESH-K020", 10)
    sending.again(fatal.events)
    assert [i for i in sending_ids(sending) if i is not None] == [f"e-{number}" for number in range(10)]


def test_an_event_that_is_too_large_is_told_and_nothing_after_it_is_sent(sending: Sending) -> None:
    before = sending.send(3)
    large = failed(lambda: sending.send(2, size=2_000_000))
    assert ids_of(large) == ["e-3", "e-4"]
    assert "too large" in large.events[0].cause.lower()
    assert large.events[1].cause.startswith("not sent")
    after = sending.sent(2)
    assert sending.on_topic() == before + after


def test_without_gaps_nothing_gets_through_behind_an_event_that_the_broker_refuses(
    producer: Producer,
) -> None:
    topic = producer.elsewhere(**{"max.message.bytes": "2000"}).topic
    alone = {"batch.num.messages": 1, "linger.ms": 0}
    sending = Sending(producer.bootstrap, topic, **GAPLESS, **alone)
    before = sending.sent(2)
    sending.send(1, size=5_000)
    error = failed(lambda: sending.sent(20))
    assert ids_of(error) == [f"e-{number}" for number in range(2, 23)]
    assert sending.on_topic() == before
    sending.sender.close()


def test_a_full_queue_is_waited_for(producer: Producer) -> None:
    sending = Sending(producer.bootstrap, producer.topic, **{"queue.buffering.max.messages": 10})
    sent = [event_id for _ in range(5) for event_id in sending.send(200)]
    sending.sender.flush()
    assert sending.on_topic() == sent
    sending.sender.close()


def test_equal_events_of_one_call_are_told_apart(producer: Producer) -> None:
    topic = producer.elsewhere(**{"max.message.bytes": "2000"}).topic
    sender = KafkaSender(producer.bootstrap)
    headers = [[("ce_id", b"a")], [("ce_id", b"b")], [("ce_id", b"c")]]
    sender.send(topic, [b"k"] * 3, [b"x" * 5_000] * 3, headers, [0] * 3)
    assert ids_of(failed(sender.flush)) == ["a", "b", "c"]
    sender.close()


def test_a_broker_that_is_killed_loses_nothing_that_was_acknowledged_and_the_rest_is_told(
    tmp_path: Path,
) -> None:
    with start_embedded(tmp_path) as broker:
        topic = _topic(broker)
        sending = Sending(broker.bootstrap, topic, **{"delivery.timeout.ms": 1_500})
        before = sending.sent(10)
        broker.kill()
        error = failed(lambda: sending.sent(10))
        assert ids_of(error) == [f"e-{number}" for number in range(10, 20)]
        broker.restart()
        patient = Sending(broker.bootstrap, topic)
        patient.again(error.events)
        assert list(dict.fromkeys(patient.on_topic())) == before + ids_of(error)
        patient.sender.close()
        sending.sender.close()


def test_a_broker_that_is_killed_and_comes_back_in_time_is_not_noticed(tmp_path: Path) -> None:
    with start_embedded(tmp_path) as broker:
        sending = Sending(broker.bootstrap, _topic(broker))
        sent = sending.sent(10)
        broker.kill()
        sent += sending.send(10)
        broker.restart()
        sending.sender.flush()
        assert sending.on_topic() == sent
        sending.sender.close()


def _topic(broker: RunningBroker) -> str:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    admin.create_topics([NewTopic("killed.v1", 1)])["killed.v1"].result(20)
    return "killed.v1"
