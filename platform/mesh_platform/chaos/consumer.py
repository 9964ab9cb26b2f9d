"""The consumer under test: a member of a group whose handler leaves one effect per event, by an inbox.

| moment | when |
| --- | --- |
| taken | before events are handled |
| handling | within the handler's transaction |
| handled | after it, before the position is committed |
| committing, committed | around the commit of the position |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mesh.adapters.kafka_receiver import GroupReceiver
from mesh.adapters.kafka_sender import KafkaSender
from mesh.connection import Mesh, connect
from mesh.decoding import Batch, Decoder
from mesh.errors import MeshError
from mesh.subscription import Subscription
from mesh_platform.chaos import world
from mesh_platform.chaos.effects import Effects
from mesh_platform.chaos.final import Effect
from mesh_platform.chaos.subject import Subject

MOMENTS = {"taken": 3, "handling": 3, "handled": 3, "committing": 6, "committed": 6}
#: the shortest that brokers allow: so long a dead member holds up its group
SESSION_MS = 6_000
_MOST = 1_000


def consume(subject: Subject) -> None:
    """Handle events until the end comes; the class of the handler decides how well."""
    from mesh_platform.chaos.broken import CONSUMERS

    with connect() as mesh:
        CONSUMERS.get(subject.broken, Handler)(subject, mesh).run()


def group_of(broken: str) -> str:
    """The group that handles orders; those that are broken in one way are one by themselves."""
    return f"chaos.{broken or 'sink'}"


def store(folder: Path, broken: str) -> Path:
    """Where the effects of a group are."""
    return folder / f"{group_of(broken)}.db"


class Mortal(GroupReceiver):
    """A receiver that may die around its commits."""

    subject: Subject

    def commit(self) -> None:
        """Commit, if the process lives so long."""
        self.subject.countdown.pass_by("committing")
        super().commit()
        self.subject.countdown.pass_by("committed")


class Handler:
    """A subscription, and effects that come once by the inbox."""

    receiver: type[Mortal] = Mortal

    def __init__(self, subject: Subject, mesh: Mesh) -> None:
        self.subject, self._mesh = subject, mesh
        self._port = mesh.port(world.orders(subject.run))
        self.effects = Effects(store(subject.history.parent, subject.broken))

    def run(self) -> None:
        """Handle batch by batch; where the broker is away for long, subscribe anew."""
        self.subject.begin()
        while not self.subject.ended.is_set():
            with suppress(MeshError), self._subscription() as subscription:
                while not self.subject.ended.is_set():
                    batch = subscription.poll(most=_MOST, wait_seconds=0.2)
                    if batch is not None:
                        self._polled(batch)
                        self.subject.countdown.pass_by("taken")
                        self.handle(batch)
                        self.subject.countdown.pass_by("handled")
        self.effects.close()

    def handle(self, batch: Batch) -> None:
        """Effect and inbox in one transaction."""
        with self.effects.transaction():
            found = [effect for effect in effects_of(batch) if self.effects.first(effect.cause)]
            self.subject.countdown.pass_by("handling")
            self.effects.apply(found)

    def _subscription(self) -> Subscription:
        group = group_of(self.subject.broken)
        return subscribed(self._mesh, world.orders(self.subject.run), group, self.subject, self.receiver)

    def _polled(self, batch: Batch) -> None:
        by_partition: dict[int, list[int]] = defaultdict(list)
        for row, message in enumerate(batch.messages):
            by_partition[message.partition()].append(row)
        values = batch.events.column("id").to_pylist()
        for partition, rows in by_partition.items():
            said: dict[str, Any] = {"topic": self._port.topic, "partition": partition}
            said |= {"offs": [batch.messages[row].offset() for row in rows]}
            self.subject.recorder.note("ok", "poll", **said, vs=[values[row] for row in rows])


def subscribed(
    mesh: Mesh, product: str, group: str, subject: Subject, receiver: type[Mortal] = Mortal
) -> Subscription:
    """A subscription whose group misses a dead member soon."""
    port, bootstrap = mesh.port(product), mesh.settings.bootstrap
    member = receiver(bootstrap, port.topic, group, "earliest", SESSION_MS)
    member.subject = subject
    return Subscription(port, Decoder(port, mesh.registry), member, KafkaSender(bootstrap), group)


def effects_of(batch: Batch) -> Sequence[Effect]:
    """What each event asks for: one effect, named by the event's id."""
    columns = zip(
        batch.events.column("account").to_pylist(), batch.events.column("id").to_pylist(), strict=True
    )
    return [
        Effect(event_id(message.headers()), account, value)
        for message, (account, value) in zip(batch.messages, columns, strict=True)
    ]


def event_id(headers: Sequence[tuple[str, bytes | None]] | None) -> str:
    """The CloudEvents id."""
    return next((raw or b"").decode() for name, raw in headers or () if name == "ce_id")
