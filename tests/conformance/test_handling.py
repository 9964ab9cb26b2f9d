"""Handlers: retries, order per key, dead letters; the same sentences on both brokers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mesh.connection import Mesh
from mesh.handling import Event, Handled, Retries
from mesh_platform.brokers import RunningBroker
from tests.conformance.declared import applied, declaration, fresh_name, platform_on
from tests.conformance.test_data_plane import letters, publish, reading

AT_ONCE = Retries(waits=(0, 0))


@pytest.fixture(scope="module")
def mesh(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with platform_on(broker.bootstrap, tmp_path_factory.mktemp("platform")) as connected:
        yield connected


@pytest.fixture
def product(mesh: Mesh) -> str:
    name = fresh_name()
    applied(mesh, declaration(name))
    return f"tests.{name}"


class Book:
    """A handler that remembers, and fails for some temperatures as often as it is told to."""

    def __init__(self, **failing: int) -> None:
        self.kept: list[float] = []
        self.tried: list[float] = []
        self.failing = {float(name[1:]): times for name, times in failing.items()}

    def __call__(self, event: Event) -> None:
        celsius = event["celsius"]
        self.tried.append(celsius)
        if self.failing.get(celsius, 0) > 0:
            self.failing[celsius] -= 1
            raise LookupError(f"no book for {celsius}")
        self.kept.append(celsius)

    def until(self, count: int) -> Callable[[], bool]:
        turns = iter(range(200))
        return lambda: len(self.kept) < count and next(turns, None) is not None


def run(
    mesh: Mesh, product: str, book: Book, count: int, retries: Retries = AT_ONCE, group: str = ""
) -> Handled:
    with mesh.handling(product, group=group or f"tests.{fresh_name()}", retries=retries) as handling:
        return handling.each(book, book.until(count))


def of_one_key(*celsius: float) -> list[dict[str, Any]]:
    return [{**reading(5 * number), "celsius": value} for number, value in enumerate(celsius)]


def test_an_event_that_fails_is_tried_again_and_later_ones_of_its_key_wait_behind_it(
    mesh: Mesh, product: str
) -> None:
    publish(mesh, product, of_one_key(1, 2, 3, 4))
    book = Book(_2=2)
    handled = run(mesh, product, book, 4)
    assert book.kept == [1, 2, 3, 4]
    assert book.tried == [1, 2, 2, 2, 3, 4]
    assert handled == Handled(events=4, failures=2)


def test_what_fails_for_good_is_a_dead_letter_with_its_bytes_and_the_others_go_on(
    mesh: Mesh, product: str
) -> None:
    publish(mesh, product, of_one_key(1, 2, 3))
    (sent,) = [
        message
        for batch in mesh.read(product).batches()
        for row, message in zip(batch.rows(), batch.messages, strict=True)
        if row["celsius"] == 2
    ]
    book = Book(_2=99)
    handled = run(mesh, product, book, 2, group="tests.books")
    assert book.kept == [1, 3]
    assert (handled.failures, handled.dead_letters) == (3, 1)
    (letter,) = letters(mesh, product)
    assert (letter.key(), letter.value()) == (sent.key(), sent.value())
    headers = dict(letter.headers())
    assert headers.items() >= dict(sent.headers()).items()
    assert headers["mesh.dlq.code"] == b"MESH-E090"
    assert headers["mesh.dlq.reason"] == b"LookupError: no book for 2.0"
    assert headers["mesh.dlq.failures"] == b"3"
    assert headers["mesh.dlq.group"] == b"tests.books"
    assert headers["__streams.errors.offset"] == str(sent.offset()).encode()
