"""What conformance tests that speak in single requests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import World, make_world
from tests.conformance.raw_transactions import Producer


@pytest.fixture
def producer(broker: RunningBroker) -> Iterator[Producer]:
    """A transactional producer made by hand."""
    made = Producer(broker.bootstrap)
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(broker: RunningBroker) -> Iterator[World]:
    """What rows of single requests ask about."""
    with make_world(broker) as made:
        yield made
