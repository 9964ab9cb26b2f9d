"""Going on from the kept position, whatever was committed."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.streams.order import Resumption


@dataclass(frozen=True)
class At:
    """A record that is only a place."""

    p: int
    o: int

    def partition(self) -> int:
        return self.p

    def offset(self) -> int:
        return self.o


def offsets(records: list[At]) -> list[int]:
    return [record.o for record in records]


def test_an_unknown_partition_begins_where_it_begins() -> None:
    kept, back = Resumption({}.get).sift([At(0, 7), At(0, 9)], generation=1)

    assert (offsets(kept), back) == ([7, 9], {})


def test_events_before_the_position_come_through_to_be_counted_out() -> None:
    kept, back = Resumption({0: 5}.get).sift([At(0, 3), At(0, 4), At(0, 5)], generation=1)

    assert (offsets(kept), back) == ([3, 4, 5], {})


def test_a_first_event_beyond_the_position_sends_the_reading_back() -> None:
    kept, back = Resumption({0: 5}.get).sift([At(0, 8), At(0, 9)], generation=1)

    assert (offsets(kept), back) == ([], {0: 5})


def test_what_was_on_its_way_is_dropped_until_the_reading_is_back() -> None:
    resumption = Resumption({0: 5}.get)
    resumption.sift([At(0, 8), At(0, 9)], generation=1)

    kept, back = resumption.sift([At(0, 10), At(0, 5), At(0, 6), At(0, 8)], generation=1)

    assert (offsets(kept), back) == ([5, 6, 8], {})


def test_a_gap_that_is_in_the_topic_itself_is_accepted_the_second_time() -> None:
    resumption = Resumption({0: 5}.get)
    resumption.sift([At(0, 8)], generation=1)

    kept, back = resumption.sift([At(0, 8), At(0, 9)], generation=1)

    assert (offsets(kept), back) == ([8, 9], {})


def test_gaps_later_in_a_generation_are_the_topics_own() -> None:
    resumption = Resumption({0: 5}.get)
    resumption.sift([At(0, 5)], generation=1)

    assert resumption.sift([At(0, 99)], generation=1) == ([At(0, 99)], {})


def test_every_generation_is_checked_anew() -> None:
    positions = {0: 5}
    resumption = Resumption(positions.get)
    resumption.sift([At(0, 5)], generation=1)
    positions[0] = 6

    assert resumption.sift([At(0, 9)], generation=2) == ([], {0: 6})


def test_partitions_are_told_apart() -> None:
    kept, back = Resumption({0: 5, 1: 0}.get).sift([At(0, 8), At(1, 0)], generation=1)

    assert (kept, back) == ([At(1, 0)], {0: 5})
