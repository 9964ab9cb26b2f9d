"""Actors broken on purpose, one fault each: a verifier is worth something only if it sees them all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex

from mesh.adapters.kafka_sender import KafkaSender
from mesh.connection import Mesh
from mesh.decoding import Batch
from mesh.event import EventIds
from mesh.inbox import SQLite
from mesh.interfaces import Message
from mesh.pipelines.provenance import Marked, of_rows
from mesh.publishing import Publisher
from mesh_platform.chaos.actor import Actor
from mesh_platform.chaos.consumer import Handler, Mortal, effects_of, subscribed
from mesh_platform.chaos.pipeline import Settling
from mesh_platform.chaos.publisher import Source


class ForgetsOnCrash(Source):
    """Begins after what it had handed over, acknowledged or not."""

    def unfinished(self) -> list[str]:
        """Nothing, ever."""
        self._next += len(super().unfinished())
        return []


class AcknowledgesAtOnce(Source):
    """Calls acknowledged what it keeps in memory; it is published with the next call."""

    kept: Sequence[str] = ()

    def deliver(self, publisher: Publisher, values: Sequence[str]) -> None:
        """Publish what the call before asked for."""
        if self.kept:
            super().deliver(publisher, self.kept)
        self.kept = values


class NewIds(Source):
    """Gives an event that it repeats a new id."""

    def ids(self, values: Sequence[str]) -> Sequence[str]:
        """Ids that nobody can foresee."""
        return [token_hex(8) for _ in values]


class Repeats(Source):
    """Sends each tenth call twice, the first among them, as a client does without idempotence."""

    calls = 0

    def deliver(self, publisher: Publisher, values: Sequence[str]) -> None:
        """Once more than was asked for."""
        super().deliver(publisher, values)
        if self.calls % 10 == 0:
            super().deliver(publisher, values)
        self.calls += 1


class TurnsRound(Source):
    """Sends the last event of a call first."""

    def deliver(self, publisher: Publisher, values: Sequence[str]) -> None:
        """In the wrong order."""
        super().deliver(publisher, values[::-1])


class CommitsFirst(Mortal):
    """Commits what it takes, before anyone has handled it."""

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Take, and call it done."""
        found = super().take(most, wait_seconds)
        self.commit()
        return found


class HandlesLate(Handler):
    """Handles what is committed already."""

    receiver = CommitsFirst


class ForgetsItsInbox(Handler):
    """Keeps the inbox in memory: what came in an earlier life comes anew."""

    def __init__(self, actor: Actor, mesh: Mesh) -> None:
        super().__init__(actor, mesh)
        self._seen: set[str] = set()

    def handle(self, batch: Batch) -> None:
        """Effects of what this life has not seen."""
        with SQLite(self.effects.connection).transaction():
            self.effects.apply([effect for effect in effects_of(batch) if effect.cause not in self._seen])
        self._seen |= {effect.cause for effect in effects_of(batch)}


class InboxBeforeEffect(Handler):
    """Writes inbox and effect in two transactions."""

    def handle(self, batch: Batch) -> None:
        """First the inbox, then, if it lives, the effects."""
        with self.inbox.once_each(batch) as new:
            pass
        self.actor.countdown.pass_by("handling")
        with SQLite(self.effects.connection).transaction():
            self.effects.apply(effects_of(new))


class OffsetsOutside(Settling):
    """Publishes without a transaction, and commits its position by itself afterwards."""

    def run(self) -> None:
        """At least once, which is not enough."""
        port, version = self.mesh.port(self.makes), str(self.mesh.port(self.reads).contract.version)
        schema_id = self.mesh.registry.schema_id(port.subject, port.schema)
        sender = Marked(KafkaSender(self.mesh.settings.bootstrap))
        ids = EventIds(os.urandom(8))
        self.actor.begin()
        with (
            Publisher(port, schema_id, sender, ids, lambda: datetime.now(UTC)) as publisher,
            subscribed(self.mesh, self.reads, self.makes, self.actor) as subscription,
        ):
            while not self.actor.ended.is_set():
                batch = subscription.poll(wait_seconds=0.2)
                if batch is None:
                    continue
                derived = self.settled(batch.events)
                sender.mark(of_rows(batch.messages, list(derived.rows), version))
                publisher.many(derived.events)
                publisher.flush()
                self.actor.countdown.pass_by("deriving")


PUBLISHERS: Mapping[str, type[Source]] = {
    "forget-on-crash": ForgetsOnCrash,
    "acknowledge-at-once": AcknowledgesAtOnce,
    "new-ids": NewIds,
    "no-idempotence": Repeats,
    "turn-round": TurnsRound,
}
CONSUMERS: Mapping[str, type[Handler]] = {
    "commit-before-handling": HandlesLate,
    "forget-the-inbox": ForgetsItsInbox,
    "inbox-before-effect": InboxBeforeEffect,
}
PIPELINES: Mapping[str, type[Settling]] = {"offsets-outside": OffsetsOutside}
KINDS: Mapping[str, Mapping[str, object]] = {
    "publisher": PUBLISHERS,
    "consumer": CONSUMERS,
    "pipeline": PIPELINES,
}
