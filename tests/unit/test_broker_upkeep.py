"""Upkeep keeps what a start after a kill has to prove within one budget, however many logs there are."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mesh_platform.broker.log import Log
from mesh_platform.broker.upkeep import due, save
from tests.unit.test_broker_log import append, batch, filled

BATCH_BYTES = len(batch())


def logs(folder: Path, *sizes: int) -> list[Log]:
    return [filled(folder / str(number), size) for number, size in enumerate(sizes)]


def test_logs_within_the_budget_wait(tmp_path: Path) -> None:
    found = logs(tmp_path, 3, 2)
    assert list(due(found, sum(log.size for log in found))) == []


def test_the_log_with_the_most_to_prove_comes_first_and_alone_if_that_suffices(tmp_path: Path) -> None:
    small, large, middle = logs(tmp_path, 1, 9, 4)
    assert list(due([small, large, middle], small.size + middle.size)) == [large]


def test_many_small_logs_are_as_much_as_a_large_one(tmp_path: Path) -> None:
    found = logs(tmp_path, *[1] * 20)
    assert len(list(due(found, 5 * found[0].size))) == 15


def test_a_log_that_was_saved_has_nothing_to_prove(tmp_path: Path) -> None:
    (log,) = logs(tmp_path, 5)
    asyncio.run(save(log))
    assert log.unsaved == 0
    append(log, batch())
    assert log.unsaved == BATCH_BYTES


def test_a_log_with_a_new_segment_is_saved_whatever_the_budget(tmp_path: Path) -> None:
    (log,) = logs(tmp_path, 2)
    log.roll()
    assert list(due([log], 1 << 30)) == [log]


def test_what_a_kill_leaves_to_prove_is_still_due_after_the_start(tmp_path: Path) -> None:
    (killed,) = logs(tmp_path, 5)
    again, _ = Log.open(killed.directory)
    assert again.unsaved == killed.size
