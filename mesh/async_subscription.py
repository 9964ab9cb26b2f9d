"""A subscription from asyncio: the same core in one thread of its own, one call at a time.

A call that is cancelled loses nothing: what it was about to give out is given out by the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from mesh.decoding import Batch
from mesh.draining import drained_on_sigterm
from mesh.errors import UsageError
from mesh.positions import Gap, Place
from mesh.subscription import BATCH, Subscription

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

Answer = TypeVar("Answer")


class AsyncSubscription:
    """One group's endless reading of one port, for `async with`. What `Subscription` promises holds here."""

    def __init__(self, opened: Callable[[], Subscription]) -> None:
        self._opened = opened
        self._open: Subscription | None = None
        self._thread = ThreadPoolExecutor(1, "subscription")
        self._polling: asyncio.Future[Batch | None] | None = None
        self._drained = ExitStack()

    @property
    def gaps(self) -> Sequence[Gap]:
        """What this group wanted and the topic no longer had."""
        return self._subscription.gaps

    @property
    def waiting(self) -> Mapping[int, str]:
        """By partition that waits for a schema: which one, and why it is not to be had."""
        return self._subscription.waiting

    @property
    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's at present."""
        return self._subscription.assigned

    @property
    def buried(self) -> int:
        """How many events went to the dead letters."""
        return self._subscription.buried

    async def batches(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> AsyncIterator[Batch]:
        """Batches as they come, until `stop`; the one before is handled when the next is asked for."""
        while not self._subscription.stopped:
            batch = await self.poll(most=most, wait_seconds=wait_seconds)
            if batch is not None:
                yield batch
        await self.commit()

    async def rows(self) -> AsyncIterator[dict[str, Any]]:
        """Events as dicts, until `stop`; each is handled when the next is asked for."""
        async for batch in self.batches():
            self._subscription.give_back(batch)  # until somebody gets it: we may be cancelled here
            for row in self._subscription.handing_out(batch, await self._run(batch.rows)):
                yield row

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """As `rows`."""
        return self.rows()

    async def models(self, model: type[Model]) -> AsyncIterator[Model]:
        """Events as instances of a Pydantic model, as `rows`; raises ValidationError for one that is none."""
        async for batch in self.batches():
            self._subscription.give_back(batch)
            for one in self._subscription.handing_out(
                batch, await self._run(partial(batch.each_model, model))
            ):
                yield one

    async def poll(self, *, most: int = BATCH, wait_seconds: float = 0.5) -> Batch | None:
        """The next batch, None when nothing readable came in `wait_seconds`; the one before is handled."""
        if self._polling is None:
            work = partial(self._subscription.poll, most=most, wait_seconds=wait_seconds)
            self._polling = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            batch = await asyncio.shield(self._polling)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._polling = None
            raise
        self._polling = None
        return batch

    async def commit(self) -> None:
        """What was given out is handled, and written down when this returns; raises MeshError (MESH-K030)."""
        await self._give_back_what_nobody_got()
        await self._run(self._subscription.commit)

    async def seek(self, place: Place | str) -> None:
        """Go on from a place, on this member's partitions; the group's position goes with it."""
        await self._give_back_what_nobody_got()
        await self._run(partial(self._subscription.seek, place))

    async def pause(self, *partitions: int) -> None:
        """Take nothing new of these partitions, or of all that are or will be ours; they stay ours."""
        await self._run(partial(self._subscription.pause, *partitions))

    async def resume(self, *partitions: int) -> None:
        """Go on where `pause` stopped."""
        await self._run(partial(self._subscription.resume, *partitions))

    async def lag(self) -> Mapping[int, int]:
        """By partition of this member, how many offsets are not handled yet."""
        return await self._run(self._subscription.lag)

    def stop(self) -> None:
        """End every iteration after what is in hand."""
        self._subscription.stop()

    async def close(self) -> None:
        """Leave the group; what was given out and not handled comes again."""
        self._drained.close()
        if self._open is not None:
            await self._run(self._open.close)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> AsyncSubscription:
        """Join the group. SIGTERM now means `stop`, unless the program has said otherwise."""
        self._open = await self._run(self._opened)
        self._drained.enter_context(drained_on_sigterm(self._open.stop))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.commit()
        finally:
            await self.close()

    async def _give_back_what_nobody_got(self) -> None:
        if self._polling is not None:
            polling, self._polling = self._polling, None
            if (batch := await polling) is not None:
                self._subscription.give_back(batch)

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @property
    def _subscription(self) -> Subscription:
        if self._open is None:
            raise UsageError(
                "the subscription is not open",
                code="MESH-U192",
                why="joining the group takes a moment, which asyncio has to be given",
                fix="async with mesh.asubscribe(…) as events:",
            )
        return self._open
