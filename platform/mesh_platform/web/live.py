"""Live updates as server-sent events: each names what changed, and the page fetches itself again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.responses import PlainTextResponse, Response, StreamingResponse

SSE_CLIENTS = 200
HEARTBEAT_SECONDS = 15.0


class LiveClients:
    """Counts open streams, so that forgotten tabs cannot use up the platform."""

    def __init__(self, limit: int = SSE_CLIENTS, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self.limit = limit
        self.heartbeat = heartbeat
        self.open = 0

    def answer(self, changes: AsyncIterator[str]) -> Response:
        """Stream the changes to one browser; 503 when too many listen already."""
        if self.open >= self.limit:
            return PlainTextResponse("Too many pages listen already.", 503, headers={"retry-after": "30"})
        return StreamingResponse(
            self._stream(changes), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    async def _stream(self, changes: AsyncIterator[str]) -> AsyncGenerator[str, None]:
        self.open += 1
        pending = asyncio.ensure_future(_next(changes))
        try:
            yield "retry: 5000\n\n"
            while True:
                # wait() leaves the task running at a timeout, where wait_for() would cancel the iterator.
                done, _ = await asyncio.wait({pending}, timeout=self.heartbeat)
                if not done:
                    yield ": still here\n\n"
                    continue
                change = pending.result()
                if change is None:
                    return
                yield f"data: {' '.join(change.split())}\n\n"
                pending = asyncio.ensure_future(_next(changes))
        finally:
            self.open -= 1
            pending.cancel()


async def _next(changes: AsyncIterator[str]) -> str | None:
    return await anext(changes, None)
