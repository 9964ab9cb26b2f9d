"""The asyncio twin: the same publisher, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence

import pytest

from mesh.async_publishing import AsyncPublisher
from mesh.errors import EventError, UsageError
from tests.unit.publishing_kit import Remembering, publisher, rows


class Slow(Remembering):
    """Takes nothing until it is told to: a full queue."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.room = threading.Event(), threading.Event()

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[tuple[str, bytes | None]]],
        times_ms: Sequence[int],
    ) -> None:
        self.asked.set()
        assert self.room.wait(20)
        super().send(topic, keys, values, headers, times_ms)


async def test_what_a_block_published_is_flushed_and_closed_when_it_ends() -> None:
    sender = Remembering()
    async with AsyncPublisher(lambda: publisher(sender)) as publish:
        await publish(rows(1)[0])
        done = await publish.many(rows(2, 3))
        await publish.flush()
    assert (done.events, len(sender.sent), sender.flushes, sender.closed) == (2, 3, 2, True)


async def test_a_broken_event_is_refused_where_it_is_awaited() -> None:
    async with AsyncPublisher(lambda: publisher(Remembering())) as publish:
        with pytest.raises(EventError, match="1 of 1"):
            await publish(rows(101)[0])


async def test_calls_are_carried_out_in_their_order() -> None:
    sender = Remembering()
    async with AsyncPublisher(lambda: publisher(sender)) as publish:
        await asyncio.gather(*(publish(row, event_id=row["name"]) for row in rows(*range(50))))
    assert sender.ids == [f"n-{level}" for level in range(50)]


async def test_a_full_queue_holds_up_the_caller_and_not_the_loop() -> None:
    sender = Slow()
    async with AsyncPublisher(lambda: publisher(sender)) as publish:
        waiting = asyncio.create_task(publish.many(rows(1)))
        assert await asyncio.to_thread(sender.asked.wait, 20)
        assert not waiting.done()
        sender.room.set()
        assert (await waiting).events == 1


async def test_a_block_that_is_cancelled_leaves_nothing_behind() -> None:
    sender = Slow()

    async def publishing() -> None:
        async with AsyncPublisher(lambda: publisher(sender)) as publish:
            await publish.many(rows(1))

    task = asyncio.create_task(publishing())
    assert await asyncio.to_thread(sender.asked.wait, 20)
    task.cancel()
    sender.room.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(sender.sent), sender.closed) == (1, True)


async def test_the_trace_of_the_task_is_the_one_of_its_events() -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    context = trace.SpanContext(1, 2, False, trace.TraceFlags(0))
    sender = Remembering()
    async with AsyncPublisher(lambda: publisher(sender)) as publish:
        with trace.use_span(trace.NonRecordingSpan(context)):
            await publish(rows(1)[0])
    assert sender.sent[0][3]["traceparent"] == b"00-%032x-%016x-00" % (1, 2)


async def test_a_publisher_that_is_not_open_says_so() -> None:
    publish = AsyncPublisher(lambda: publisher(Remembering()))
    with pytest.raises(UsageError, match="not open"):
        await publish(rows(1)[0])
