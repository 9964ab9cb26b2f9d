"""Damage to the files of a log, tried everywhere: a cut at every byte, a flipped bit in every byte.

What opens keeps the whole batches before the damage, says what it dropped, and serves nothing else.
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh_platform.broker.batch import HEADER_BYTES, CorruptBatch, read_batch
from mesh_platform.broker.log import Log
from mesh_platform.broker.markers import marker
from mesh_platform.broker.recovery import Dropped
from tests.unit.broker_kit import Item, batch

NOW = 1_700_000_000_000
SEGMENT = "00000000000000000000.log"
HUGE = 1 << 30
_TRANSACTIONAL = 0x10
_OUTSIDE_THE_CRC = (*range(8), *range(12, 16))  # base offset and leader epoch, which the broker stamps


@dataclass(frozen=True, slots=True)
class Known:
    """What a log knows when it ends with a certain batch."""

    position: int
    offset: int
    producers: Any
    transactions: Any


@pytest.fixture(autouse=True)
def _nothing_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def state(log: Log) -> tuple[Any, Any]:
    """Producers and transactions as they would be saved, but for the times."""
    producers = [[who, epoch, *rest] for who, epoch, _, *rest in log.sequences.dump()]
    return copy.deepcopy((producers, log.isolation.dump()))


def append(log: Log, data: bytes, *, segment_bytes: int = HUGE) -> int:
    return log.append(data, read_batch(data), NOW, append_time=False, segment_bytes=segment_bytes)


def written(size: int, *, value: int) -> Iterator[bytes]:
    """Batches of a plain, two idempotent and two transactional producers, and markers; about `size` bytes."""
    dice, sequences, total, number = random.Random(size), dict.fromkeys(range(1, 5), 0), 0, 0
    while total < size:
        number += 1
        who = dice.choice((-1, 1, 2, 3, 4))
        items = [Item(key=b"%d" % n, value=dice.randbytes(value)) for n in range(dice.randint(1, 4))]
        if who < 0:
            data = batch(items, gzip=dice.random() < 0.5)
        else:
            data = batch(
                items, producer=(who, 0, sequences[who]), attributes=_TRANSACTIONAL if who > 2 else 0
            )
            sequences[who] += len(items)
        total += len(data)
        yield data
        if who > 2 and dice.random() < 0.4:
            end = marker(who, 0, commits=dice.random() < 0.5, now=NOW)
            total += len(end)
            yield end


def filled(
    folder: Path, size: int, *, value: int, checkpoint_at: int | None = None
) -> tuple[bytes, list[Known]]:
    """A log of one segment in the folder: its bytes, and what it knew after each of its batches."""
    log, _ = Log.open(folder)
    known = [Known(0, 0, *state(log))]
    for data in written(size, value=value):
        append(log, data)
        known.append(Known(log.size, log.end_offset, *state(log)))
        if checkpoint_at is not None and len(known) == checkpoint_at:
            log.checkpoint().write()
    for segment in log.segments:
        segment.close()
    return (folder / SEGMENT).read_bytes(), known


def closed(log: Log) -> None:
    for segment in log.segments:
        segment.close()


@pytest.mark.parametrize("checkpoint_at", [None, 3], ids=["no checkpoint", "a checkpoint"])
def test_a_log_cut_at_any_byte_keeps_its_whole_batches_and_says_what_it_dropped(
    tmp_path: Path, checkpoint_at: int | None
) -> None:
    whole, known = filled(tmp_path, 9_000, value=900, checkpoint_at=checkpoint_at)
    vouched = 0 if checkpoint_at is None else known[checkpoint_at - 1].offset
    checkpoint = tmp_path / "checkpoint.json"
    saved = checkpoint.read_bytes() if vouched else b""
    file = os.open(tmp_path / SEGMENT, os.O_RDWR)
    last = len(known) - 1
    for cut in range(len(whole) - 1, -1, -1):
        if cut < known[last].position:
            last -= 1
        kept = known[last]
        os.pwrite(file, whole[kept.position : cut], kept.position)
        os.ftruncate(file, cut)
        checkpoint.write_bytes(saved)
        log, dropped = Log.open(tmp_path)
        torn = cut - kept.position
        if torn:
            assert dropped == [Dropped(SEGMENT, kept.offset, torn)], cut
        else:
            assert [loss.offset for loss in dropped] == [kept.offset] * (kept.offset < vouched), cut
        assert log.end_offset == max(kept.offset, vouched), cut
        bridge = HEADER_BYTES if kept.offset < vouched else 0
        assert os.fstat(file).st_size == kept.position + bridge, cut
        assert state(log) == (kept.producers, kept.transactions), cut
        if torn in (0, 1):
            served = log.read(0, HUGE, whole=True)
            assert served[: kept.position] == whole[: kept.position], cut
            assert proven(log) == log.end_offset, cut
        closed(log)
    os.close(file)


def test_a_log_that_was_cut_goes_on_and_can_be_opened_again(tmp_path: Path) -> None:
    whole, _ = filled(tmp_path, 6_000, value=200)
    for cut in range(0, len(whole), 7):
        (tmp_path / SEGMENT).write_bytes(whole[:cut])
        log, _ = Log.open(tmp_path)
        end = log.end_offset
        assert append(log, batch()) == end
        closed(log)
        again, dropped = Log.open(tmp_path)
        assert (again.end_offset, dropped) == (end + 1, []), cut
        closed(again)


def test_a_log_that_was_cut_below_its_checkpoint_goes_on_and_can_be_opened_again(tmp_path: Path) -> None:
    whole, known = filled(tmp_path, 6_000, value=200, checkpoint_at=10**9)
    log, _ = Log.open(tmp_path)
    log.close()
    vouched = (tmp_path / "checkpoint.json").read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "checkpoint.json").write_bytes(vouched)
        (tmp_path / SEGMENT).write_bytes(whole[:cut])
        log, _ = Log.open(tmp_path)
        for _ in range(3):
            append(log, batch([Item(value=b"x" * 3000)]))
        closed(log)
        again, dropped = Log.open(tmp_path)
        assert (again.end_offset, dropped) == (known[-1].offset + 3, []), cut
        assert proven(again) == again.end_offset, cut
        closed(again)


def batch_of(known: list[Known], position: int) -> int:
    """The number of the batch that holds a byte."""
    return next(number for number, later in enumerate(known[1:]) if position < later.position)


def test_a_flipped_bit_in_any_byte_ends_the_log_before_its_batch(tmp_path: Path) -> None:
    whole, known = filled(tmp_path, 16_000, value=150)
    dice = random.Random(2)
    file = os.open(tmp_path / SEGMENT, os.O_RDWR)
    for position in range(len(whole)):
        number = batch_of(known, position)
        kept = known[number]
        damaged = bytes([whole[position] ^ 1 << dice.randrange(8)])
        os.pwrite(file, whole, 0)
        os.pwrite(file, damaged, position)
        log, dropped = Log.open(tmp_path)
        if position - kept.position not in _OUTSIDE_THE_CRC:
            assert dropped == [Dropped(SEGMENT, kept.offset, len(whole) - kept.position)], position
            assert state(log) == (kept.producers, kept.transactions), position
            assert os.fstat(file).st_size == kept.position, position
        else:
            assert proven(log) >= kept.offset, position
        closed(log)
    os.close(file)


def proven(log: Log) -> int:
    """Read a log to its end, batch by batch, and prove each; answers the last offset and one."""
    at = log.start_offset
    while at < log.end_offset:
        data = log.read(at, 1, whole=True)
        one = read_batch(data)
        assert at <= one.last_offset
        at = one.last_offset + 1
    return at


def test_a_flipped_bit_in_any_byte_that_a_checkpoint_vouched_for_is_never_served(tmp_path: Path) -> None:
    whole, known = filled(tmp_path, 16_000, value=150, checkpoint_at=10**9)
    log, _ = Log.open(tmp_path)
    log.close()
    dice = random.Random(3)
    file = os.open(tmp_path / SEGMENT, os.O_RDWR)
    for position in range(len(whole)):
        number = batch_of(known, position)
        if position - known[number].position in _OUTSIDE_THE_CRC:
            continue
        os.pwrite(file, bytes([whole[position] ^ 1 << dice.randrange(8)]), position)
        log, dropped = Log.open(tmp_path)
        assert (log.end_offset, dropped) == (known[-1].offset, [])
        with pytest.raises(CorruptBatch):
            log.read(known[number].offset, HUGE, whole=True)
        if number:
            assert log.read(0, HUGE, whole=True) == whole[: known[number].position]
        closed(log)
        os.pwrite(file, whole[position : position + 1], position)
    os.close(file)


def test_one_flipped_bit_in_every_4_kib_of_a_large_segment_is_found(tmp_path: Path) -> None:
    whole, known = filled(tmp_path, 1 << 20, value=1500)
    dice = random.Random(4)
    for start in range(0, len(whole), 4096):
        position = min(start + dice.randrange(4096), len(whole) - 1)
        kept = known[batch_of(known, position)]
        if position - kept.position in _OUTSIDE_THE_CRC:
            continue
        damaged = bytearray(whole)
        damaged[position] ^= 1 << dice.randrange(8)
        (tmp_path / SEGMENT).write_bytes(damaged)
        log, dropped = Log.open(tmp_path)
        assert dropped == [Dropped(SEGMENT, kept.offset, len(whole) - kept.position)]
        closed(log)


# The files beside a segment


def beside(folder: Path) -> tuple[Log, list[list[int]]]:
    """A closed log of several segments, and the offsets that a read of each offset begins with."""
    log, _ = Log.open(folder)
    for data in written(30_000, value=150):
        append(log, data, segment_bytes=12_000)
    found = [begins_with(log, offset) for offset in range(log.end_offset)]
    log.close()
    return log, found


def begins_with(log: Log, offset: int) -> list[int]:
    one = read_batch(log.read(offset, 1, whole=True))
    return list(range(one.base_offset, one.last_offset + 1))


@pytest.mark.parametrize("kind", ["*.index", "checkpoint.json"])
def test_a_flipped_bit_in_any_byte_of_index_or_checkpoint_changes_nothing(tmp_path: Path, kind: str) -> None:
    log, found = beside(tmp_path)
    dice = random.Random(5)
    for path in sorted(tmp_path.glob(kind)):
        whole = path.read_bytes()
        for position in range(len(whole)):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << dice.randrange(8)
            path.write_bytes(damaged)
            again, dropped = Log.open(tmp_path)
            assert (again.end_offset, state(again), dropped) == (log.end_offset, state(log), []), position
            assert again.start_offset == 0, position
            for offset in range(position % 9, log.end_offset, 9):
                assert begins_with(again, offset) == found[offset], (path.name, position, offset)
            closed(again)
        path.write_bytes(whole)


@pytest.mark.parametrize("kind", ["*.index", "checkpoint.json"])
def test_an_index_or_checkpoint_that_is_cut_or_gone_changes_nothing(tmp_path: Path, kind: str) -> None:
    log, _ = beside(tmp_path)
    for path in sorted(tmp_path.glob(kind)):
        whole = path.read_bytes()
        for cut in range(len(whole)):
            path.write_bytes(whole[:cut])
            again, dropped = Log.open(tmp_path)
            assert (again.end_offset, state(again), dropped) == (log.end_offset, state(log), []), cut
            closed(again)
        path.unlink()
        again, dropped = Log.open(tmp_path)
        assert (again.end_offset, dropped) == (log.end_offset, [])
        closed(again)
        path.write_bytes(whole)


@pytest.mark.parametrize("left", ["00000000000000000000.cleaned", "checkpoint.json.new", "lost+found.txt"])
def test_what_a_kill_left_lying_about_is_not_taken_for_a_segment(tmp_path: Path, left: str) -> None:
    log, _ = beside(tmp_path)
    (tmp_path / left).write_bytes(b"half of something")
    again, dropped = Log.open(tmp_path)
    assert (again.end_offset, dropped) == (log.end_offset, [])


def test_offsets_of_segments_that_were_set_aside_are_not_given_again(tmp_path: Path) -> None:
    log, _ = beside(tmp_path)
    (tmp_path / "checkpoint.json").unlink()
    first = sorted(tmp_path.glob("*.log"))[0]
    with first.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff\xff\xff\xff")
    again, dropped = Log.open(tmp_path)
    assert len(dropped) == len(log.segments)
    assert again.end_offset >= log.segments[-1].base_offset
    assert proven(again) == again.end_offset
