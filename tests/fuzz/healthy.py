"""A client that does nothing wrong, beside those that do: it writes and reads all the time."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

TOPIC = "healthy.events"
_PAUSE_SECONDS = 0.02
_END_SECONDS = 30


class Healthy:
    """`sent` and `seen` are the numbers it wrote and read, `slowest` the longest that a write took."""

    def __init__(self, bootstrap: str) -> None:
        self.sent: list[int] = []
        self.seen: list[int] = []
        self.errors: list[str] = []
        self.slowest = 0.0
        self._settings = {"bootstrap.servers": bootstrap, "error_cb": lambda e: self.errors.append(str(e))}
        self._stop = threading.Event()
        self._work = [threading.Thread(target=self._write), threading.Thread(target=self._read)]

    def __enter__(self) -> Healthy:
        admin = AdminClient(self._settings)
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(10)
        for thread in self._work:
            thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._work:
            thread.join()

    def take_slowest(self) -> float:
        """The longest that a write took since this was last asked."""
        slowest, self.slowest = self.slowest, 0.0
        return slowest

    def _write(self) -> None:
        producer = Producer(self._settings | {"enable.idempotence": True, "linger.ms": 0})
        while not self._stop.is_set():
            began = time.monotonic()
            producer.produce(TOPIC, str(len(self.sent)).encode(), on_delivery=self._delivered)
            self.sent.append(len(self.sent))
            producer.flush(_END_SECONDS)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self._stop.wait(_PAUSE_SECONDS)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self.errors.append(str(error))

    def _read(self) -> None:
        group = {"group.id": "healthy", "auto.offset.reset": "earliest", "auto.commit.interval.ms": 500}
        consumer = Consumer(self._settings | group)
        consumer.subscribe([TOPIC])
        end: float | None = None
        while end is None or (len(self.seen) < len(self.sent) and time.monotonic() < end):
            if end is None and self._stop.is_set():
                end = time.monotonic() + _END_SECONDS
            message = consumer.poll(0.1)
            if message is not None and message.error():
                self.errors.append(str(message.error()))
            elif message is not None:
                self.seen.append(int(message.value() or b"-1"))
        consumer.close()
