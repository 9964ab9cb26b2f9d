"""Kafka for your tests: a broker of their own, in a process of its own, from pip.

    from mesh.testing import start_broker

    with start_broker() as kafka:
        topic = kafka.topic()

With pytest nothing is imported: ask for the fixture `kafka` or `kafka_topic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.testing.broker import Broker, start_broker

__all__ = ["Broker", "start_broker"]


def __getattr__(name: str) -> Any:
    # Every pytest session opens this door on its way to the plugin; most ask for nothing.
    if name in __all__:
        from mesh.testing import broker

        return getattr(broker, name)
    raise AttributeError(f"module 'mesh.testing' has no attribute {name!r}")
