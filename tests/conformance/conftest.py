"""What conformance tests share: one mesh over each broker, and what speaks in single requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.connection import Mesh
from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import World, make_world
from tests.conformance.declared import platform_on
from tests.conformance.raw_transactions import Producer
from tests.conformance.readings import new_product


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


@pytest.fixture(scope="session")
def mesh(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A platform over the broker; tests keep apart by the names of their products."""
    with platform_on(broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


@pytest.fixture
def product(mesh: Mesh) -> str:
    """A declared product with an empty topic of two partitions."""
    return new_product(mesh)
