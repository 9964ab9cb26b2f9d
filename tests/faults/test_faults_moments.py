"""A process killed at any moment of its work on a log leaves a log that keeps every promise made by then."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mesh_platform.broker.batch import read_batch, read_one_batch
from mesh_platform.broker.compaction import compact
from mesh_platform.broker.log import Log
from mesh_platform.broker.markers import marker
from mesh_platform.broker.records import records
from mesh_platform.broker.retention import retain
from tests.faults.moments import Moment, Watch
from tests.unit.broker_kit import Item, batch

NOW = 1_700_000_000_000
OLD = NOW - 10**9


@dataclass(frozen=True, slots=True)
class Promised:
    """What has been acknowledged: where the log begins and ends, and which values it must show."""

    start: int = 0
    end: int = 0
    values: frozenset[bytes] = frozenset()
    latest: dict[bytes, bytes] = field(default_factory=dict)
    sent: tuple[bytes, ...] = ()


class Work:
    """A log that is worked on under watch."""

    def __init__(self, folder: Path) -> None:
        self.log, _ = Log.open(folder)
        self.promised = Promised()
        self.watch = Watch(folder, lambda: self.promised)

    def append(self, *items: Item, segment_bytes: int = 600, gzip: bool = False, producer: int = 7) -> None:
        sequence = sum(read_batch(sent).count for sent in self.promised.sent if _producer(sent) == producer)
        data = batch(items, gzip=gzip, producer=(producer, 0, sequence))
        self.log.append(data, read_one_batch(data), NOW, append_time=False, segment_bytes=segment_bytes)
        self.promised = replace(
            self.promised,
            end=self.promised.end + len(items),
            values=self.promised.values | {item.value for item in items if item.value is not None},
            latest=self.promised.latest | {item.key: item.value for item in items if item.key and item.value},
            sent=(*self.promised.sent, data),
        )


def _producer(data: bytes) -> int:
    return read_batch(data).producer_id


def shown(log: Log) -> list[tuple[int, bytes, bytes | None]]:
    """(offset, key, value) of everything that the log serves; every batch of it proven."""
    found, at = [], log.start_offset
    while at < log.end_offset:
        data = log.read(at, 1 << 20, whole=True)
        if not data:
            break
        here = 0
        while here < len(data):
            one = read_batch(data, here)
            for record in records(one, data[here : here + one.size]) if not one.is_control else ():
                if record.offset >= log.start_offset:
                    found.append((record.offset, record.key or b"", _value(record.raw)))
            here += one.size
            assert one.last_offset + 1 > at, "a read that does not get on"
            at = one.last_offset + 1
    return found


def _value(raw: bytes) -> bytes | None:
    """The values of these tests are short: the last bytes before the header count."""
    return raw[-5:-1] if raw[-6:-5] == b"\x08" else None


def check_offsets(moment: Moment[Promised], log: Log) -> None:
    promised = moment.promised
    assert log.end_offset >= promised.end, f"{moment.where}: offsets from {log.end_offset} on come twice"
    assert log.start_offset >= promised.start, f"{moment.where}: deleted records are back"


def check_values(moment: Moment[Promised], log: Log) -> None:
    values = {value for _, _, value in shown(log)}
    assert moment.promised.values <= values, f"{moment.where}: lost {moment.promised.values - values}"


def check_latest(moment: Moment[Promised], log: Log) -> None:
    latest = {key: value for _, key, value in shown(log)}
    for key, value in moment.promised.latest.items():
        assert (latest.get(key) or b"") >= value, (
            f"{moment.where}: {key!r} shows {latest.get(key)!r}, not {value!r}"
        )


def check_producers(moment: Moment[Promised], log: Log) -> None:
    last = {_producer(sent): sent for sent in moment.promised.sent}
    for producer, sent in last.items():
        known = read_one_batch(sent)
        repeat = log.sequences.check(known)
        assert repeat is not None, f"{moment.where}: the last batch of {producer} would be taken again"
        if log.end_offset == moment.promised.end:  # else one more was written, and not yet acknowledged
            following = batch(producer=(producer, 0, known.last_sequence + 1))
            assert log.sequences.check(read_one_batch(following)) is None, moment.where


def explore(work: Work, folder: Path, *checks: Callable[[Moment[Promised], Log], None]) -> int:
    """Open the log as it was at each moment and check it; answers how many there were."""
    for number, moment in enumerate(work.watch.moments):
        log, _ = Log.open(moment.restore(folder / f"{number:04d}"))
        for check in checks:
            check(moment, log)
        for segment in log.segments:
            segment.close()
    return len(work.watch.moments)


def value(number: int) -> bytes:
    return b"%04d" % number


def test_a_kill_while_segments_fill_and_checkpoints_are_written(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    with work.watch():
        for number in range(24):
            work.append(Item(value=value(2 * number)), Item(value=value(2 * number + 1)))
            if number % 5 == 4:
                work.log.checkpoint().write()
        work.log.close()
    assert explore(work, tmp_path / "seen", check_offsets, check_values, check_producers) > 80


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "compressed"])
def test_a_kill_while_a_log_is_compacted(tmp_path: Path, gzip: bool) -> None:
    work = Work(tmp_path / "log")
    for number in range(12):
        work.append(*keyed(number), gzip=gzip)
    work.log.checkpoint().write()
    work.log.roll()
    with work.watch():
        asyncio.run(compact(work.log, NOW, 0.0, 0))
    assert explore(work, tmp_path / "seen", check_offsets, check_latest) > 20


def test_a_kill_while_a_log_is_compacted_again(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(6):
        work.append(*keyed(number), segment_bytes=1 << 20)
    work.log.roll()
    asyncio.run(compact(work.log, NOW, 0.0, 0))
    for number in range(6):
        work.append(*keyed(number, later=1000), segment_bytes=1 << 20)
    work.log.roll()
    with work.watch():
        asyncio.run(compact(work.log, NOW, 0.0, 0))
    explore(work, tmp_path / "seen", check_offsets, check_latest)


def test_a_kill_while_a_segment_that_grew_after_its_checkpoint_is_compacted(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(12):
        work.append(*keyed(number), segment_bytes=1 << 20)
        if number == 2:
            work.log.checkpoint().write()
    work.log.roll()
    with work.watch():
        asyncio.run(compact(work.log, NOW, 0.0, 0))
    explore(work, tmp_path / "seen", check_offsets, check_latest)


def keyed(number: int, later: int = 0) -> list[Item]:
    """Eight events that a codec makes small; one of their keys comes again in every call, the others not."""
    names = [b"again", *(b"%d" % (number * 8 + key + later) for key in range(1, 8))]
    return [
        Item(key=b"k" * 300 + name, value=value(number * 8 + at + later)) for at, name in enumerate(names)
    ]


def test_a_kill_while_a_log_is_compacted_leaves_producers_what_they_were(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(12):
        work.append(Item(key=b"a", value=value(number)), producer=7 + number % 3)
    work.log.roll()
    with work.watch():
        asyncio.run(compact(work.log, NOW, 0.0, 0))
    explore(work, tmp_path / "seen", check_offsets, check_latest, check_producers)


def test_a_kill_while_the_last_tombstone_goes(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    work.append(Item(key=b"a", value=value(1)))
    work.append(Item(key=b"b", value=None))
    work.log.checkpoint().write()
    for path in (tmp_path / "log").glob("*.log"):
        os.utime(path, (OLD / 1000, OLD / 1000))
    work.log.roll()
    with work.watch():
        asyncio.run(compact(work.log, NOW, 0.0, 0))
    explore(work, tmp_path / "seen", check_offsets, check_latest)


def test_a_kill_while_everything_expires(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(12):
        work.append(Item(value=value(number)), segment_bytes=200)
    work.log.checkpoint().write()
    with work.watch():
        retain(work.log, NOW + 10_000, 1_000, -1)
    explore(work, tmp_path / "seen", check_offsets)


def test_a_kill_while_records_are_deleted(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(12):
        work.append(Item(value=value(number)), segment_bytes=200)
    work.log.checkpoint().write()
    with work.watch():
        for start in (3, 7, 12):
            work.log.advance_start(start)
            work.promised = replace(work.promised, start=start)
    explore(work, tmp_path / "seen", check_offsets)


def test_a_kill_while_a_torn_log_is_mended(tmp_path: Path) -> None:
    work = Work(tmp_path / "log")
    for number in range(6):
        work.append(Item(value=value(number)), segment_bytes=200)
    path = work.log.active.path
    os.truncate(path, path.stat().st_size - 1)
    work.promised = replace(work.promised, end=5, values=frozenset(map(value, range(5))), sent=())
    with work.watch():
        Log.open(tmp_path / "log")
    explore(work, tmp_path / "seen", check_offsets, check_values)


@pytest.mark.parametrize("commits", [True, False], ids=["committed", "aborted"])
def test_a_kill_while_a_transaction_ends_leaves_it_open_or_ended(tmp_path: Path, commits: bool) -> None:
    work = Work(tmp_path / "log")
    data = batch([Item(value=value(1))], producer=(9, 0, 0), attributes=0x10)
    work.log.append(data, read_one_batch(data), NOW, append_time=False, segment_bytes=600)
    end = marker(9, 0, commits=commits, now=NOW)
    with work.watch():
        work.log.checkpoint().write()
        work.log.append(end, read_batch(end), NOW, append_time=False, segment_bytes=600)
        work.log.checkpoint().write()
    states = set()
    for number, moment in enumerate(work.watch.moments):
        log, _ = Log.open(moment.restore(tmp_path / f"{number}"))
        aborted = [entry.first_offset for entry in log.isolation.aborted(0, 99)]
        states.add((log.end_offset, log.stable_offset, tuple(aborted)))
    assert states == {(1, 0, ()), (2, 2, () if commits else (0,))}
