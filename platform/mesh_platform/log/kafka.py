"""The control log on one Kafka partition, shared by any number of platform processes.

Behaviour: an append is acknowledged by all in-sync replicas when it counts · the partition's order is the
order for every process · each process sees what the others wrote within a second · a topic that could
lose or reorder records is refused at start (`topic.py`) · a broker that is away delays, and loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from mesh.errors import MeshError
from mesh_platform.log import kafka_topic
from mesh_platform.log.kafka_reader import KafkaReader, KafkaTail
from mesh_platform.log.record import Deliver, Failed, LogUnavailable, OutcomeUnknown, Record
from mesh_platform.log.wire import decoded, encoded

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

DELIVERY_SECONDS = 8.0
#: What the broker says when it has looked at a record and has not taken it.
_NOT_TAKEN = frozenset(
    {
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_RECORD",
        "POLICY_VIOLATION",
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "UNKNOWN_TOPIC_OR_PART",
        "TOPIC_EXCEPTION",
    }
)


class KafkaLog:
    """A ControlLog on a topic of one partition, made when it is not there.

    Raises UnreachableError (MESH-X001) when no broker answers, MeshError (MESH-S020) for a topic that is
    set up so that it cannot keep a control log.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        kafka_topic.prepare(bootstrap, topic)
        self._bootstrap = bootstrap
        self._topic = topic
        self._producer = _producer(bootstrap)
        self._acknowledging = _Acknowledging(self._producer)
        self._tail: KafkaTail | None = None

    def append(
        self, *, time: str, actor: str, kind: str, body: Mapping[str, Any], command: str = ""
    ) -> Record:
        """Durable when it returns."""
        value = encoded(time=time, actor=actor, kind=kind, body=body, command=command)
        offset: Future[int] = Future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offset.set_result(message.offset())
            else:
                offset.set_exception(self._told(error))

        self._produce(value, command, delivered)
        return decoded(offset.result(), value)

    def send(
        self,
        failed: Failed,
        *,
        time: str,
        actor: str,
        kind: str,
        body: Mapping[str, Any],
        command: str = "",
    ) -> None:
        """Hand the record to the producer's thread."""
        value = encoded(time=time, actor=actor, kind=kind, body=body, command=command)

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed(self._told(error))

        try:
            self._produce(value, command, delivered)
        except LogUnavailable as error:
            failed(error)

    def read(self, start: int = 0) -> Iterator[Record]:
        """The records from `start` on that are there now."""
        with KafkaReader(self._bootstrap, self._topic, start) as reader:
            yield from reader.until_now()

    def follow(self, start: int, deliver: Deliver, lost: Failed) -> None:
        """Each record from `start` on, in a thread of its own."""
        self._tail = KafkaTail(KafkaReader(self._bootstrap, self._topic, start), deliver, lost)

    def close(self) -> None:
        """Let go: stop following, and give records on their way a moment to be acknowledged."""
        if self._tail is not None:
            self._tail.stop()
        self._producer.flush(2)
        self._acknowledging.stop()

    def _produce(self, value: bytes, command: str, delivered: Any) -> None:
        from confluent_kafka import KafkaException

        try:
            self._producer.produce(
                self._topic, value, command.encode() or None, partition=0, on_delivery=delivered
            )
        except (KafkaException, BufferError) as error:
            why = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            raise _refused(self._topic, why) from error

    def _told(self, error: KafkaError) -> MeshError:
        if error.fatal():
            # An idempotent producer that lost its place takes nothing more; the next one starts afresh.
            self._producer = _producer(self._bootstrap)
            self._acknowledging.watch(self._producer)
        if error.name() in _NOT_TAKEN:
            return _refused(self._topic, error.str())
        return OutcomeUnknown(self._topic, error.str())


class _Acknowledging:
    """The thread in which acknowledgements arrive."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control-log-acks", daemon=True)
        self._thread.start()

    def watch(self, producer: Producer) -> None:
        """From now on, another producer."""
        self._producer = producer

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._producer.poll(0.1)


def _producer(bootstrap: str) -> Producer:
    from confluent_kafka import Producer

    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.max.bytes": kafka_topic.MESSAGE_BYTES,
            "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
            "log_level": 0,
            "error_cb": _quiet,
        }
    )


def _refused(topic: str, why: str) -> LogUnavailable:
    return LogUnavailable(
        "the control log cannot be written",
        code="MESH-S011",
        where=topic,
        why=why,
        fix="look at the broker; nothing acknowledged is lost, and the request may be repeated",
    )


def _quiet(_error: object) -> None:
    """Connection errors reach the caller of each record; librdkafka need not print them too."""
