"""Kafka for your tests: a broker of their own, in a process of its own, from pip.

    from mesh.testing import start_broker

    with start_broker() as kafka:
        topic = kafka.topic()

With pytest nothing is imported: ask for the fixture `kafka` or `kafka_topic`.

    from mesh.testing import fake_events

    rows = fake_events("operations.departures", 100, seed=7)

Assertions, a rehearsal of handlers, and a whole mesh for tests: docs/guides/testing.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.testing.broker import Broker, start_broker
    from mesh.testing.contracts import assert_contract
    from mesh.testing.data import broken_rules, fake_batch, fake_events, round_trip
    from mesh.testing.rehearsal import batches, rehearse, rows
    from mesh.testing.report import Rehearsal
    from mesh.testing.whole import start_mesh

__all__ = [
    "Broker",
    "Rehearsal",
    "assert_contract",
    "batches",
    "broken_rules",
    "fake_batch",
    "fake_events",
    "rehearse",
    "round_trip",
    "rows",
    "start_broker",
    "start_mesh",
]

_HOMES = {
    "Broker": "broker",
    "Rehearsal": "report",
    "assert_contract": "contracts",
    "batches": "rehearsal",
    "rehearse": "rehearsal",
    "rows": "rehearsal",
    "start_broker": "broker",
    "start_mesh": "whole",
}


def __getattr__(name: str) -> Any:
    # Every pytest session opens this door on its way to the plugin; most ask for nothing.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f"mesh.testing.{_HOMES.get(name, 'data')}"), name)
    raise AttributeError(f"module 'mesh.testing' has no attribute {name!r}")
