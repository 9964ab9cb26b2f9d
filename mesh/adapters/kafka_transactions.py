"""Sender whose events count together with the positions of their inputs, or not at all.

librdkafka 2.16 ignores the time-out of `send_offsets_to_transaction` (its issue 5456) and may wait for a
coordinator that it has forgotten (5511). So it is told to forget none, and what commits runs in a thread that
nobody waits for beyond a deadline.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mesh.adapters.handed import Header
from mesh.adapters.kafka_asking import unreachable
from mesh.adapters.kafka_sender import PRODUCER
from mesh.errors import EventError, MeshError, UnreachableError
from mesh.interfaces import Partition

if TYPE_CHECKING:
    from confluent_kafka import KafkaException, Producer

#: another has taken over: new clients find out where it stands
SHUT_OUT = "MESH-K051"
#: one call of the client's; it is repeated until the transaction's own time is over
CALL_SECONDS = 5.0
#: how much longer than a transaction may take its end is waited for
GRACE_SECONDS = 10.0


class TransactionalSender:
    """One transactional id. Opening it ends what an earlier holder of the id left open, and shuts it out."""

    def __init__(self, bootstrap: str, name: str, seconds: float = 30.0) -> None:
        from confluent_kafka import Producer

        self._bootstrap = bootstrap
        self._name = name
        self._seconds = seconds
        self._stuck = False
        self._open = False
        self._begun: queue.SimpleQueue[Callable[[], str | None] | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        self._waiting = False
        self._producer: Producer = Producer(
            {
                **PRODUCER,
                "bootstrap.servers": bootstrap,
                "transactional.id": name,
                "transaction.timeout.ms": int(seconds * 1000),
                "delivery.timeout.ms": int(seconds * 1000),
                "metadata.recovery.strategy": "none",
                "reconnect.backoff.max.ms": 1_000,
            }
        )
        # A daemon: where the client never comes back, the process can end all the same.
        self._worker = threading.Thread(target=self._work, name=f"transactions of {name}", daemon=True)
        self._worker.start()
        try:
            self._in_time(lambda: self._insist(self._producer.init_transactions))
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        """Begin a transaction. Raises MeshError (MESH-K051) when another holds the id."""
        from confluent_kafka import KafkaException

        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            raise self._dead(error) from error
        self._open = True

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[Header]],
        times_ms: Sequence[int],
    ) -> None:
        """Hand events over to the transaction; waits while the queue is full.

        Raises EventError (MESH-K055) for an event that no broker would take.
        """
        from confluent_kafka import KafkaError, KafkaException

        produce, poll = self._producer.produce, self._producer.poll
        end = time.monotonic() + self._seconds
        try:
            for key, value, event_headers, at in zip(keys, values, headers, times_ms, strict=True):
                while True:
                    try:
                        produce(topic, value, key, -1, None, None, at, event_headers)
                        break
                    except BufferError:
                        if time.monotonic() > end:
                            raise unreachable(self._bootstrap, "the queue of events stays full") from None
                        poll(0.1)
        except KafkaException as error:
            if error.args[0].fatal():
                raise self._dead(error) from error
            # A transaction that has failed takes nothing more; its commit says why.
            if error.args[0].code() != KafkaError._STATE:
                raise EventError(
                    "an event cannot be sent",
                    code="MESH-K055",
                    where=topic,
                    why=error.args[0].str(),
                    fix="derive smaller events, or raise max.message.bytes of the topic",
                ) from error
        poll(0)

    def flush(self) -> None:
        """Nothing: only the commit acknowledges."""

    def commit(self, positions: Mapping[Partition, int], member: bytes) -> None:
        """Begin to commit what was sent, and that its inputs, if any, are read up to `positions`."""
        from confluent_kafka import TopicPartition

        offsets = [
            TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()
        ]

        def end() -> str | None:
            why = None
            if offsets:
                why = self._insist(
                    lambda left: self._producer.send_offsets_to_transaction(offsets, member, left)
                )
            return why if why is not None else self._insist(self._producer.commit_transaction)

        self._waiting = True
        self._begun.put(lambda: self._aborted(end()))

    def outcome(self) -> str | None:
        """Wait for the commit that was begun, if any: None when it is done, else why it was aborted.

        Raises MeshError (MESH-K051) when another holds the id, UnreachableError (MESH-K052) when the broker
        does not answer: then nobody knows, and only a new sender of this id finds out.
        """
        if not self._waiting:
            return None
        self._waiting = False
        try:
            found = self._ended.get(timeout=self._seconds + GRACE_SECONDS)
        except queue.Empty:
            self._stuck = True
            raise self._unanswered(f"no answer for {self._seconds + GRACE_SECONDS:.0f} s") from None
        self._open = False
        if isinstance(found, BaseException):
            raise found
        return found

    def abort(self) -> None:
        """Drop what was sent since `begin`, if anything is open."""
        if not self._open or self._stuck:
            return
        self._open = False
        self._in_time(lambda: self._aborted("asked for"))

    def close(self) -> None:
        """End what is open without a trace, and let go of the connection."""
        from confluent_kafka import KafkaException

        try:
            if self._waiting:
                self.outcome()
            self.abort()
        finally:
            self._begun.put(None)
            if not self._stuck:
                self._worker.join()
                # A client that has failed for good says so again; whoever closes it knows.
                with suppress(KafkaException):
                    self._producer.close()

    def _work(self) -> None:
        while (step := self._begun.get()) is not None:
            try:
                self._ended.put(step())
            except BaseException as error:
                self._ended.put(error)

    def _in_time(self, step: Callable[[], str | None]) -> str | None:
        self._waiting = True
        self._begun.put(step)
        return self.outcome()

    def _aborted(self, why: str | None) -> str | None:
        if why is not None:
            self._insist(self._producer.abort_transaction)
        return why

    def _insist(self, step: Callable[[float], Any]) -> str | None:
        """Do one step, again while the client says that this is safe; why it must be aborted instead."""
        from confluent_kafka import KafkaException

        end = time.monotonic() + self._seconds
        while True:
            try:
                step(CALL_SECONDS)
                return None
            except KafkaException as error:
                cause = error.args[0]
                if cause.fatal():
                    raise self._dead(error) from error
                if cause.txn_requires_abort():
                    return f"{cause.name()}: {cause.str()}"
                if not cause.retriable() or time.monotonic() > end:
                    raise self._unanswered(f"{cause.name()}: {cause.str()}") from error

    def _unanswered(self, why: str) -> UnreachableError:
        return UnreachableError(
            "the end of a transaction is not known",
            code="MESH-K052",
            where=self._bootstrap,
            why=why,
            fix="start again: what was left open is ended first, then reading goes on where it was committed",
        )

    def _dead(self, error: KafkaException) -> MeshError:
        return MeshError(
            f"the transactional id {self._name} is not held any more",
            code="MESH-K051",
            where=self._bootstrap,
            why=f"{error.args[0].name()}: {error.args[0].str()}",
            fix="start again; if it comes back, another process runs under the same name",
        )
