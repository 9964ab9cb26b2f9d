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
from mesh.inbox import Inbox, SQLite
from mesh.subscription import Subscription
from mesh_platform.chaos import world
from mesh_platform.chaos.actor import Actor
from mesh_platform.chaos.effects import Effects
from mesh_platform.chaos.final import Effect

MOMENTS = {"taken": 3, "handling": 3, "handled": 3, "committing": 6, "committed": 6}
#: the shortest that brokers allow: so long a dead member holds up its group
SESSION_MS = 6_000
_MOST = 1_000


def consume(actor: Actor) -> None:
    """Handle events until the end comes; the class of the handler decides how well."""
    from mesh_platform.chaos.broken import CONSUMERS

    with connect() as mesh:
        CONSUMERS.get(actor.broken, Handler)(actor, mesh).run()


def group_of(broken: str) -> str:
    """The group that handles orders; those that are broken in one way are one by themselves."""
    return f"chaos.{broken or 'sink'}"


def store(folder: Path, broken: str) -> Path:
    """Where the effects of a group are."""
    return folder / f"{group_of(broken)}.db"


class Mortal(GroupReceiver):
    """A receiver that may die around its commits."""

    actor: Actor

    def commit(self) -> None:
        """Commit, if the process lives so long."""
        self.actor.countdown.pass_by("committing")
        super().commit()
        self.actor.countdown.pass_by("committed")


class Handler:
    """A subscription, and effects that come once by the inbox."""

    receiver: type[Mortal] = Mortal

    def __init__(self, actor: Actor, mesh: Mesh) -> None:
        self.actor, self._mesh = actor, mesh
        self._port = mesh.port(world.orders(actor.run))
        self.effects = Effects(store(actor.history.parent, actor.broken))
        self.inbox = Inbox(SQLite(self.effects.connection), group_of(actor.broken))

    def run(self) -> None:
        """Handle batch by batch; where the broker is away for long, subscribe anew."""
        self.actor.begin()
        while not self.actor.ended.is_set():
            with suppress(MeshError), self._subscription() as subscription:
                while not self.actor.ended.is_set():
                    batch = subscription.poll(most=_MOST, wait_seconds=0.2)
                    if batch is not None:
                        self._polled(batch)
                        self.actor.countdown.pass_by("taken")
                        self.handle(batch)
                        self.actor.countdown.pass_by("handled")
        self.effects.close()

    def handle(self, batch: Batch) -> None:
        """Effects of what comes for the first time, and the inbox, in one transaction."""
        with self.inbox.once_each(batch) as new:
            self.actor.countdown.pass_by("handling")
            self.effects.apply(effects_of(new))

    def _subscription(self) -> Subscription:
        group = group_of(self.actor.broken)
        return subscribed(self._mesh, world.orders(self.actor.run), group, self.actor, self.receiver)

    def _polled(self, batch: Batch) -> None:
        by_partition: dict[int, list[int]] = defaultdict(list)
        for row, message in enumerate(batch.messages):
            by_partition[message.partition()].append(row)
        values = batch.events.column("id").to_pylist()
        for partition, rows in by_partition.items():
            said: dict[str, Any] = {"topic": self._port.topic, "partition": partition}
            said |= {"offs": [batch.messages[row].offset() for row in rows]}
            self.actor.recorder.note("ok", "poll", **said, vs=[values[row] for row in rows])


def subscribed(
    mesh: Mesh, product: str, group: str, actor: Actor, receiver: type[Mortal] = Mortal
) -> Subscription:
    """A subscription whose group misses a dead member soon."""
    port, bootstrap = mesh.port(product), mesh.settings.bootstrap
    member = receiver(bootstrap, port.topic, group, "earliest", session_ms=SESSION_MS)
    member.actor = actor
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
