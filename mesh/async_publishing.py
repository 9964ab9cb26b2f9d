"""Publishing from asyncio: the publisher itself, in a thread of its own, so that the event loop never waits.

Calls are carried out in the order they were made. A full queue suspends the caller, not the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from mesh.errors import NotAcknowledged, UsageError
from mesh.parcels import OnViolation
from mesh.publishing import Published, Publisher

Answer = TypeVar("Answer")


class AsyncPublisher:
    """Publishes events of one contract from asyncio. Use `async with`: only then everything is acknowledged.

    It promises and raises what `Publisher` does. A call that is cancelled may have been carried out.
    """

    def __init__(self, opened: Callable[[], Publisher]) -> None:
        self._opened = opened
        self._publisher: Publisher | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mesh-publisher")

    async def __call__(
        self, event: Any, *, event_id: str | None = None, traceparent: str | None = None
    ) -> Published:
        """Publish one event (dict or Pydantic model)."""
        publish = self._open
        return await self._run(partial(publish, event, event_id=event_id, traceparent=traceparent))

    async def many(
        self,
        events: Any,
        *,
        on_violation: OnViolation | None = None,
        event_ids: Sequence[str] | None = None,
        traceparent: str | None = None,
    ) -> Published:
        """Publish a list of dicts or models, or an Arrow, Polars or pandas table."""
        many = partial(self._open.many, events, on_violation=on_violation, event_ids=event_ids)
        return await self._run(partial(many, traceparent=traceparent))

    async def again(self, error: NotAcknowledged) -> None:
        """Hand over once more what was not acknowledged."""
        await self._run(partial(self._open.again, error))

    async def flush(self) -> None:
        """Wait until all events are acknowledged."""
        await self._run(self._open.flush)

    async def close(self) -> None:
        """Flush, then let go of connection and thread; also when the waiting for it is cancelled."""
        closing = asyncio.ensure_future(self._run(self._open.close))
        closing.add_done_callback(lambda _: self._thread.shutdown(wait=False))
        await asyncio.shield(closing)

    async def __aenter__(self) -> AsyncPublisher:
        try:
            self._publisher = await self._run(self._opened)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def _open(self) -> Publisher:
        if self._publisher is None:
            raise UsageError(
                "the publisher is not open",
                code="MESH-E043",
                why="it connects when its block begins",
                fix="async with mesh.apublisher(...) as publish:",
            )
        return self._publisher

    async def _run(self, call: Callable[[], Answer]) -> Answer:
        # With the caller's context: the trace that is active here is the one that the events belong to.
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._thread, context.run, call)
