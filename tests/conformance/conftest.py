"""Conformance: the same sentences must hold on the embedded broker and on real Apache Kafka."""

from __future__ import annotations

import pytest

from mesh_platform.brokers import RunningBroker


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> RunningBroker:
    """Each broker in turn; `.bootstrap` is where its clients connect."""
    running: RunningBroker = request.getfixturevalue(f"{request.param}_broker")
    return running
