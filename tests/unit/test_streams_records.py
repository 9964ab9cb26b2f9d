"""Records on their way through a worker: each once, and the unreadable ones to their topic."""

from __future__ import annotations

from types import SimpleNamespace

from mesh.streams.records import Record, without_gaps, without_repeats


def at(partition: int, offset: int) -> Record:
    return Record(SimpleNamespace(topic="tests.numbers.v1", partition=partition, offset=offset))


def places(records: list[Record]) -> list[tuple[int, int]]:
    return [(record.partition(), record.offset()) for record in records]


def from_the_beginning(partition: int) -> None:
    return None


def test_records_in_order_all_remain() -> None:
    once, ends = without_repeats([at(0, 4), at(1, 0), at(0, 5), at(0, 9)], from_the_beginning)

    assert places(once) == [(0, 4), (1, 0), (0, 5), (0, 9)]
    assert ends == {0: 10, 1: 1}


def test_records_that_come_again_after_the_reading_went_back_are_dropped() -> None:
    once, ends = without_repeats([at(0, 4), at(0, 5), at(0, 4), at(0, 5), at(0, 6)], from_the_beginning)

    assert places(once) == [(0, 4), (0, 5), (0, 6)]
    assert ends == {0: 7}


def test_records_that_were_handled_already_are_dropped() -> None:
    once, ends = without_repeats([at(0, 4), at(0, 5), at(1, 3)], {0: 5, 1: 4}.get)

    assert places(once) == [(0, 5)]
    assert ends == {0: 6}


def test_a_record_has_the_shape_of_the_official_clients_messages() -> None:
    raw = SimpleNamespace(
        topic="tests.numbers.v1", partition=2, offset=7, key=b"k", value=b"v",
        headers=(("trace", b"1"),), timestamp=1_700_000_000.123, timestamp_type=0,
    )  # fmt: skip
    record = Record(raw)

    assert (record.topic(), record.partition(), record.offset()) == ("tests.numbers.v1", 2, 7)
    assert (record.key(), record.value(), record.headers()) == (b"k", b"v", [("trace", b"1")])
    assert record.timestamp() == (0, 1_700_000_000_123)


def test_what_comes_after_something_that_was_left_out_waits_until_it_is_read_again() -> None:
    """A stream of Faust skipped the events 0 to 173 of each partition, and went on with 174."""
    before = {(0, 4): 4, (0, 5): 5, (1, 174): 174, (1, 175): 175}
    stands = {0: 4, 1: 0}

    joined, whole = without_gaps(
        [at(0, 4), at(1, 174), at(0, 5), at(1, 175)], stands.__getitem__, lambda *place: before.get(place)
    )

    assert (places(joined), whole) == ([(0, 4), (0, 5)], False)


def test_offsets_that_hold_no_events_are_no_gap() -> None:
    before = {(0, 4): 2, (0, 9): 5}

    joined, whole = without_gaps([at(0, 4), at(0, 9)], lambda _: 2, lambda *place: before.get(place))

    assert (places(joined), whole) == ([(0, 4), (0, 9)], True)


def test_what_comes_again_is_no_gap() -> None:
    before = {(0, 5): 5}

    joined, whole = without_gaps(
        [at(0, 3), at(0, 5), at(0, 4)], lambda _: 5, lambda *place: before.get(place)
    )

    assert (places(joined), whole) == ([(0, 5)], True)
