"""Of every kind of poison the original bytes are set aside, and nothing else is, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.connection import Mesh
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import applied, declaration, fresh_name, platform_on
from tests.conformance.poison import events, kinds, read, send, spoiled

EVENTS = 3_000


@pytest.fixture(scope="module")
def mesh(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


def test_the_dead_letters_are_the_poison_exactly_and_every_other_event_is_read(mesh: Mesh) -> None:
    name = fresh_name()
    applied(mesh, declaration(name))
    product = f"tests.{name}"
    values = events(mesh, product, EVENTS)
    bad = spoiled(values, kinds(mesh, product))
    send(mesh, product, [bad.get(row, value) for row, value in enumerate(values)])
    found = read(mesh, product, EVENTS)
    assert sorted(found.letters, key=repr) == sorted(bad.values(), key=repr)
    assert sorted(found.good) == [row / EVENTS for row in range(EVENTS) if row not in bad]
