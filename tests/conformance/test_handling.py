"""Handlers: retries, order per key, dead letters; the same sentences on both brokers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.connection import Mesh
from mesh.decoding import Batch
from mesh.errors import EventError, MeshError, UnreachableError
from mesh.handling import Event, Handled, Retries
from mesh.subscription import Subscription
from tests.conformance.declared import fresh_name
from tests.conformance.readings import letters, publish, reading, send_raw

AT_ONCE = Retries(waits=(0, 0))


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


def test_other_keys_do_not_wait_for_one_that_fails(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [reading(number) for number in range(10)])
    book = Book(_3=99)
    run(mesh, product, book, 8, Retries(waits=(600,)))
    assert sorted(book.kept) == [0, 1, 2, 4, 5, 6, 7, 9]


def test_what_waits_is_tried_again_by_whoever_comes_next_and_in_order(mesh: Mesh, product: str) -> None:
    group = f"tests.{fresh_name()}"
    publish(mesh, product, of_one_key(1, 2, 3))
    first = Book(_1=99)
    with mesh.handling(product, group=group, retries=Retries(waits=(0.1, 1))) as handling:
        handling.each(first, turns(200, lambda: len(first.tried) < 2))
    assert first.tried == [1, 1]
    publish(mesh, product, of_one_key(4))
    later = Book(_1=1)
    with mesh.handling(product, group=group, retries=Retries(waits=(0, 0, 0))) as handling:
        handling.each(later, later.until(4))
        assert (later.tried, handling.waiting) == ([1, 1, 2, 3, 4], 0)


def test_a_batch_that_fails_is_halved_until_the_events_that_fail_are_found(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [reading(number) for number in range(20)])
    kept: list[float] = []
    sizes: list[int] = []

    def book(batch: Batch) -> None:
        sizes.append(len(batch))
        if {7.0, 13.0} & {row["celsius"] for row in batch.rows()}:
            raise LookupError("no book")
        kept.extend(row["celsius"] for row in batch.rows())

    with mesh.handling(product, group=f"tests.{fresh_name()}", retries=Retries(waits=())) as handling:
        handled = handling.batches(book, turns(200, lambda: len(kept) < 18))
    assert sorted(kept) == [float(number) for number in range(20) if number not in (7, 13)]
    assert sizes[0] > sizes[1]
    assert [dict(letter.headers())["mesh.dlq.failures"] for letter in letters(mesh, product)] == [b"1"] * 2
    assert handled.dead_letters == 2


async def test_a_coroutine_function_handles_events_by_the_same_rules(mesh: Mesh, product: str) -> None:
    publish(mesh, product, of_one_key(1, 2, 3))
    book = Book(_2=1)

    async def handle(event: Event) -> None:
        book(event)

    with mesh.handling(product, group=f"tests.{fresh_name()}", retries=AT_ONCE) as handling:
        handled = await handling.aeach(handle, book.until(3))
    assert book.tried == [1, 2, 2, 3]
    assert handled == Handled(events=3, failures=1)


def test_a_dead_letter_that_is_not_taken_stops_the_run_and_nothing_is_lost(mesh: Mesh, product: str) -> None:
    group = f"tests.{fresh_name()}"
    letter_topic = mesh.port(product).dead_letters
    admin = KafkaAdmin(mesh.settings.bootstrap)
    admin.alter_topic(letter_topic, {"max.message.bytes": "100"})
    publish(mesh, product, of_one_key(1, 2, 3))
    book = Book(_2=1)
    with pytest.raises(EventError) as refusal:
        run(mesh, product, book, 3, Retries(waits=()), group=group)
    assert refusal.value.error_code == "MESH-K021"
    assert str(refusal.value.where).startswith(letter_topic)
    again = Book(_2=99)
    admin.alter_topic(letter_topic, {"max.message.bytes": "1000000"})
    run(mesh, product, again, 2, Retries(waits=()), group=group)
    assert again.kept == [1, 3]
    assert len(letters(mesh, product)) == 1


def test_poison_stops_nobody_and_a_broken_dead_letter_topic_stops_before_anything_is_skipped(
    mesh: Mesh, product: str
) -> None:
    group = f"tests.{fresh_name()}"
    letter_topic = mesh.port(product).dead_letters
    admin = KafkaAdmin(mesh.settings.bootstrap)
    admin.alter_topic(letter_topic, {"max.message.bytes": "100"})
    send_raw(mesh, product, b"no frame at all")
    publish(mesh, product, [reading(1)])
    with mesh.subscribe(product, group=group) as subscription:
        seen: list[float] = []
        with pytest.raises(EventError, match="acknowledged"):
            polled(subscription, seen, lambda: False)
        admin.alter_topic(letter_topic, {"max.message.bytes": "1000000"})
        polled(subscription, seen, lambda: subscription.buried == 1 and seen == [1])
    assert [letter.value() for letter in letters(mesh, product)] == [b"no frame at all"]


def test_an_error_that_is_no_events_fault_ends_the_run_and_the_events_come_again(
    mesh: Mesh, product: str
) -> None:
    group = f"tests.{fresh_name()}"
    publish(mesh, product, of_one_key(1, 2))

    def away(event: Event) -> None:
        raise UnreachableError("the database does not answer")

    with mesh.handling(product, group=group) as handling:
        with pytest.raises(UnreachableError):
            handling.each(away)
        with pytest.raises(MeshError, match="ended with an error"):
            handling.each(away)
    book = Book()
    run(mesh, product, book, 2, group=group)
    assert book.kept == [1, 2]


def test_while_too_many_wait_nothing_new_is_taken(mesh: Mesh, product: str) -> None:
    group = f"tests.{fresh_name()}"
    publish(mesh, product, [reading(number) for number in range(4)])
    broken = Book(_0=99, _1=99, _2=99, _3=99, _9=99)
    with mesh.handling(product, group=group, retries=Retries(waits=(600,), most_waiting=4)) as handling:
        handling.each(broken, turns(200, lambda: handling.waiting < 4))
        publish(mesh, product, [reading(9)])
        handling.each(broken, turns(2, lambda: True))
        assert (handling.waiting, 9 in broken.tried) == (4, False)


def turns(most: int, going_on: Callable[[], bool]) -> Callable[[], bool]:
    """At most so many turns, so that a test that is wrong ends."""
    left = iter(range(most))
    return lambda: going_on() and next(left, None) is not None


def polled(subscription: Subscription, seen: list[float], done: Callable[[], bool]) -> None:
    for _ in range(100):
        if done():
            return
        if (batch := subscription.poll()) is not None:
            seen += [row["celsius"] for row in batch.rows()]
    raise AssertionError("it did not come to pass")
