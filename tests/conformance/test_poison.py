"""Of every kind of poison the original bytes are set aside, and nothing else is, and nobody waits for it."""

from __future__ import annotations

from mesh.connection import Mesh
from tests.conformance.declared import applied, declaration, fresh_name
from tests.conformance.poison import events, kinds, read, send, spoiled

EVENTS = 3_000


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
