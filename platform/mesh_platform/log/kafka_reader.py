"""Reading the control topic in order: what is there now, and what keeps coming."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mesh.adapters.kafka_asking import unreachable
from mesh_platform.log.record import Deliver, Failed, LogUnavailable, Record, moved, stopped
from mesh_platform.log.wire import decoded

if TYPE_CHECKING:
    from confluent_kafka import Consumer

AT_ONCE = 500
WAIT_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
LOOK_EVERY_SECONDS = 5.0
Look = Callable[[int], None]
#: The log is not what it was: deleted, made anew, or cut off at either end.
_MOVED = frozenset({"OFFSET_OUT_OF_RANGE", "_AUTO_OFFSET_RESET", "_LOG_TRUNCATION"})


class KafkaReader:
    """One reader of the control topic from an offset on; it belongs to no group."""

    def __init__(self, bootstrap: str, topic: str, start: int) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self._bootstrap = bootstrap
        self._topic = topic
        self.read = start  #: the offset that comes next
        self._consumer: Consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "mesh-control-log",  # asked for by the library; nothing is committed
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "check.crcs": True,
                # Nobody writes in transactions here, and one that a stranger leaves open must not stop us.
                "isolation.level": "read_uncommitted",
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 100,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
                "error_cb": _quiet,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, start)])

    def until_now(self) -> Iterator[Record]:
        """The records up to the end as it is when this is called; raises UnreachableError when they stop."""
        from confluent_kafka import KafkaException, TopicPartition

        try:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=10)
        except KafkaException as error:
            raise unreachable(self._bootstrap, error.args[0].str()) from error
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.read < end:
            before = self.read
            yield from self.take()
            if self.read > before:
                deadline = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise unreachable(self._bootstrap, f"{self._topic} stopped at offset {before} of {end}")

    def take(self) -> list[Record]:
        """The next records, after a short wait perhaps none; LogUnavailable (S024) when the log moved."""
        first = self._consumer.poll(WAIT_SECONDS)
        # Asking for many waits for as many: the first is waited for, the rest is taken along.
        rest = [] if first is None else self._consumer.consume(AT_ONCE, 0)
        records = []
        for message in [] if first is None else [first, *rest]:
            error = message.error()
            offset = message.offset()
            if error is None:
                records.append(decoded(offset, message.value()))
                self.read = offset + 1
            elif error.name() == "_PARTITION_EOF":
                self.read = max(self.read, offset)  # the end may lie behind what is no record
            elif error.name() in _MOVED:
                raise moved(f"{self._topic}, offset {self.read}", error.str())
        return records

    def close(self) -> None:
        """Hang up."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class KafkaTail:
    """Follows the control topic in a thread of its own, until it is stopped or the log has moved.

    Now and then it lets the topic be looked at from outside: a reader is not told of every deletion.
    """

    def __init__(self, reader: KafkaReader, look: Look, deliver: Deliver, lost: Failed) -> None:
        self._reader = reader
        self._look = look
        self._deliver = deliver
        self._lost = lost
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control-log-tail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(10)

    def _run(self) -> None:
        looked = -LOOK_EVERY_SECONDS
        with self._reader:
            while not self._stopped.is_set():
                try:
                    if time.monotonic() - looked >= LOOK_EVERY_SECONDS:
                        looked = time.monotonic()
                        self._look(self._reader.read)
                    if records := self._reader.take():
                        self._deliver(records)
                except LogUnavailable as error:
                    self._lost(error)
                    return
                except Exception as error:
                    # A view that did not take a record is not the log's any more; that must not go unseen.
                    self._lost(stopped(f"offset {self._reader.read}", error))
                    return


def _quiet(_error: object) -> None:
    """A broker that is away is waited for; librdkafka need not print it."""
