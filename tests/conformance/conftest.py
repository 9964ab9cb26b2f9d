"""What conformance tests that speak in single requests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh_platform.brokers import RunningBroker
from tests.conformance.raw_transactions import Producer


@pytest.fixture
def producer(broker: RunningBroker) -> Iterator[Producer]:
    """A transactional producer made by hand."""
    made = Producer(broker.bootstrap)
    yield made
    made.close()
