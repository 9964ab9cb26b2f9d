"""Windows of totals: every event counted once, however often and however cut it comes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.errors import MeshError, UsageError
from mesh.streams.model import Key, WindowedStream
from mesh.streams.totals import Counted, WindowTotals

MIDNIGHT = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sum:
    count: int
    amount: int

    def merge(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.amount + other.amount)


def summarise(batch: pa.RecordBatch) -> Mapping[Key, Sum]:
    found: dict[Key, Sum] = {}
    for row in batch.to_pylist():
        key = (row["name"], MIDNIGHT)
        one = Sum(1, row["amount"])
        found[key] = found[key].merge(one) if key in found else one
    return found


STREAM = WindowedStream(
    product="tests.sums",
    reads="tests.amounts",
    window=timedelta(days=1),
    totals=Sum,
    summarise=summarise,
    merge=Sum.merge,
    to_event=lambda key, totals: {"name": key[0], "count": totals.count},
)

Event = tuple[int, int, str]  # partition, offset, name; the amount is the offset


def counted(totals: WindowTotals[Sum], events: Sequence[Event]) -> Counted[Sum]:
    rows = pa.RecordBatch.from_pylist([{"name": name, "amount": offset} for _, offset, name in events])
    ends = {
        partition: max(o for p, o, _ in events if p == partition) + 1 for partition in {e[0] for e in events}
    }
    return totals.count(rows, [(partition, offset) for partition, offset, _ in events], ends)


def count(totals: WindowTotals[Sum], events: Sequence[Event], log: dict[str, Any] | None = None) -> Any:
    """Count and keep; `log` is what a changelog would hold after."""
    found = counted(totals, events)
    totals.keep(found)
    if log is not None:
        log.update(found.entries)
    return dict(found.windows)


def recovered(log: Mapping[str, Any]) -> WindowTotals[Sum]:
    totals = WindowTotals(STREAM)
    totals.recover(json.loads(json.dumps(log)))
    return totals


def sums(log: Mapping[str, Any]) -> dict[str, int]:
    return {name.rpartition("/")[2]: e[0]["count"] for name, e in log.items() if name.startswith("window/")}


def test_totals_of_batches_add_up() -> None:
    totals = WindowTotals(STREAM)
    count(totals, [(0, 0, "a"), (0, 1, "b"), (0, 2, "a")])

    assert count(totals, [(0, 3, "a"), (1, 0, "a")]) == {("a", MIDNIGHT): Sum(4, 5)}


def test_nothing_counts_before_it_is_kept() -> None:
    totals = WindowTotals(STREAM)
    counted(totals, [(0, 0, "a")])

    assert totals.position(0) is None
    assert count(totals, [(0, 0, "a")]) == {("a", MIDNIGHT): Sum(1, 0)}


def test_a_batch_that_comes_again_changes_nothing() -> None:
    totals = WindowTotals(STREAM)
    events = [(0, 0, "a"), (1, 0, "b"), (0, 1, "a")]
    count(totals, events)

    assert count(totals, events) == {}
    assert count(totals, [(0, 2, "a")]) == {("a", MIDNIGHT): Sum(3, 3)}


def test_events_of_a_known_and_a_new_stretch_in_one_batch_are_told_apart() -> None:
    totals = WindowTotals(STREAM)
    count(totals, [(0, 0, "a"), (0, 1, "a")])

    windows = count(totals, [(0, 0, "a"), (0, 1, "a"), (0, 2, "a"), (1, 0, "a")])

    assert windows == {("a", MIDNIGHT): Sum(4, 3)}


def test_a_window_that_was_not_written_is_counted_again_and_its_neighbour_is_not() -> None:
    entries = counted(WindowTotals(STREAM), [(0, 0, "a"), (0, 1, "b")]).entries
    written = next(name for name in entries if name.endswith("/a"))
    totals = recovered({written: entries[written]})

    assert count(totals, [(0, 0, "a"), (0, 1, "b")]) == {("b", MIDNIGHT): Sum(1, 1)}


def test_the_position_follows_what_is_done_with_even_when_nothing_was_counted() -> None:
    totals = WindowTotals(STREAM)
    none = pa.RecordBatch.from_pylist([], schema=pa.schema({"name": pa.string(), "amount": pa.int64()}))

    totals.keep(totals.count(none, [], {2: 41}))

    assert (totals.position(2), totals.position(0)) == (41, None)


def test_what_was_kept_is_gone_on_with() -> None:
    log: dict[str, Any] = {}
    count(WindowTotals(STREAM), [(0, 0, "a"), (3, 9, "a")], log)
    totals = recovered(log)

    assert [totals.position(partition) for partition in (0, 1, 3)] == [1, None, 10]
    assert count(totals, [(0, 0, "a"), (3, 9, "a"), (3, 10, "a")]) == {("a", MIDNIGHT): Sum(3, 19)}


def test_recovery_forgets_what_was_not_kept() -> None:
    totals = WindowTotals(STREAM)
    count(totals, [(0, 0, "a")])

    totals.recover({})

    assert count(totals, [(0, 0, "a")]) == {("a", MIDNIGHT): Sum(1, 0)}


def test_kept_totals_with_other_fields_are_refused() -> None:
    totals = recovered({f"window/{MIDNIGHT.isoformat()}/a": [{"count": 1}, [1]]})

    with pytest.raises(MeshError, match="MESH-M070"):
        count(totals, [(0, 5, "a")])


def test_totals_that_are_no_dataclass_are_refused() -> None:
    with pytest.raises(UsageError, match="MESH-U070"):
        WindowedStream(
            product="tests.sums",
            reads="tests.amounts",
            window=timedelta(days=1),
            totals=int,
            summarise=lambda batch: {},
            merge=int.__add__,
            to_event=lambda key, totals: {},
        )


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_crashes_and_repeats_never_change_the_sums(data: st.DataObject) -> None:
    """Any cut into batches, any part of a batch written before a crash, any step back: the sums are right."""
    lanes = data.draw(
        st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), min_size=1, max_size=3)
    )
    log: dict[str, Any] = {}
    totals = WindowTotals(STREAM)
    at = [0] * len(lanes)
    safe = list(at)  # the reading never begins after this
    for _ in range(40):
        take = [data.draw(st.integers(0, 5)) for _ in lanes]
        events = [
            (lane, offset, names[offset])
            for lane, names in enumerate(lanes)
            for offset in range(at[lane], min(at[lane] + take[lane], len(names)))
        ]
        if not events:
            continue
        match data.draw(st.sampled_from(["count", "count", "crash", "go back"])):
            case "crash":
                entries = counted(totals, events).entries
                written = data.draw(st.lists(st.sampled_from(sorted(entries)), unique=True))
                log.update({name: entries[name] for name in written})
                totals = recovered(log)
                at = list(safe)
            case "go back":
                at = list(safe)
            case _:
                count(totals, events, log)
                at = [min(a + t, len(names)) for a, t, names in zip(at, take, lanes, strict=True)]
                safe = (
                    [max(a, s) for a, s in zip(at, safe, strict=True)] if data.draw(st.booleans()) else safe
                )
    for lane, names in enumerate(lanes):
        if at[lane] < len(names):
            count(totals, [(lane, offset, names[offset]) for offset in range(at[lane], len(names))], log)

    assert sums(log) == Counter(name for names in lanes for name in names)


def test_a_window_without_length_is_refused() -> None:
    with pytest.raises(UsageError, match="MESH-U071"):
        replace(STREAM, window=timedelta(0))
