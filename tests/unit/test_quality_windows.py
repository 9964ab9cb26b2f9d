"""Windows cut from a topic: by number, by time, as events of a stream or as a table."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from mesh.codec import to_batch
from mesh.decoding import Decoder
from mesh.event import frame_prefix
from mesh.interfaces import Message
from mesh.schema import AvroSchema
from mesh_platform.quality import worker
from mesh_platform.quality.budget import Overtime, time_budget
from mesh_platform.quality.declared import declaration
from mesh_platform.quality.results import CONTRACT_ID, readability, rows_of
from mesh_platform.quality.suite import Suite
from mesh_platform.quality.tables import LatestEvents
from mesh_platform.quality.windows import TABLE_PATIENCE, ObservedPort, Pace, TopicReader, Window
from tests.unit.contract_kit import contract_of
from tests.unit.contract_kit import field as prop

CONTRACT = contract_of(
    [
        prop("code", required=True, primaryKey=True, logicalTypeOptions={"maxLength": 3}),
        prop("size", "integer"),
    ]
)
PORT = ObservedPort(CONTRACT)
AT_MS = 1_767_225_600_000


@dataclass(frozen=True)
class Record:
    """A Kafka record as it comes in."""

    place: tuple[int, int]
    raw_key: bytes | None
    raw: bytes | None
    at: int = AT_MS

    def topic(self) -> str:
        return CONTRACT.topic

    def partition(self) -> int:
        return self.place[0]

    def offset(self) -> int:
        return self.place[1]

    def key(self) -> bytes | None:
        return self.raw_key

    def value(self) -> bytes | None:
        return self.raw

    def headers(self) -> list[tuple[str, bytes | None]]:
        return []

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at


@dataclass
class Lines:
    """A receiver that hands over what is put into it."""

    waiting: list[Message] = field(default_factory=list)
    commits: int = 0

    def take(self, most: int, _wait_seconds: float) -> Sequence[Message]:
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    def commit(self) -> None:
        self.commits += 1

    def at_end(self) -> bool:
        return not self.waiting

    def close(self) -> None:
        self.waiting = []


class OneSchema:
    """A registry that knows the port's own schema."""

    def schema(self, schema_id: int) -> AvroSchema:
        assert schema_id == 1
        return PORT.schema


