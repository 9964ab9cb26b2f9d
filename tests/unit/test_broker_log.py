"""The log of one partition: what it keeps, what it serves, what it does with damage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh_platform.broker.batch import CorruptBatch, read_batch, read_one_batch
from mesh_platform.broker.log import Log, LogFailed, OffsetOutOfRange
from mesh_platform.broker.records import first_at_time
from mesh_platform.broker.retention import retain
from mesh_platform.broker.sequences import OutOfOrder
from tests.unit.broker_kit import Item, batch

NOW = 1_700_000_000_000
SEGMENT = 1 << 20


def opened(folder: Path) -> Log:
    log, _ = Log.open(folder)
    return log


def append(
    log: Log, data: bytes, *, segment_bytes: int = SEGMENT, append_time: bool = False, now: int = NOW
) -> int:
    return log.append(data, read_one_batch(data), now, append_time=append_time, segment_bytes=segment_bytes)


def offsets(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        one = read_batch(data, at)
        found += range(one.base_offset, one.last_offset + 1)
        at += one.size
    return found


def filled(folder: Path, batches: int = 5, *, segment_bytes: int = SEGMENT) -> Log:
    log = opened(folder)
    for number in range(batches):
        append(
            log, batch([Item(value=b"%d" % number, timestamp=NOW + number)] * 2), segment_bytes=segment_bytes
        )
    return log


def test_offsets_count_records_not_batches(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    assert log.end_offset == 6


def test_a_batch_keeps_every_byte_but_its_place(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, batch())
    sent = batch([Item(value=b"second")], gzip=True)
    append(log, sent)
    assert log.read(1, 1000, whole=True)[16:] == sent[16:]


def test_a_read_inside_a_batch_gives_the_whole_batch(tmp_path: Path) -> None:
    log = filled(tmp_path)
    assert offsets(log.read(3, 10, whole=True)) == [2, 3]


def test_a_read_stops_at_the_last_whole_batch_within_its_limit(tmp_path: Path) -> None:
    log = filled(tmp_path)
    two_batches = log.active.size * 2 // 5
    assert offsets(log.read(0, two_batches + 5, whole=True)) == [0, 1, 2, 3]


def test_a_first_batch_over_the_limit_is_left_out_unless_it_must_come(tmp_path: Path) -> None:
    log = filled(tmp_path)
    assert (log.read(0, 10, whole=False), offsets(log.read(0, 10, whole=True))) == (b"", [0, 1])


def test_a_read_at_the_end_is_empty(tmp_path: Path) -> None:
    assert filled(tmp_path).read(10, 1000, whole=True) == b""


@pytest.mark.parametrize("offset", [-1, 11])
def test_a_read_outside_the_log_is_refused(tmp_path: Path, offset: int) -> None:
    with pytest.raises(OffsetOutOfRange):
        filled(tmp_path).read(offset, 1000, whole=True)


def test_every_offset_of_a_long_log_is_found(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(400):
        append(log, batch([Item(value=b"x" * 100)] * 3), segment_bytes=40_000)
    found = [offsets(log.read(offset, 1, whole=True)) for offset in range(log.end_offset)]
    assert [offset in batch_offsets for offset, batch_offsets in enumerate(found)] == [True] * 1200


def test_a_full_segment_is_followed_by_one_named_after_its_first_offset(tmp_path: Path) -> None:
    filled(tmp_path, 3, segment_bytes=100)
    names = sorted(path.name for path in tmp_path.glob("*.log"))
    assert names == ["00000000000000000000.log", "00000000000000000002.log", "00000000000000000004.log"]


def test_a_log_opened_again_goes_on_where_it_ended(tmp_path: Path) -> None:
    filled(tmp_path).close()
    assert append(opened(tmp_path), batch()) == 10


def test_a_log_that_was_not_closed_goes_on_where_it_ended(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=300)
    assert append(opened(tmp_path), batch()) == 10


def test_a_torn_tail_is_dropped_and_reported_wherever_it_tears(tmp_path: Path) -> None:
    log = filled(tmp_path, 2)
    path, whole = log.active.path, log.active.path.read_bytes()
    last = len(whole) // 2
    for cut in range(last + 1, len(whole)):
        path.write_bytes(whole[:cut])
        again, dropped = Log.open(tmp_path)
        assert (again.end_offset, dropped[0].bytes, dropped[0].offset) == (2, cut - last, 2)


def test_a_flipped_bit_ends_the_log_before_its_batch(tmp_path: Path) -> None:
    log = filled(tmp_path, 2)
    path, whole = log.active.path, log.active.path.read_bytes()
    second = len(whole) // 2
    # Base offset and leader epoch lie outside the CRC, because the broker stamps them.
    for at in [*range(second + 8, second + 12), *range(second + 16, len(whole))]:
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        again, dropped = Log.open(tmp_path)
        assert (again.end_offset, len(dropped)) == (2, 1), at


def test_segments_after_a_damaged_one_are_set_aside_not_served(tmp_path: Path) -> None:
    log = filled(tmp_path, 3, segment_bytes=100)
    with log.segments[1].path.open("r+b") as file:
        file.seek(70)
        file.write(b"\xff")
    again, dropped = Log.open(tmp_path)
    assert [loss.file for loss in dropped] == ["00000000000000000002.log", "00000000000000000004.log"]
    assert offsets(again.read(0, 1000, whole=True)) == [0, 1]


def test_a_set_aside_segment_is_kept_for_a_human(tmp_path: Path) -> None:
    log = filled(tmp_path, 3, segment_bytes=100)
    log.segments[1].path.write_bytes(b"rubbish")
    Log.open(tmp_path)
    assert [path.name for path in tmp_path.glob("*.dropped")] == ["00000000000000000004.dropped"]


def test_bytes_that_a_checkpoint_vouched_for_are_proven_when_served(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.close()
    with log.active.path.open("r+b") as file:
        file.seek(70)
        file.write(b"\xff")
    again = opened(tmp_path)
    with pytest.raises(CorruptBatch):
        again.read(0, 1000, whole=True)


@pytest.mark.parametrize("spoiled", [b"", b"{", b'{"start": 0}', b"[]"])
def test_a_checkpoint_that_cannot_be_read_costs_time_not_events(tmp_path: Path, spoiled: bytes) -> None:
    filled(tmp_path, segment_bytes=200).close()
    (tmp_path / "checkpoint.json").write_bytes(spoiled)
    log, dropped = Log.open(tmp_path)
    assert (log.end_offset, dropped) == (10, [])


def test_a_spoiled_index_is_rebuilt(tmp_path: Path) -> None:
    filled(tmp_path).close()
    for path in tmp_path.glob("*.index"):
        path.write_bytes(b"rubbish!")
    assert offsets(opened(tmp_path).read(7, 1, whole=True)) == [6, 7]


def test_events_after_a_checkpoint_are_found_again(tmp_path: Path) -> None:
    log = filled(tmp_path, segment_bytes=200)
    log.checkpoint().write()
    append(log, batch(), segment_bytes=200)
    append(log, batch(), segment_bytes=200)
    assert opened(tmp_path).end_offset == 12


def test_deleted_records_stay_deleted(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.advance_start(3)
    assert opened(tmp_path).start_offset == 3


def test_offsets_go_on_after_every_record_was_deleted(tmp_path: Path) -> None:
    log = filled(tmp_path, 3, segment_bytes=100)
    retain(log, NOW + 10_000, 1_000, -1)
    assert (log.start_offset, log.end_offset, opened(tmp_path).end_offset) == (6, 6, 6)


def test_retention_by_time_deletes_whole_segments_only(tmp_path: Path) -> None:
    log = filled(tmp_path, 5, segment_bytes=300)
    retain(log, NOW + 1_003, 1_000, -1)
    assert log.start_offset in {s.base_offset for s in log.segments}
    assert log.start_offset > 0


def test_retention_by_size_keeps_at_least_that_much(tmp_path: Path) -> None:
    log = filled(tmp_path, 10, segment_bytes=100)
    retain(log, NOW, -1, 300)
    assert 300 <= log.size < 300 + log.segments[0].size


def test_retention_of_minus_one_keeps_everything(tmp_path: Path) -> None:
    log = filled(tmp_path, 5, segment_bytes=100)
    retain(log, NOW + 10**12, -1, -1)
    assert log.start_offset == 0


@pytest.mark.parametrize("gzip", [False, True])
def test_a_time_is_found_inside_a_batch(tmp_path: Path, gzip: bool) -> None:
    log = opened(tmp_path)
    append(log, batch([Item(timestamp=NOW)]))
    append(
        log, batch([Item(timestamp=NOW + 10), Item(timestamp=NOW + 20), Item(timestamp=NOW + 30)], gzip=gzip)
    )
    assert first_at_time(log, NOW + 15) == (NOW + 20, 2)


def test_a_time_after_every_record_is_not_found(tmp_path: Path) -> None:
    assert first_at_time(filled(tmp_path), NOW + 100) == (-1, -1)


def test_every_time_of_a_long_log_is_found(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(300):
        append(log, batch([Item(value=b"x" * 200, timestamp=NOW + number)]), segment_bytes=20_000)
    assert [first_at_time(log, NOW + n) for n in range(300)] == [(NOW + n, n) for n in range(300)]


def test_log_append_time_replaces_the_clients_time(tmp_path: Path) -> None:
    log = opened(tmp_path)
    append(log, batch([Item(timestamp=1)]), append_time=True, now=NOW)
    assert first_at_time(log, 2) == (NOW, 0)


def test_what_a_producer_sent_is_remembered_by_a_log_that_was_not_closed(tmp_path: Path) -> None:
    sent = batch(producer=(9, 0, 0))
    append(opened(tmp_path), sent)
    assert opened(tmp_path).sequences.check(read_one_batch(sent)) == 0


def test_what_a_producer_sent_is_remembered_by_a_log_that_was_closed(tmp_path: Path) -> None:
    log, sent = opened(tmp_path), batch(producer=(9, 0, 0))
    append(log, sent)
    log.close()
    with pytest.raises(OutOfOrder):
        opened(tmp_path).sequences.check(read_one_batch(batch(producer=(9, 0, 5))))


def test_an_append_wakes_who_waits(tmp_path: Path) -> None:
    log, woken = opened(tmp_path), []
    log.waiters.add(lambda: woken.append(True))
    append(log, batch())
    assert woken == [True]


def test_an_older_checkpoint_never_replaces_a_newer_one(tmp_path: Path) -> None:
    log = filled(tmp_path)
    older = log.checkpoint()
    log.advance_start(4)
    older.write()
    assert opened(tmp_path).start_offset == 4


def test_a_checkpoint_does_not_bring_back_a_segment_that_retention_removed(tmp_path: Path) -> None:
    log = filled(tmp_path, segment_bytes=100)
    late = log.checkpoint()
    log.advance_start(8)
    files = sorted(tmp_path.glob("*.log"))
    late.write()
    assert sorted(tmp_path.glob("*.log")) == files


def test_offsets_go_on_when_everything_is_gone_and_the_checkpoint_too(tmp_path: Path) -> None:
    log = filled(tmp_path)
    retain(log, NOW + 10_000, 1, -1)
    (tmp_path / "checkpoint.json").unlink()
    assert opened(tmp_path).end_offset == 10


def test_a_sync_reaches_the_segment_that_was_closed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, synced = filled(tmp_path), []
    log.roll()
    append(log, batch())
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    log.sync()
    assert sorted(Path(path).name for path in synced if path.endswith(".log")) == [
        f"{0:020d}.log",
        f"{10:020d}.log",
    ]


def test_after_a_failed_sync_a_second_one_does_not_pretend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    log = filled(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            log.sync()
    with pytest.raises(LogFailed):
        log.sync()
