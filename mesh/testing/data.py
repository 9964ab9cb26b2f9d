"""Events for tests, made from the contracts around the test."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.contract.model import Contract

if TYPE_CHECKING:
    import pyarrow as pa

    from mesh.fake import Fake
    from mesh.testing.broker import Broker


def fake_events(
    product: str | Contract, count: int = 10, *, seed: int = 0, folder: Path | None = None
) -> list[dict[str, Any]]:
    """Events that keep a contract, as dicts; by `<domain>.<product>`, contract id, or the contract itself.

    Names are looked up in the mesh around `folder`, by default the working folder. Raises UsageError for
    a name that is not declared there, DeclarationError for declarations that do not hold.
    """
    return _fake(product, seed, folder).events(count)


def fake_batch(
    product: str | Contract, count: int = 10, *, seed: int = 0, folder: Path | None = None
) -> pa.RecordBatch:
    """The same as an Arrow batch: what a pipeline gets."""
    return _fake(product, seed, folder).batch(count)


def broken_rules(product: str | Contract, events: Any, *, folder: Path | None = None) -> tuple[str, ...]:
    """The names of the contract's rules that some of the events break; empty when all is well.

    `events` is all that a publisher takes. Raises EventError for events that do not even fit the schema.
    """
    from mesh.codec import to_batch

    port = _fake(product, 0, folder).port
    return tuple(rule.name for rule in port.guard.check(to_batch(events, port.codec)).failures)


def round_trip(
    kafka: Broker, product: str | Contract, events: Any, *, folder: Path | None = None
) -> list[dict[str, Any]]:
    """What readers get of events that are published to the tests' broker: checked, encoded, sent and read.

    The topic is the contract's own, made anew. Raises EventError for events that the publisher refuses.
    """
    from mesh.adapters.kafka_receiver import BoundedReceiver
    from mesh.adapters.kafka_sender import KafkaSender
    from mesh.event import FRAME_BYTES, EventIds
    from mesh.publishing import Publisher

    port = _fake(product, 0, folder).port
    topic = kafka.topic(port.topic)
    sender = KafkaSender(kafka.bootstrap)
    with Publisher(port, 1, sender, EventIds(os.urandom(8)), lambda: datetime.now(UTC)) as publish:
        publish.many(events)
    receiver, values = BoundedReceiver(kafka.bootstrap, topic), []
    try:
        while not receiver.at_end():
            values += [m.value() for m in receiver.take(10_000, 1.0)]
    finally:
        receiver.close()
    read: list[dict[str, Any]] = port.codec.decode([v[FRAME_BYTES:] for v in values if v]).to_pylist()
    return read


def _fake(product: str | Contract, seed: int, folder: Path | None) -> Fake:
    from mesh.fake import Fake, contract_named
    from mesh.testing.declared import declaration_around

    if isinstance(product, Contract):
        return Fake(product, seed)
    found = declaration_around(folder)
    return Fake(contract_named(product, found), seed, found.contracts.values())
