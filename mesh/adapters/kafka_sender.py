"""Sender on confluent-kafka: idempotent, acknowledged by all in-sync replicas, back-pressure by waiting.

What is not acknowledged is told event by event. An error that librdkafka calls fatal ends its client: it is
replaced by a new one, and everything that the old one still held counts as not acknowledged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from mesh.adapters.handed import Handed, Header, Turn
from mesh.adapters.kafka_asking import is_fatal
from mesh.errors import NotAcknowledged, Unacknowledged, not_acknowledged

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

#: how long one wait in librdkafka lasts at most: Ctrl-C and fatal errors are seen between two of them
SLICE_SECONDS: Final = 0.2
#: what was given up is reported at once; so much time for a busy machine
PURGE_SECONDS: Final = 10.0
#: how long after its time limit an event may still wait for its report
GRACE_SECONDS: Final = 5.0
_NOT_SENT: Final = "not sent: an event before it was not acknowledged"
#: what all producers of the mesh have in common; nobody outside sets these
PRODUCER: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "max.in.flight.requests.per.connection": 5,
    # As Java's default: an event goes to the same partition whoever publishes it.
    "partitioner": "murmur2_random",
    # Under load events go out together all the same; to wait for more made one event take five times as long.
    "linger.ms": 0,
    "batch.size": 1_000_000,
    "queue.buffering.max.messages": 100_000,
    "queue.buffering.max.kbytes": 512_000,
    "delivery.timeout.ms": 120_000,
    "delivery.report.only.error": True,
    "log_level": 0,
}
#: For records that were on a topic before: how large one may be is for the broker to say.
ANY_SIZE: Final[Mapping[str, Any]] = {"message.max.bytes": 1_000_000_000}
#: An event that is not delivered is fatal: nothing that came after it on its partition gets there before it.
GAPLESS: Final[Mapping[str, Any]] = {"enable.gapless.guarantee": True}


class KafkaSender:
    """Sends to one cluster. Failures surface at the next `send` or at `flush`, never in silence."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any] | None = None) -> None:
        self._settings = {**PRODUCER, "bootstrap.servers": bootstrap, **(settings or {})}
        self._failed: dict[Turn, Unacknowledged] = {}
        self._calls = count()
        self._fatal: str | None = None
        self._producer: Producer = self._made()

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[Header]],
        times_ms: Sequence[int],
    ) -> None:
        """Hand events over; waits while the queue is full. After a failure nothing more is handed over."""
        handed = Handed(topic, keys, values, headers, times_ms, self._failed, next(self._calls))
        if self._failed or self._fatal is not None:
            handed.give_up(range(len(values)), _NOT_SENT)
            raise self._given_up()
        produce = self._producer.produce
        for row, (key, value, event_headers, at, report) in enumerate(handed.events()):
            try:
                # By position: naming the arguments costs a tenth of the throughput.
                produce(topic, value, key, -1, report, None, at, event_headers)
            except Exception as error:
                cause = self._insist(error, (topic, value, key, -1, report, None, at, event_headers))
                if cause is not None:
                    handed.give_up((row,), cause)
                    handed.give_up(range(row + 1, len(values)), _NOT_SENT)
                    raise self._given_up() from error
        self._waited(lambda: self._producer.poll(0))

    def flush(self) -> None:
        """Wait for every acknowledgement; raises NotAcknowledged for what got none."""
        deadline = time.monotonic() + self._settings["delivery.timeout.ms"] / 1000 + GRACE_SECONDS
        while self._waited(lambda: self._producer.flush(SLICE_SECONDS)) and self._fatal is None:
            if time.monotonic() > deadline:
                self._purge()
        if self._failed or self._fatal is not None:
            raise self._given_up()

    def close(self) -> None:
        """End the client and its threads; what is not acknowledged by now is given up."""
        self._purge()
        self._producer.close()

    def _made(self) -> Producer:
        from confluent_kafka import Producer

        return Producer({**self._settings, "error_cb": self._told})

    def _insist(self, error: Exception, event: tuple[Any, ...]) -> str | None:
        """Hand over what a full queue did not take, when there is room; why not, when it cannot be."""
        from confluent_kafka import KafkaException

        while isinstance(error, BufferError):
            self._waited(lambda: self._producer.poll(SLICE_SECONDS))
            if self._failed or self._fatal is not None:
                return _NOT_SENT
            try:
                self._producer.produce(*event)
                return None
            except Exception as again:
                error = again
        if not isinstance(error, KafkaException):
            raise error
        self._told(error.args[0])
        return str(error.args[0].str())

    def _waited(self, wait: Callable[[], int]) -> int:
        """As `wait` says; librdkafka raises there when its client has failed for good."""
        from confluent_kafka import KafkaException

        try:
            return wait()
        except KafkaException as error:
            self._told(error.args[0])
            if self._fatal is None:
                raise
            return 1

    def _told(self, error: KafkaError) -> None:
        if is_fatal(error):
            self._fatal = self._fatal or error.str()

    def _given_up(self) -> NotAcknowledged:
        """The error for all that is known not to be acknowledged.

        A client that failed for good is replaced: it would never deliver anything again.
        """
        fatal = self._fatal
        if fatal is not None:
            self.close()
            self._producer, self._fatal = self._made(), None
        # In the order in which they were handed over: sent again like this, a key keeps its order.
        failed = [self._failed[turn] for turn in sorted(self._failed)]
        self._failed.clear()
        return not_acknowledged(failed, fatal=fatal)

    def _purge(self) -> None:
        """Give up what is not acknowledged, and take the reports of it.

        In short waits: within a long one reports are called even after librdkafka has raised, and fail.
        """
        self._producer.purge()
        deadline = time.monotonic() + PURGE_SECONDS
        while len(self._producer) and time.monotonic() < deadline:
            self._waited(lambda: self._producer.flush(SLICE_SECONDS))
