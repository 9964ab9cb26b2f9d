"""Totals of events: added once, kept with the positions they stand for, forgotten when they are over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.errors import MeshError, UsageError
from mesh.streams.state import State
from tests.unit.streams_kit import HOUR, HOURLY, PER_NAME, Log, batch

HOPPING = replace(HOURLY, window=3 * HOUR, every=HOUR)
FORGETTING = replace(HOURLY, keep=2 * HOUR)


def test_totals_of_batches_add_up() -> None:
    log = Log(HOURLY)
    log.count(("a", 0, 1), ("b", 0, 1), ("a", 0, 1))

    assert log.count(("a", 0, 1), ("a", 1, 1)).events == [
        {"name": "a", "hour": 0, "count": 3},
        {"name": "a", "hour": 1, "count": 1},
    ]


def test_nothing_counts_before_it_is_kept() -> None:
    state = State(HOURLY)
    state.count(batch([("a", 0, 1)]), {0: 1})

    assert state.position(0) is None
    assert state.count(batch([("a", 0, 1)]), {0: 1}).events == [{"name": "a", "hour": 0, "count": 1}]


def test_the_position_follows_what_is_done_with_even_when_nothing_was_counted() -> None:
    log = Log(HOURLY)
    log.count(ends={2: 41})

    assert (log.state.position(2), log.state.position(0)) == (41, None)


def test_what_was_kept_is_gone_on_with_after_a_restart() -> None:
    log = Log(HOURLY)
    log.count(("a", 0, 1), ends={0: 1, 3: 10})
    log.restart()

    assert [log.state.position(partition) for partition in (0, 1, 3)] == [1, None, 10]
    assert log.count(("a", 0, 1)).events == [{"name": "a", "hour": 0, "count": 2}]


def test_a_table_has_one_total_per_key_for_ever() -> None:
    log = Log(PER_NAME)
    log.count(("a", 0, 5), ("b", 7, 1))
    log.restart()

    assert log.count(("a", 9_000, 2)).events == [{"name": "a", "count": 2, "amount": 7}]


def test_a_table_may_go_by_the_order_of_its_events() -> None:
    log = Log(replace(PER_NAME, merge=lambda before, latest: latest))
    log.count(("a", 0, 5))

    assert log.count(("a", 0, 3)).events == [{"name": "a", "count": 1, "amount": 3}]


def test_a_stream_is_joined_with_the_tables_of_other_products() -> None:
    stream = replace(PER_NAME, tables=("tests.groups",))
    groups = pa.table({"name": ["a", "b"], "group": ["first", "first"]})

    changes = State(stream).count(batch([("a", 0, 1), ("b", 0, 1), ("c", 0, 1)]), {}, [groups])

    assert changes.events == [
        {"name": "c", "count": 1, "amount": 1},
        {"name": "first", "count": 2, "amount": 2},
    ]


def test_an_event_is_in_every_window_that_covers_it() -> None:
    assert Log(HOPPING).count(("a", 5, 1)).events == [
        {"name": "a", "hour": 3, "count": 1},
        {"name": "a", "hour": 4, "count": 1},
        {"name": "a", "hour": 5, "count": 1},
    ]


def test_an_event_of_hopping_windows_is_kept_once() -> None:
    log = Log(HOPPING)
    log.count(("a", 5, 1))

    assert [name for name in log.entries if name.startswith("window/")] == [
        "window/2013-01-01T05:00:00+00:00/a"
    ]


@given(hours=st.lists(st.integers(0, 12), max_size=30), cut=st.integers(0, 30), hops=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_a_hopping_window_holds_what_happened_within_it(hours: list[int], cut: int, hops: int) -> None:
    log = Log(replace(HOPPING, window=hops * HOUR))
    changes = [log.count(*(("a", hour, 1) for hour in part)) for part in (hours[:cut], hours[cut:])]

    found = {event["hour"]: event["count"] for change in changes for event in change.events}

    wanted = Counter(hour - back for hour in hours for back in range(hops))
    assert found == wanted


def test_windows_that_ended_long_before_the_newest_event_are_forgotten() -> None:
    log = Log(FORGETTING)
    log.count(("a", 0, 1), ("a", 1, 1))
    changes = log.count(("b", 3, 1))

    assert [name for name, entry in changes.entries.items() if entry is None] == [
        "window/2013-01-01T00:00:00+00:00/a"
    ]
    assert sorted(name.rpartition("/")[2] for name in log.entries) == ["a", "b"]


def test_an_event_of_a_window_that_is_forgotten_changes_nothing_and_is_counted() -> None:
    log = Log(FORGETTING)
    log.count(("a", 0, 1), ("b", 3, 1))
    log.restart()

    changes = log.count(("a", 0, 1), ("a", 2, 1))

    assert (changes.late, changes.events) == (1, [{"name": "a", "hour": 2, "count": 1}])


def test_events_of_one_batch_are_never_too_late_for_one_another() -> None:
    """Else where batches are cut would decide what a history adds up to."""
    log = Log(FORGETTING)
    changes = log.count(("a", 0, 1), ("b", 9, 1))

    assert [event["hour"] for event in changes.events] == [0, 9]
    assert [name.rpartition("/")[2] for name in log.entries] == ["b"]


def test_a_hopping_window_that_has_ended_is_not_said_again_from_what_is_left_of_it() -> None:
    log = Log(replace(HOPPING, keep=timedelta(0)))
    log.count(("a", 0, 1), ("a", 1, 1), ("a", 2, 1), ("a", 3, 1))

    assert log.count(("a", 2, 1)).events == [
        {"name": "a", "hour": 1, "count": 4},
        {"name": "a", "hour": 2, "count": 3},
    ]


def test_events_that_the_function_refuses_are_set_aside_and_the_others_count() -> None:
    events = [("a", 0, 1)] * 100
    events[7] = events[63] = ("a", 0, -1)

    changes = State(HOURLY).count(batch(events), {})

    assert [(row, error.error_code) for row, error in changes.unfit] == [(7, "MESH-E001"), (63, "MESH-E001")]
    assert changes.events == [{"name": "a", "hour": 0, "count": 98}]


def test_a_few_refused_events_among_thousands_ask_the_function_little_more() -> None:
    calls = []

    def counting(rows: pa.RecordBatch) -> object:
        calls.append(rows.num_rows)
        return HOURLY.summarise(rows)

    events = [("a", 0, 1)] * 4_096
    events[100] = ("a", 0, -1)

    State(replace(HOURLY, summarise=counting)).count(batch(events), {})

    assert sum(calls) <= 3 * len(events)


@pytest.mark.parametrize("kept", [{"count": 1}, [{"count": 1, "amount": 1}, [1]]])
def test_kept_totals_with_other_fields_are_refused(kept: object) -> None:
    state = State(HOURLY)
    state.recover({"window/2013-01-01T00:00:00+00:00/a": kept})

    with pytest.raises(MeshError, match="MESH-M070"):
        state.count(batch([("a", 0, 1)]), {})


def test_totals_that_are_no_dataclass_are_refused() -> None:
    with pytest.raises(UsageError, match="MESH-U070"):
        replace(PER_NAME, totals=int)


def test_a_window_without_length_is_refused() -> None:
    with pytest.raises(UsageError, match="MESH-U071"):
        replace(HOURLY, window=timedelta(0))


@pytest.mark.parametrize("every", [timedelta(0), timedelta(minutes=7), 2 * HOUR])
def test_windows_that_are_not_made_of_whole_stretches_are_refused(every: timedelta) -> None:
    with pytest.raises(UsageError, match="MESH-K043"):
        replace(HOURLY, every=every)


def test_a_window_that_would_be_forgotten_before_it_ends_is_refused() -> None:
    with pytest.raises(UsageError, match="MESH-K044"):
        replace(HOURLY, keep=-HOUR)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_crashes_before_a_batch_is_kept_never_change_the_sums(data: st.DataObject) -> None:
    """Any cut into batches; a batch that is not kept is read again from the kept position."""
    names = data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
    log = Log(PER_NAME)
    while (at := log.state.position(0) or 0) < len(names):
        end = data.draw(st.integers(at + 1, len(names)))
        rows = [(name, 0, 1) for name in names[at:end]]
        if data.draw(st.booleans()):
            log.state.count(batch(rows), {0: end})
            log.restart()
        else:
            log.count(*rows, ends={0: end})

    last = {name: log.count((name, 0, 0)).events[0]["count"] - 1 for name in set(names)}

    assert last == Counter(names)