@dataclass
class Hand:
    """A clock that goes when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def record(offset: int, code: str | None = None, size: int | None = 1, partition: int = 0) -> Record:
    code = code if code is not None else f"c{offset}"
    batch = to_batch([{"code": code, "size": size}], PORT.codec)
    return Record((partition, offset), code.encode(), PORT.codec.encode(batch, frame_prefix(1))[0])


def tombstone(offset: int, code: str) -> Record:
    return Record((0, offset), code.encode(), None)


def reader(lines: Lines, clock: Hand, pace: Pace, table: LatestEvents | None = None) -> TopicReader:
    registry: Any = OneSchema()
    return TopicReader(PORT, Decoder(PORT, registry), lines, pace, clock, table)


def as_table() -> LatestEvents:
    return LatestEvents(PORT.codec.arrow_schema)


def test_a_window_is_complete_at_its_number_of_events_and_not_one_more() -> None:
    lines = Lines([record(n) for n in range(25)])
    reading = reader(lines, Hand(), Pace(rows=10, seconds=60))

    sizes = [window.events.num_rows for _, window in (reading.poll(0) for _ in range(3)) if window]

    assert sizes == [10, 10]


def test_a_window_is_complete_when_its_time_is_over() -> None:
    clock = Hand()
    reading = reader(Lines([record(0)]), clock, Pace(rows=10, seconds=2))

    assert reading.poll(0) == (1, None)
    clock.now = 1.9
    assert reading.poll(0) == (0, None)
    clock.now = 2.0
    _, window = reading.poll(0)
    assert window is not None
    assert window.events.to_pylist() == [{"code": "c0", "size": 1}]


def test_a_window_says_which_part_of_the_topic_it_is() -> None:
    lines = Lines([record(7, partition=1), record(3), record(4), record(8, partition=1)])

    _, window = reader(lines, Hand(), Pace(rows=4)).poll(0)

    assert window is not None
    assert (window.first_offsets, window.last_offsets) == ("0:3 1:7", "0:4 1:8")
    assert (window.start, window.end) == (datetime(2026, 1, 1, tzinfo=UTC),) * 2


def test_the_next_window_begins_afresh() -> None:
    reading = reader(Lines([record(n) for n in range(4)]), Hand(), Pace(rows=2))

    windows = [reading.poll(0)[1] for _ in range(2)]

    assert [w.first_offsets for w in windows if w] == ["0:0", "0:2"]


def test_nothing_is_committed_while_a_window_is_open() -> None:
    lines = Lines([record(0)])
    reading = reader(lines, Hand(), Pace(rows=2))
    reading.poll(0)
    reading.poll(0)
    assert lines.commits == 0

    lines.waiting = [record(1)]
    assert reading.poll(0)[1] is not None
    reading.done()
    assert lines.commits == 1


def test_an_event_that_breaks_a_record_rule_is_in_the_window() -> None:
    _, window = reader(Lines([record(0, "far too long")]), Hand(), Pace(rows=1)).poll(0)

    assert window is not None
    assert window.events["code"].to_pylist() == ["far too long"]
    (broken,) = [r for r in Suite(CONTRACT).run(window.events) if r.name == "code has its length"]
    assert (broken.status, broken.failed_rows) == ("failed", 1)


def test_an_event_that_cannot_be_read_fails_a_check_of_its_own() -> None:
    lines = Lines([record(0), Record((0, 1), b"x", b"no frame at all")])
    _, window = reader(lines, Hand(), Pace(rows=2)).poll(0)

    assert window is not None
    result = readability(window)
    assert (result.status, result.failed_rows, result.rows) == ("failed", 1, 2)
    assert result.message == "1 of 2 new events cannot be read, allowed none."


def test_a_table_is_looked_at_whole_after_a_pause() -> None:
    clock = Hand()
    lines = Lines([record(0, "a", 1), record(1, "b", 2)])
    reading = reader(lines, clock, Pace(rows=1, seconds=2), as_table())
    reading.poll(0)
    clock.now = 1.5
    lines.waiting = [record(2, "a", 9)]
    assert reading.poll(0) == (1, None)
    clock.now = 3.4
    assert reading.poll(0) == (0, None)
    clock.now = 3.5

    _, window = reading.poll(0)

    assert window is not None
    assert window.events.to_pylist() == [{"code": "b", "size": 2}, {"code": "a", "size": 9}]
    assert window.last_offsets == "0:2"


def test_a_table_that_never_rests_is_looked_at_all_the_same() -> None:
    clock = Hand()
    lines = Lines()
    reading = reader(lines, clock, Pace(seconds=2), as_table())

    found = []
    for second in range(2 * TABLE_PATIENCE + 1):
        clock.now, lines.waiting = float(second), [record(second)]
        found.append(reading.poll(0)[1] is not None)

    assert found.index(True) == 2 * TABLE_PATIENCE


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ([record(0, "a"), tombstone(1, "a")], []),
        ([tombstone(0, "a"), record(1, "a")], ["a"]),
        ([record(0, "a"), tombstone(1, "a"), record(2, "a", 5)], ["a"]),
        ([record(0, "a"), Record((0, 1), b"a", b"unreadable")], ["a"]),
        ([record(0, "a"), record(1, "b"), record(2, "a")], ["a", "b"]),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_a_table_holds_the_latest_readable_event_of_each_key(
    records: list[Record], left: list[str], at_once: int
) -> None:
    registry: Any = OneSchema()
    table, decoder = as_table(), Decoder(PORT, registry)

    for start in range(0, len(records), at_once):
        part = records[start : start + at_once]
        table.fold(part, decoder.decode(part)[0])

    assert sorted(table.events["code"].to_pylist()) == left


def test_a_table_is_read_to_its_end_before_it_is_followed() -> None:
    registry: Any = OneSchema()
    table = as_table()

    table.read(Lines([record(n, "a", n) for n in range(3)]), Decoder(PORT, registry))

    assert table.events.to_pylist() == [{"code": "a", "size": 2}]


def whole(count: int = 1) -> Window:
    events = pa.Table.from_pylist([{"code": "a", "size": 1}] * count, schema=PORT.codec.arrow_schema)
    return Window(events, count, 0, {0: 0}, {0: count - 1}, None, None)


def test_results_fit_the_contract_of_their_own_product() -> None:
    port = ObservedPort(declaration().contracts[CONTRACT_ID])
    results = [readability(whole()), *Suite(CONTRACT).run(whole().events)]

    rows = list(rows_of(CONTRACT, results, whole(), datetime(2026, 1, 1, tzinfo=UTC)))

    from mesh.port import OutputPort

    batch = to_batch(rows, port.codec)
    assert OutputPort(port.contract).guard.check(batch).refused == 0
    assert len({row["result_id"] for row in rows}) == len(rows)


def test_the_same_window_checked_again_has_the_same_identity() -> None:
    results = [readability(whole())]

    first, again = (
        [row["result_id"] for row in rows_of(CONTRACT, results, whole(), at)]
        for at in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    )

    assert first == again


def test_a_suite_that_hangs_is_interrupted_and_all_its_checks_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suite = Suite(CONTRACT)
    monkeypatch.setattr(worker, "WINDOW_BUDGET_SECONDS", 0.05)
    monkeypatch.setattr(suite, "run", lambda _events: time.sleep(30))
    began = time.monotonic()

    results = worker.checked(suite, whole(5))

    assert time.monotonic() - began < 5
    assert {(r.status, r.rows) for r in results} == {("unknown", 5)}
    assert "it took longer than 0.05 s" in results[0].message


def test_overtime_is_not_taken_for_a_failure_inside() -> None:
    def stubborn() -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(1)

    with pytest.raises(Overtime), time_budget(0.01):
        stubborn()


def test_a_budget_that_is_kept_leaves_no_alarm_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with time_budget(30):
        pass

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_the_platforms_own_product_is_declared_without_a_finding() -> None:
    assert declaration().findings == ()
