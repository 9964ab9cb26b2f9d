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
    from mesh.testing.data import broken_rules, fake_batch, fake_events, round_trip

__all__ = ["Broker", "broken_rules", "fake_batch", "fake_events", "round_trip", "start_broker"]

_OF_BROKER = ("Broker", "start_broker")


def __getattr__(name: str) -> Any:
    # Every pytest session opens this door on its way to the plugin; most ask for nothing.
    if name in __all__:
        from importlib import import_module

        home = "broker" if name in _OF_BROKER else "data"
        return getattr(import_module(f"mesh.testing.{home}"), name)
    raise AttributeError(f"module 'mesh.testing' has no attribute {name!r}")
