"""The control log on one Kafka partition, shared by any number of platform processes.

Behaviour: an append is acknowledged by all in-sync replicas when it counts · the partition's order is the
order for every process · each process sees what the others wrote within a second · a topic that could
lose or reorder records is refused at start, and noticed when it was changed for another while running ·
a broker that is away delays, and loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.errors import MeshError
from mesh_platform.log.kafka_memory import TopicMemory
from mesh_platform.log.kafka_reader import KafkaReader, KafkaTail
from mesh_platform.log.kafka_shape import MESSAGE_BYTES, prepare
from mesh_platform.log.kafka_topic import ControlTopic
from mesh_platform.log.record import Deliver, Failed, LogUnavailable, OutcomeUnknown, Record, moved
from mesh_platform.log.wire import decoded, encoded

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

DELIVERY_SECONDS = 8.0
LOOK_SECONDS = 2.0
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

    Raises UnreachableError (MESH-X001) when no broker answers, MeshError: MESH-S020 for a topic that cannot
    keep a control log, MESH-S026 for one that lost records which were read with this `state` folder.
    """

    def __init__(self, bootstrap: str, topic: str, state: Path) -> None:
        self._memory = TopicMemory(state, topic)
        self._known = prepare(ControlTopic(bootstrap, topic))
        self._memory.check(self._known)
        self._bootstrap = bootstrap
        self._topic = topic
        self._looking = ControlTopic(bootstrap, topic, LOOK_SECONDS)
        self._away = ""
        self._producer = _producer(bootstrap)
        self._acknowledging = _Acknowledging(self._producer)
        self._renewing = threading.Lock()
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
        reader = KafkaReader(self._bootstrap, self._topic, start)
        self._tail = KafkaTail(reader, self._look, deliver, lost)

    def end(self) -> Future[int]:
        """The end of the partition as the broker has it now."""
        return self._looking.end()

    def trouble(self) -> str:
        """Why the broker could not be asked at the last look."""
        return self._away

    @property
    def chain(self) -> None:
        """None: nobody knows at append what comes before; `audit.checkpoint` records say it afterwards."""
        return None

    def close(self) -> None:
        """Let go: stop following, and give records on their way a moment to be acknowledged."""
        if self._tail is not None:
            self._tail.stop()
        self._producer.flush(2)
        self._acknowledging.stop()

    def _look(self, read: int) -> None:
        """Compare the topic with what was read of it; raises LogUnavailable (MESH-S024)."""
        try:
            now = self._looking.glance()
        except MeshError as error:
            self._away = error.why
            return
        self._away = ""
        if now is None:
            raise moved(self._topic, "there is no such topic any more")
        if now.id != self._known.id:
            raise moved(self._topic, "it was deleted and made anew")
        if now.end < read:
            raise moved(self._topic, f"it ends at offset {now.end}, and was read up to {read}")
        self._memory.keep(replace(now, end=read))

    def _produce(self, value: bytes, command: str, delivered: Any) -> None:
        from confluent_kafka import KafkaException

        producer = self._producer
        try:
            producer.produce(self._topic, value, command.encode() or None, partition=0, on_delivery=delivered)
        except BufferError as error:
            raise _refused(self._topic, str(error)) from error
        except KafkaException as error:
            if error.args[0].fatal():
                self._renew(producer)
            raise _refused(self._topic, error.args[0].str()) from error

    def _renew(self, spent: Producer) -> None:
        """An idempotent producer that lost its place takes nothing more; another one starts afresh."""
        with self._renewing:
            if self._producer is spent:
                self._producer = _producer(self._bootstrap)
                self._acknowledging.watch(self._producer)

    def _told(self, error: KafkaError) -> MeshError:
        if error.name() in _NOT_TAKEN:
            return _refused(self._topic, error.str())
        return OutcomeUnknown(self._topic, error.str())


class _Acknowledging:
    """The thread in which acknowledgements arrive, of every producer there was."""

    def __init__(self, producer: Producer) -> None:
        self._producers = [producer]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control-log-acks", daemon=True)
        self._thread.start()

    def watch(self, producer: Producer) -> None:
        """From now on, those of another producer too."""
        self._producers.append(producer)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            *spent, current = self._producers
            for producer in spent:
                producer.poll(0)
            current.poll(0.1)


def _producer(bootstrap: str) -> Producer:
    from confluent_kafka import Producer

    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.max.bytes": MESSAGE_BYTES,
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
