"""One batch through one handler: who failed is found, and nobody overtakes an event of the same key."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from mesh.decoding import Batch
from mesh.errors import EventError, NotAcknowledged, Position, UsageError
from mesh.event.record import Record
from mesh.handling import Event, Retries
from mesh.handling.attempts import driven, event_by_event, whole_batches
from mesh.handling.waiting import WRITER, Waiting, waiting_of


def record(offset: int, key: bytes | None = b"k", partition: int = 0) -> Record:
    headers = (("mine", b"kept"), ("mesh.retry.due", b"a stranger's"))
    return Record(Position("shop.orders.v1", partition, offset), key, b"\0value", headers, 17)


def batch(*keys: bytes | None) -> Batch:
    records = [record(offset, key) for offset, key in enumerate(keys)]
    return Batch(pa.RecordBatch.from_pydict({"number": list(range(len(keys)))}), records)


def failing(*numbers: int) -> Callable[[Event], None]:
    def handle(event: Event) -> None:
        if event["number"] in numbers:
            raise LookupError(event["number"])

    return handle


def failing_batch(*numbers: int) -> Callable[[Batch], None]:
    def handle(part: Batch) -> None:
        if set(numbers) & {row["number"] for row in part.rows()}:
            raise LookupError(part)

    return handle


def test_later_events_of_a_key_wait_behind_one_that_failed_and_others_do_not() -> None:
    outcome = driven(event_by_event(batch(b"a", b"b", b"a", b"b")), failing(0), ())
    assert (list(outcome.failed), outcome.behind) == ([0], [2])


def test_events_without_a_key_wait_for_nobody() -> None:
    outcome = driven(event_by_event(batch(None, None)), failing(0), ())
    assert (list(outcome.failed), outcome.behind) == ([0], [])


def test_a_failing_batch_comes_in_halves_until_the_events_that_fail_stand_alone() -> None:
    outcome = driven(whole_batches(batch(*(b"%d" % n for n in range(100)))), failing_batch(17, 60), ())
    assert sorted(outcome.failed) == [17, 60]
    assert outcome.behind == []


def test_in_halves_too_nobody_overtakes_an_event_of_the_same_key() -> None:
    outcome = driven(whole_batches(batch(*(b"k" for _ in range(8)))), failing_batch(2), ())
    assert (list(outcome.failed), sorted(outcome.behind)) == ([2], [3, 4, 5, 6, 7])


def test_what_is_no_events_fault_is_raised() -> None:
    with pytest.raises(LookupError):
        driven(event_by_event(batch(b"a")), failing(0), (LookupError,))


@pytest.mark.parametrize("key", [None, b"", b"\xff\x00", b"7-7"])
def test_a_waiting_event_comes_back_from_its_record_as_it_was(key: bytes | None) -> None:
    waiting = Waiting(record(7, key)).failed(LookupError("no book"), 12.5).failed(LookupError("still"), 99.5)
    headers = [(WRITER, b"me"), *waiting.headers()]
    written = Record(Position("retry", 0, 0), waiting.origin.key(), b"\0value", tuple(headers), 1)
    found = waiting_of(written, "shop.orders.v1")
    assert found == Waiting(record(7, key), 2, 99.5, "MESH-E090", "LookupError: still")


def test_a_strangers_record_on_a_retry_topic_is_no_waiting_event() -> None:
    assert waiting_of(record(1), "shop.orders.v1") is None


def test_an_event_waits_as_long_as_its_failures_say_and_is_then_a_dead_letter() -> None:
    retries = Retries(waits=(5, 60))
    assert [retries.after(failures, LookupError()) for failures in (1, 2, 3)] == [5, 60, None]


def test_an_error_that_no_wait_mends_is_a_dead_letter_at_once_and_a_refused_publication_is_none() -> None:
    assert Retries().after(1, EventError("no")) is None
    assert Retries().after(1, NotAcknowledged("the broker is busy")) == 5


def test_a_wait_is_no_less_than_nothing() -> None:
    with pytest.raises(UsageError, match="cannot be kept"):
        Retries(waits=(-1,))
