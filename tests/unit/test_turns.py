"""Views change in one thread at a time: in the event loop's, once there is one."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mesh_platform.turns import Turns


def test_without_a_loop_work_is_done_where_it_is_asked_for() -> None:
    done: list[int] = []
    Turns().take(lambda: done.append(threading.get_ident()))
    assert done == [threading.get_ident()]


def test_without_a_loop_there_is_one_at_a_time() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.001)
        inside[0] -= 1

    threads = [threading.Thread(target=turns.take, args=(work,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == [1]


async def test_with_a_loop_work_of_other_threads_is_done_in_the_loops_thread() -> None:
    turns, done = Turns(), []
    turns.belong_to(asyncio.get_running_loop())
    await asyncio.to_thread(turns.take, lambda: done.append(threading.get_ident()))
    assert done == [threading.get_ident()]


async def test_in_the_loops_own_thread_work_is_done_at_once() -> None:
    turns, done = Turns(), []
    turns.belong_to(asyncio.get_running_loop())
    turns.take(lambda: done.append(1))
    assert done == [1]


async def test_what_work_raises_is_raised_where_it_was_asked_for() -> None:
    turns = Turns()
    turns.belong_to(asyncio.get_running_loop())
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(turns.take, lambda: 1 // 0)


def test_a_loop_that_was_closed_holds_nobody_up() -> None:
    turns, loop = Turns(), asyncio.new_event_loop()
    turns.belong_to(loop)
    loop.close()
    turns.take(lambda: pytest.fail("nobody reads these views any more"))


def test_whoever_waits_for_a_turn_is_let_go_at_the_end() -> None:
    turns, loop = Turns(), asyncio.new_event_loop()  # it never runs
    turns.belong_to(loop)
    waiting = threading.Thread(target=turns.take, args=(lambda: None,))
    waiting.start()
    turns.close()
    waiting.join(5)
    assert not waiting.is_alive()
    loop.close()
