"""Bounds of the embedded broker as plain values: room in memory, room on the disk, sizes, the journal."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mesh_platform.broker import journal
from mesh_platform.broker.disk import Disk, DiskFull
from mesh_platform.broker.room import Held, Room
from mesh_platform.broker.sizes import size, told
from tests.reference.broker import noted

Said = Callable[[], list[dict[str, Any]]]

# Room in memory


async def waiting(room: Room, wanted: int) -> asyncio.Task[Held]:
    """Somebody who has asked for room and could take it by now."""
    task = asyncio.create_task(room.take(wanted))
    await asyncio.sleep(0)
    return task


async def test_room_that_is_there_is_taken_at_once() -> None:
    room = Room(10)
    with await room.take(4), await room.take(6):
        assert room.taken == 10
    assert room.taken == 0


async def test_who_needs_one_byte_too_many_waits_until_room_is_given_up() -> None:
    room = Room(10)
    with await room.take(4):
        late = await waiting(room, 7)
        assert not late.done()
    await late
    assert room.taken == 7


async def test_a_small_request_does_not_overtake_a_large_one() -> None:
    room = Room(10)
    with await room.take(4):
        large, small = await waiting(room, 9), await waiting(room, 1)
        assert not small.done()
    await large
    await small


async def test_a_request_larger_than_the_room_goes_alone() -> None:
    room = Room(10)
    with await room.take(1):
        huge = await waiting(room, 99)
        assert not huge.done()
    with await huge:
        assert not (await waiting(room, 1)).done()


async def test_room_is_given_up_once() -> None:
    room = Room(10)
    with await room.take(4) as held:
        held.give()
    assert room.taken == 0


async def test_who_goes_away_while_waiting_leaves_the_line_to_the_next() -> None:
    room = Room(10)
    with await room.take(4):
        gone, next_one = await waiting(room, 9), await waiting(room, 6)
        gone.cancel()
        await next_one
    assert room.taken == 6


async def test_who_goes_away_when_its_turn_has_come_gives_the_room_back() -> None:
    room = Room(10)
    held = await room.take(4)
    gone = await waiting(room, 9)
    held.give()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert room.taken == 0


# Room on the disk


def test_the_last_byte_of_the_disk_may_be_taken_and_no_more() -> None:
    disk = Disk(100, lambda: 90)
    disk.claim(10)
    with pytest.raises(DiskFull):
        disk.claim(1)
    assert (disk.used, disk.bytes, disk.batches, disk.refused) == (100, 10, 1, 1)


def test_without_a_bound_everything_is_taken() -> None:
    disk = Disk(None, lambda: 90)
    disk.claim(1 << 60)
    assert disk.refused == 0


def test_a_refusal_says_the_bound_and_what_to_do() -> None:
    with pytest.raises(
        DiskFull, match=r"1\.5 KiB in use .* 2\.0 KiB: lower .* delete topics, or .* --max-disk"
    ):
        Disk(2048, lambda: 1536).claim(1024)


def test_room_that_was_made_is_noticed_before_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    held = 100
    disk = Disk(100, lambda: held)
    held = 50
    monkeypatch.setattr("mesh_platform.broker.disk._COUNT_SECONDS", 0)
    disk.claim(50)
    assert disk.used == 100


def test_full_and_room_again_are_told_once_each(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    held = 100
    disk = Disk(100, lambda: held)
    for _ in range(3):
        with pytest.raises(DiskFull):
            disk.claim(1)
    held = 0
    disk.recount()
    disk.claim(1)
    disk.claim(1)
    assert [line["event"] for line in said()] == [
        "disk full",
        "disk has room",
    ]


# Sizes


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("7B", 7), ("4KiB", 4096), ("20 GiB", 20 << 30), ("1TiB", 1 << 40)]
)
def test_a_size_is_read(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "0", "-1", "20GB", "1.5GiB", "GiB", "many"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size(text)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (20 << 30, "20.0 GiB")]
)
def test_a_size_is_told_in_the_largest_unit_that_fits(number: int, text: str) -> None:
    assert told(number) == text


# The journal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The lines of the journal, with nothing said before."""
    monkeypatch.setattr(journal, "_told", {})
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_event_that_is_noted_has_a_level_and_a_meaning_and_no_other() -> None:
    assert set(journal.EVENTS) == {event for event, _ in noted()}


def test_a_line_is_a_json_object_with_time_level_and_event(said: Said) -> None:
    journal.note("stopping", client="x")
    (line,) = said()
    assert (line["level"], line["event"], line["client"], line["time"] > 0) == ("info", "stopping", "x", True)


def test_a_person_reads_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    journal.note("stopping", client="x")
    assert screen.getvalue().split("  ", 1)[1] == "info     stopping  client=x\n"


def test_what_clients_cause_at_will_is_told_ten_times_a_second_and_counted(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal.counts["bad frame"]
    for second in (1000.0, 1001.0):
        monkeypatch.setattr(journal.time, "time", lambda second=second: second)
        for _ in range(50 if second == 1000.0 else 1):
            journal.note("bad frame")
    lines = said()
    assert (len(lines), lines[-1]["left_out"], journal.counts["bad frame"] - before) == (11, 40, 51)


def test_what_recovery_dropped_is_told_in_full(said: Said) -> None:
    for _ in range(50):
        journal.note("dropped")
    assert len(said()) == 50
