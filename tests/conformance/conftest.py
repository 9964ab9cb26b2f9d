"""Conformance: the same sentences must hold on the embedded broker and on real Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import World, make_world


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> RunningBroker:
    """Each broker in turn; `.bootstrap` is where its clients connect."""
    running: RunningBroker = request.getfixturevalue(f"{request.param}_broker")
    return running


@pytest.fixture(scope="module")
def world(broker: RunningBroker) -> Iterator[World]:
    """What rows of single requests ask about."""
    with make_world(broker) as made:
        yield made
