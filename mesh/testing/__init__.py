"""Kafka for your tests: a broker of their own, in a process of its own, from pip.

    from mesh.testing import start_broker

    with start_broker() as kafka:
        topic = kafka.topic()

With pytest nothing is imported: ask for the fixture `kafka` or `kafka_topic`.
"""

from __future__ import annotations

from mesh.testing.broker import Broker, start_broker

__all__ = ["Broker", "start_broker"]
