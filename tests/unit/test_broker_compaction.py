"""Compaction against a dictionary: of each key the latest, whatever the batches look like."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mesh_platform.broker import compaction
from mesh_platform.broker.batch import read_batch, read_one_batch
from mesh_platform.broker.log import Log
from mesh_platform.broker.records import Record, first_at_time, records
from tests.unit.broker_kit import Item, batch

NOW = 1_700_000_000_000
LONG_AGO, JUST_NOW = 10**15, 0  # the moment of a compaction, against files written today


def opened(folder: Path) -> Log:
    return Log.open(folder)[0]


def append(log: Log, *items: Item, gzip: bool = False) -> None:
    data = batch(items, gzip=gzip)
    log.append(data, read_one_batch(data), NOW, append_time=False, segment_bytes=400)


def closed(log: Log) -> Log:
    log.roll()
    append(log, Item(key=b"active"))
    return log


def held(log: Log) -> list[Record]:
    found, offset = [], log.start_offset
    while offset < log.end_offset:
        data = log.read(offset, 1, whole=True)
        one = read_batch(data)
        found += records(one, data)
        offset = one.last_offset + 1
    return [record for record in found if record.key != b"active"]


async def compact(log: Log, moment: int = JUST_NOW) -> None:
    await compaction.compact(log, moment, 0.5, 1000)


@pytest.mark.parametrize("seed", range(5))
async def test_of_each_key_the_latest_stays_at_its_offset(tmp_path: Path, seed: int) -> None:
    dice, log = random.Random(seed), opened(tmp_path)
    expected: dict[bytes, int] = {}
    for _ in range(60):
        items = [Item(key=b"%d" % dice.randrange(12)) for _ in range(dice.randint(1, 5))]
        for index, item in enumerate(items):
            expected[item.key or b""] = log.end_offset + index
        append(log, *items, gzip=dice.random() < 0.3)
    await compact(closed(log))
    assert {record.key: record.offset for record in held(log)} == expected
    assert len(held(log)) == len(expected)


async def test_what_was_compacted_opens_again_as_it_is(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(50):
        append(log, Item(key=b"%d" % (number % 3)))
    await compact(closed(log))
    before = held(log)
    assert [held(opened(tmp_path)), len(before)] == [before, 3]


async def test_a_kill_between_swap_and_checkpoint_loses_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(50):
        append(log, Item(key=b"%d" % (number % 3)))
    closed(log).checkpoint().write()
    before = (tmp_path / "checkpoint.json").read_bytes()
    await compact(log)
    (tmp_path / "checkpoint.json").write_bytes(before)
    again, dropped = Log.open(tmp_path)
    assert (len(held(again)), again.end_offset, dropped) == (3, log.end_offset, [])


async def test_a_fresh_tombstone_stays(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(key=b"k"))
    append(log, Item(key=b"k", value=None))
    await compact(closed(log))
    assert [(record.offset, record.has_value) for record in held(log)] == [(1, False)]


async def test_an_old_tombstone_goes_with_its_key(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(key=b"k"))
    append(log, Item(key=b"k", value=None))
    await compact(closed(log), LONG_AGO)
    assert held(log) == []


async def test_a_reader_gets_to_the_end_though_the_last_records_are_gone(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(key=b"k"))
    append(log, Item(key=b"k", value=None))
    log.roll()
    await compact(log, LONG_AGO)
    last = read_batch(log.read(0, 1, whole=True))
    assert (last.count, last.last_offset + 1) == (0, log.end_offset)


async def test_the_active_segment_is_not_touched(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(3):
        append(log, Item(key=b"k"))
    await compact(log)
    assert len(held(log)) == 3


async def test_a_time_is_still_found_after_compaction(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(key=b"a", timestamp=NOW), Item(key=b"b", timestamp=NOW + 50))
    append(log, Item(key=b"b", timestamp=NOW + 10))
    await compact(closed(log))
    assert first_at_time(log, NOW + 1) == (NOW + 10, 2)


async def test_a_segment_is_rolled_when_it_has_been_open_for_its_time(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item())
    log.roll_if_older(NOW + 1000, 1000)
    before = len(log.segments)
    log.roll_if_older(NOW + 1001, 1000)
    assert (before, len(log.segments)) == (1, 2)


async def test_a_segment_that_loses_nothing_keeps_its_index(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(key=b"only"))
    closed(log).checkpoint().write()
    await compact(log)
    assert sorted(path.suffix for path in tmp_path.glob("00000000000000000000.*")) == [".index", ".log"]


async def test_a_young_segment_is_not_compacted_yet(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, Item(value=b"old", timestamp=NOW), Item(value=b"new", timestamp=NOW))
    closed(log)
    await compaction.compact(log, NOW + 999, 0.5, 1000, (1000, LONG_AGO))
    young = len(held(log))
    await compaction.compact(log, NOW + 1000, 0.5, 1000, (1000, LONG_AGO))
    assert (young, len(held(log))) == (2, 1)


async def test_an_old_segment_does_not_wait_for_others(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, *(Item(key=b"%d" % number) for number in range(50)))
    log.roll()
    await compact(log)
    append(log, Item(value=b"old"), Item(value=b"new"))
    closed(log)
    await compaction.compact(log, NOW + 999, 0.5, 1000, (0, 1000))
    waiting = len(held(log))
    await compaction.compact(log, NOW + 1000, 0.5, 1000, (0, 1000))
    assert (waiting, len(held(log))) == (52, 51)
