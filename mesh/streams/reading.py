"""Reading on from where the totals stand: Faust's consumer without its ways to lose an event.

What Faust 0.15.3 does, found by killing, failing and joining workers:

- It acknowledges what a stopped or failed agent still holds, and what it skips while the group rebalances:
  the committed offset runs ahead of what was counted.
- It resumes the partitions before it has sought, and clears its queues after: events read between are gone.
- It then drops what is read again as already read ("DROPPED MESSAGE").
- A stream skips what it takes while the flow is held up, and goes on behind it.

So the kept position rules. Events reach the stream only after a seek to it that nothing overlaps, each says
where reading stood before it, and none counts behind a gap. The kept position alone is committed, for people
to see: nothing is ever read from what is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

Position = Callable[[int], int | None]
TakeOver = Callable[[], Awaitable[None]]


def consumer_class(position: Position, take_over: TakeOver) -> type[Any]:
    """Faust's consumer on aiokafka, going by `position`: partition → next offset, None where unknown.

    Who gets partitions takes over before anything is recovered: from then on nobody else can write, and what
    is recovered is all there is.
    """
    from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
    from mode.services import WaitResults

    class CommittedReader(AIOKafkaConsumerThread):  # type: ignore[misc]
        def _create_worker_consumer(self, transport: Any) -> Any:
            """Faust reads what is committed only in its exactly-once mode, which is not used (#517)."""
            self.consumer.in_transaction = True
            try:
                return super()._create_worker_consumer(transport)
            finally:
                self.consumer.in_transaction = False

    class PositionedConsumer(Consumer):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._read_offset = _Forgetful()
            self._sought = False
            self.handed: dict[int, int] = {}
            self.begun: dict[int, int] = {}
            self._next: dict[int, int] = {}
            self._line: dict[int, deque[tuple[int, int]]] = {}

        def _new_consumer_thread(self) -> Any:
            return CommittedReader(self, loop=self.loop, beacon=self.beacon)

        async def on_partitions_revoked(self, revoked: Any) -> None:
            self._sought = False
            await super().on_partitions_revoked(revoked)

        async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
            self._sought = False
            if assigned:
                await take_over()
            await super().on_partitions_assigned(assigned, generation_id)

        async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, Any]]:
            """Changelog records at all times; events only when no rebalance came since the last seek."""
            if not self._sought and not self.app.rebalancing:
                self._sought = True
                await self.perform_seek()
            async for tp, message in super().getmany(timeout):
                if self._is_changelog_tp(tp):
                    yield tp, message
                elif self._sought and not self.app.rebalancing and self.app.flow_control.is_active():
                    self._hand(tp.partition, message.offset)
                    yield tp, message
                else:
                    self._sought = False

        def _hand(self, partition: int, offset: int) -> None:
            self.handed[partition] = offset
            stood = self._next.get(partition, offset)
            self._line.setdefault(partition, deque()).append((offset, stood))
            self._next[partition] = offset + 1

        def follows(self, partition: int, offset: int) -> int | None:
            """Where reading stood before this event was handed over; None of one that is not in line.

            Events are asked for in order: what was handed over before this one is forgotten.
            """
            line = self._line.get(partition, deque())
            while line and line[0][0] < offset:
                line.popleft()
            return line[0][1] if line and line[0][0] == offset else None

        def read_again(self) -> None:
            """Go back to the kept positions before anything more is handed over."""
            self._sought = False

        async def perform_seek(self) -> None:
            """Positions that nobody has committed yet, because who counted was killed, are committed next."""
            await super().perform_seek()
            self._committed_offset.clear()
            for tp in self.assignment():
                if not self._is_changelog_tp(tp):
                    self._acked[tp] = []

        async def seek_to_committed(self) -> Any:
            """To the kept positions; without one, nothing is counted yet: to the beginning."""
            events = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
            kept = {tp: offset for tp in events if (offset := position(tp.partition)) is not None}
            new = [tp for tp in events if tp not in kept]
            if new:
                kept |= await self._thread.earliest_offsets(*new)
            self._line.clear()
            self._next = {tp.partition: offset for tp, offset in kept.items()}
            self.begun |= {tp.partition: kept[tp] for tp in new}
            await self._thread.seek_wait(kept)
            return kept

        def _new_offset(self, tp: Any) -> int | None:
            """What may be committed: the position, not what was acknowledged (faust-streaming/faust#606)."""
            if self._is_changelog_tp(tp):
                return None
            self._acked[tp].clear()
            self._acked_index[tp].clear()
            return position(tp.partition)

        async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
            """Faust makes four tasks of each message, to be able to stop between them; here nothing waits."""
            if len(coros) != 2 or not (self.flow_active and self.app.flow_control.is_active()):
                return await super().wait_first(*coros, timeout=timeout)
            handing_over, suspension = coros
            suspension.close()
            return WaitResults([handing_over], [await handing_over], False)

    return PositionedConsumer


class _Forgetful(dict[Any, Any]):
    """Offsets that Faust has read, remembered for nobody: it would drop what is read again."""

    def __getitem__(self, tp: Any) -> None:
        return None
