"""The publisher under test: what is not acknowledged is published again, also after its death.

| moment | when |
| --- | --- |
| sending | before events are handed to the publisher |
| sent | when they are handed over, and nobody has waited for them |
| acknowledged | when they are acknowledged, and nothing of that is written down |
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from mesh.adapters.kafka_sender import KafkaSender
from mesh.connection import Mesh, connect
from mesh.errors import MeshError
from mesh.event import EventIds
from mesh.publishing import Publisher
from mesh_platform.chaos import world
from mesh_platform.chaos.history import last_line
from mesh_platform.chaos.subject import Subject

MOMENTS = {"sending": 12, "sent": 12, "acknowledged": 12}
MOST = 400
_PAUSE_SECONDS = 0.2


def publish(subject: Subject) -> None:
    """Publish until the end comes; the class of the publisher decides how well."""
    from mesh_platform.chaos.broken import PUBLISHERS

    with connect() as mesh:
        PUBLISHERS.get(subject.broken, Source)(subject, mesh).run()


class Source:
    """Numbered events, and a publisher for them. The last line of its history is all it needs to go on."""

    def __init__(self, subject: Subject, mesh: Mesh) -> None:
        self.subject = subject
        self._port = mesh.port(world.orders(subject.run))
        self._schema_id = mesh.registry.schema_id(self._port.subject, self._port.schema)
        self._bootstrap = mesh.settings.bootstrap
        self._next = 0

    def run(self) -> None:
        """Publish call by call; a call whose outcome nobody knows is repeated, by a publisher made anew."""
        self.subject.begin()
        again = self.unfinished()
        due = time.monotonic()
        while again or not self.subject.ended.is_set():
            try:
                with self.publisher(self._next) as publisher:
                    while again or not self.subject.ended.is_set():
                        values = again or self._more()
                        self._publish(publisher, values)
                        again, self._next = [], self._next + len(values)
                        if self.subject.rate:
                            due = max(due, time.monotonic() - 5) + len(values) / self.subject.rate
                            self.subject.ended.wait(max(0.0, due - time.monotonic()))
            except MeshError:
                again = self.unfinished()
                self.subject.ended.wait(_PAUSE_SECONDS)

    def unfinished(self) -> list[str]:
        """What was begun and never acknowledged, and with it where to go on."""
        line = last_line(self.subject.history, "send")
        values = list(line["vs"]) if line else []
        first = world.numbers(values[:1])[0] if values else 0
        if line and line["type"] == "ok":
            values, first = [], first + len(values)
        self._next = first
        return values

    def publisher(self, first: int) -> Publisher:
        """A publisher that gives event ids from this number on."""
        ids = EventIds(world.id_prefix(self.subject.name), first)
        sender = KafkaSender(self._bootstrap)
        return Publisher(self._port, self._schema_id, sender, ids, lambda: datetime.now(UTC))

    def deliver(self, publisher: Publisher, values: Sequence[str]) -> None:
        """Hand events over, and wait until they are acknowledged."""
        publisher.many([world.order(self.subject.name, number) for number in world.numbers(values)])
        self.subject.countdown.pass_by("sent")
        publisher.flush()

    def _more(self) -> list[str]:
        most = self.subject.dice.randint(1, MOST)
        return [f"{self.subject.name}-{number}" for number in range(self._next, self._next + most)]

    def _publish(self, publisher: Publisher, values: Sequence[str]) -> None:
        said = {"topic": self._port.topic, "vs": values}
        self.subject.recorder.note("invoke", "send", **said)
        self.subject.countdown.pass_by("sending")
        try:
            self.deliver(publisher, values)
        except MeshError:
            self.subject.recorder.note("info", "send", **said)
            with suppress(MeshError):
                publisher.flush()
            raise
        self.subject.countdown.pass_by("acknowledged")
        self.subject.recorder.note("ok", "send", **said)
