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

from mesh.connection import Mesh, connect
from mesh.errors import MeshError
from mesh.publishing import Publisher
from mesh_platform.chaos import world
from mesh_platform.chaos.actor import Actor
from mesh_platform.chaos.history import last_line

MOMENTS = {"sending": 12, "sent": 12, "acknowledged": 12}
#: events of one call: up to so many, and up to so many seconds' worth where a rate is asked for
MOST = 400
_SECONDS = 2.5
_PAUSE_SECONDS = 0.2


def publish(actor: Actor) -> None:
    """Publish until the end comes; the class of the publisher decides how well."""
    from mesh_platform.chaos.broken import PUBLISHERS

    with connect() as mesh:
        PUBLISHERS.get(actor.broken, Source)(actor, mesh).run()


class Source:
    """Numbered events, and a publisher for them. The last line of its history is all it needs to go on."""

    def __init__(self, actor: Actor, mesh: Mesh) -> None:
        self.actor, self._mesh = actor, mesh
        self._product = world.orders(actor.run)
        self._topic = mesh.port(self._product).topic
        self._next = 0

    def run(self) -> None:
        """Publish call by call; a call whose outcome nobody knows is repeated, by a publisher made anew."""
        self.actor.begin()
        again = self.unfinished()
        due = time.monotonic()
        while again or not self.actor.ended.is_set():
            try:
                with self._mesh.publisher(self._product) as publisher:
                    while again or not self.actor.ended.is_set():
                        values = again or self._more()
                        self._publish(publisher, values)
                        again, self._next = [], self._next + len(values)
                        if self.actor.rate:
                            due = max(due, time.monotonic() - 5) + len(values) / self.actor.rate
                            self.actor.ended.wait(max(0.0, due - time.monotonic()))
            except MeshError:
                again = self.unfinished()
                self.actor.ended.wait(_PAUSE_SECONDS)

    def unfinished(self) -> list[str]:
        """What was begun and never acknowledged, and with it where to go on."""
        line = last_line(self.actor.history, "send")
        values = list(line["vs"]) if line else []
        first = world.numbers(values[:1])[0] if values else 0
        if line and line["type"] == "ok":
            values, first = [], first + len(values)
        self._next = first
        return values

    def ids(self, values: Sequence[str]) -> Sequence[str]:
        """The events' ids: the same whenever they are sent."""
        return values

    def deliver(self, publisher: Publisher, values: Sequence[str]) -> None:
        """Hand events over, and wait until they are acknowledged."""
        rows = [world.order(self.actor.name, number) for number in world.numbers(values)]
        publisher.many(rows, event_ids=self.ids(values))
        self.actor.countdown.pass_by("sent")
        publisher.flush()

    def _more(self) -> list[str]:
        most = self.actor.dice.randint(1, max(MOST, int(self.actor.rate * _SECONDS)))
        return [f"{self.actor.name}-{number}" for number in range(self._next, self._next + most)]

    def _publish(self, publisher: Publisher, values: Sequence[str]) -> None:
        said = {"topic": self._topic, "vs": values}
        self.actor.recorder.note("invoke", "send", **said)
        self.actor.countdown.pass_by("sending")
        try:
            self.deliver(publisher, values)
        except MeshError:
            self.actor.recorder.note("info", "send", **said)
            with suppress(MeshError):
                publisher.flush()
            raise
        self.actor.countdown.pass_by("acknowledged")
        self.actor.recorder.note("ok", "send", **said)
