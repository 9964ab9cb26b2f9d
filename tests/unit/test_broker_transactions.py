"""Transactions inside one partition: what is stable, what was aborted, over restarts and compaction."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mesh_platform.broker import compaction
from mesh_platform.broker.batch import read_batch, read_one_batch
from mesh_platform.broker.checkpoint import CHECKPOINT_FILE
from mesh_platform.broker.log import Log
from mesh_platform.broker.markers import is_commit, marker
from mesh_platform.broker.records import records
from mesh_platform.broker.segment import Segment
from mesh_platform.broker.sequences import FencedEpoch, OutOfOrder
from tests.unit.broker_kit import Item, batch

NOW = 1_700_000_000_000
LONG_AGO, JUST_NOW = 10**15, 0
TRANSACTIONAL = 0x10


def opened(folder: Path) -> Log:
    return Log.open(folder)[0]


class Writer:
    """A transactional producer of one partition."""

    def __init__(self, log: Log, producer_id: int, epoch: int = 0, segment_bytes: int = 600) -> None:
        self.log, self.id, self.epoch, self.sequence = log, producer_id, epoch, 0
        self.segment_bytes = segment_bytes

    def write(self, *items: Item) -> int:
        data = batch(items, producer=(self.id, self.epoch, self.sequence), attributes=TRANSACTIONAL)
        self.sequence += len(items)
        return self.log.append(
            data, read_one_batch(data), NOW, append_time=False, segment_bytes=self.segment_bytes
        )

    def end(self, *, commits: bool) -> int:
        data = marker(self.id, self.epoch, commits=commits, now=NOW)
        return self.log.append(
            data, read_batch(data), NOW, append_time=False, segment_bytes=self.segment_bytes
        )


def committed(log: Log) -> list[bytes | None]:
    """The keys that a consumer of committed events sees: it is told what was aborted and drops it."""
    seen: list[bytes | None] = []
    offset = log.start_offset
    while offset < log.stable_offset:
        data = log.read(offset, 1, whole=True, until=log.stable_offset)
        aborted = log.aborted(offset, len(data))
        one = read_batch(data)
        lost = any(
            a.producer_id == one.producer_id and a.first_offset <= offset < a.last_offset for a in aborted
        )
        if not one.is_control and not (one.is_transactional and lost):
            seen += [record.key for record in records(one, data)]
        offset = one.last_offset + 1
    return seen


def test_a_marker_is_a_proven_control_batch_of_one_record() -> None:
    data = marker(7, 3, commits=True, now=NOW)
    read = read_batch(data)
    (record,) = records(read, data)
    assert (read.is_control, read.is_transactional, read.producer_id, read.producer_epoch) == (
        True,
        True,
        7,
        3,
    )
    assert (record.key, record.timestamp, read.base_sequence) == (b"\0\0\0\1", NOW, -1)


@pytest.mark.parametrize("commits", [True, False])
def test_a_marker_tells_how_the_transaction_ended(commits: bool) -> None:
    assert is_commit(marker(7, 3, commits=commits, now=NOW)) is commits


def test_nothing_after_the_first_event_of_an_open_transaction_is_stable(tmp_path: Path) -> None:
    log = opened(tmp_path)
    first = Writer(log, 1).write(Item())
    Writer(log, 2).end(commits=True)
    assert (log.stable_offset, log.read(0, 1 << 20, whole=True, until=log.stable_offset)) == (first, b"")


def test_a_commit_makes_stable_up_to_the_next_open_transaction(tmp_path: Path) -> None:
    log = opened(tmp_path)
    one, two = Writer(log, 1), Writer(log, 2)
    one.write(Item(), Item())
    second = two.write(Item())
    one.end(commits=True)
    assert log.stable_offset == second
    two.end(commits=False)
    assert log.stable_offset == log.end_offset


@pytest.mark.parametrize("reopened", ["as it is", "with a checkpoint", "without a checkpoint"])
@pytest.mark.parametrize("segment_bytes", [600, 1 << 20])
@pytest.mark.parametrize("seed", range(6))
def test_a_reader_of_committed_events_sees_exactly_those(
    tmp_path: Path, seed: int, segment_bytes: int, reopened: str
) -> None:
    dice, log = random.Random(seed), opened(tmp_path)
    expected: dict[int, bytes] = {}
    writers = {n: Writer(log, n, segment_bytes=segment_bytes) for n in range(4)}
    pending: dict[int, dict[int, bytes]] = {n: {} for n in writers}
    for number in range(120):
        writer = writers[dice.randrange(4)]
        if pending[writer.id] and dice.random() < 0.3:
            commits = dice.random() < 0.5
            writer.end(commits=commits)
            expected |= pending[writer.id] if commits else {}
            pending[writer.id] = {}
        else:
            key = b"%d" % number
            pending[writer.id][writer.write(Item(key=key))] = key
        if number == 60 and reopened == "with a checkpoint":
            log.checkpoint().write()
    if reopened == "with a checkpoint":
        log = opened(tmp_path)
    elif reopened == "without a checkpoint":
        (tmp_path / CHECKPOINT_FILE).unlink(missing_ok=True)
        log = opened(tmp_path)
    visible = [key for offset, key in sorted(expected.items()) if offset < log.stable_offset]
    assert committed(log) == visible


def test_a_reader_in_the_middle_of_an_aborted_transaction_is_told_so(tmp_path: Path) -> None:
    log, writer = opened(tmp_path), None
    writer = Writer(log, 5)
    offsets = [writer.write(Item()) for _ in range(3)]
    writer.end(commits=False)
    assert [a.first_offset for a in log.aborted(offsets[1], 1)] == [offsets[0]]


def test_a_transaction_that_was_aborted_later_is_not_told_of(tmp_path: Path) -> None:
    log = opened(tmp_path)
    early, late = Writer(log, 1), Writer(log, 2)
    early.write(Item())
    early.end(commits=False)
    for _ in range(100):  # far enough that the index tells them apart
        plain = batch()
        log.append(plain, read_one_batch(plain), NOW, append_time=False, segment_bytes=1 << 20)
    late.write(Item())
    late.end(commits=False)
    assert [a.producer_id for a in log.aborted(0, 100)] == [1]


def test_a_marker_of_a_newer_epoch_fences_the_older_instance(tmp_path: Path) -> None:
    log = opened(tmp_path)
    Writer(log, 9).write(Item())
    Writer(log, 9, epoch=1).end(commits=False)
    with pytest.raises(FencedEpoch):
        log.sequences.check(read_one_batch(batch(producer=(9, 0, 1), attributes=TRANSACTIONAL)))


def test_after_a_fencing_marker_the_new_instance_begins_at_sequence_zero(tmp_path: Path) -> None:
    log = opened(tmp_path)
    Writer(log, 9).write(Item())
    Writer(log, 9, epoch=1).end(commits=False)
    assert log.sequences.check(read_one_batch(batch(producer=(9, 1, 0)))) is None
    with pytest.raises(OutOfOrder):
        log.sequences.check(read_one_batch(batch(producer=(9, 1, 1))))


def test_records_deleted_below_an_open_transaction_move_what_is_stable(tmp_path: Path) -> None:
    log = opened(tmp_path)
    Writer(log, 1).write(Item(), Item())
    log.advance_start(1)
    assert log.stable_offset == 1


# Compaction


async def compact(log: Log, moment: int) -> None:
    await compaction.compact(log, moment, 0.0, 1000)


@pytest.mark.parametrize("moment", [JUST_NOW, LONG_AGO])
@pytest.mark.parametrize("seed", range(6))
async def test_compaction_keeps_the_latest_committed_of_each_key(
    tmp_path: Path, seed: int, moment: int
) -> None:
    dice, log = random.Random(seed), opened(tmp_path)
    latest: dict[bytes, int] = {}
    for number in range(40):
        writer, seen = Writer(log, number % 5, epoch=number), {}
        for _ in range(dice.randint(1, 3)):
            key = b"%d" % dice.randrange(8)
            seen[key] = writer.write(Item(key=key))
        commits = dice.random() < 0.6
        writer.end(commits=commits)
        latest |= seen if commits else {}
    log.roll()
    for again in (moment, moment):  # a second pass meets what the first one left
        await compact(log, again)
    assert sorted(committed(log), key=lambda k: latest[k or b""]) == sorted(latest, key=lambda k: latest[k])
    assert committed(opened(tmp_path)) == committed(log)


async def test_what_an_open_transaction_wrote_is_not_compacted(tmp_path: Path) -> None:
    log = opened(tmp_path)
    writer = Writer(log, 1)
    offsets = [writer.write(Item(key=b"k")) for _ in range(20)]
    log.roll()
    before = log.size
    await compact(log, JUST_NOW)
    assert (log.size, log.stable_offset) == (before, offsets[0])


async def test_old_markers_of_transactions_without_events_go(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(30):
        writer = Writer(log, 1, epoch=number)
        writer.write(Item(key=b"k"))
        writer.end(commits=number % 2 == 0)
    log.roll()
    await compact(log, LONG_AGO)
    kept = [one for segment in log.segments for one, _ in segment.batches()]
    assert [(one.is_control, one.producer_epoch) for one in kept[:-1]] == [(False, 28), (True, 28)]
    assert list(log.isolation.aborted(0, log.end_offset)) == []


@pytest.mark.parametrize("names", [0, 1, 3])
async def test_a_log_killed_in_the_middle_of_a_compaction_shows_nothing_aborted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: int
) -> None:
    log = opened(tmp_path)
    for number in range(20):
        writer = Writer(log, 1, epoch=number)
        for _ in range(4):
            writer.write(Item(key=b"%d" % number))
        writer.end(commits=number % 2 == 0)
    log.roll()
    log.checkpoint().write()
    expected, taken = set(committed(log)), 0

    def killed_after_some(segment: Segment) -> None:
        nonlocal taken
        taken += 1
        if taken > names:
            raise OSError("killed")
        take_name(segment)

    take_name = Segment.take_name
    with monkeypatch.context() as patch:
        patch.setattr(Segment, "take_name", killed_after_some)
        with pytest.raises(OSError, match="killed"):
            await compact(log, LONG_AGO)
    again = opened(tmp_path)
    assert (set(committed(again)), again.end_offset) == (expected, log.end_offset)
    assert list(tmp_path.glob("*.cleaned")) == []
