"""Kafka for your tests: a broker of their own, in a process of its own, from pip.

    from mesh.testing import start_broker

    with start_broker() as kafka:
        topic = kafka.topic()

With pytest nothing is imported: ask for the fixture `kafka` or `kafka_topic`.

    from mesh.testing import fake_events

    rows = fake_events("operations.departures", 100, seed=7)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.testing.broker import Broker, start_broker
    from mesh.testing.data import fake_batch, fake_events

__all__ = ["Broker", "fake_batch", "fake_events", "start_broker"]

_HOMES = {"fake_batch": "mesh.testing.data", "fake_events": "mesh.testing.data"}


def __getattr__(name: str) -> Any:
    # Every pytest session opens this door on its way to the plugin; most ask for nothing.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(_HOMES.get(name, "mesh.testing.broker")), name)
    raise AttributeError(f"module 'mesh.testing' has no attribute {name!r}")
