"""Room for requests in memory: bytes that all connections together may hold.

Behaviour
* Who does not fit waits in line, in the order of coming: small requests never starve a large one.
* A request larger than the whole room goes when it is alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Room:
    """`taken` of `size` bytes are held now."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> Held:
        """Wait for room; what comes back gives it up again."""
        if self._line or not self._fits(size):
            turn = asyncio.get_running_loop().create_future()
            self._line.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                self.give(0 if turn.cancelled() else size)  # its turn may have come, with nobody to use it
                raise
        else:
            self.taken += size
        return Held(self, size)

    def give(self, size: int) -> None:
        """Give up room, and let in who fits now."""
        self.taken -= size
        while self._line and (self._line[0][1].cancelled() or self._fits(self._line[0][0])):
            wanted, turn = self._line.popleft()
            if not turn.cancelled():
                self.taken += wanted
                turn.set_result(None)

    def _fits(self, size: int) -> bool:
        return self.taken + size <= self.size or not self.taken


class Held:
    """A part of the room, given up once: when told, or at the end of a `with`."""

    def __init__(self, room: Room, size: int) -> None:
        self._room = room
        self._size = size

    def __enter__(self) -> Held:
        return self

    def __exit__(self, _: type[BaseException] | None, __: object, ___: TracebackType | None) -> None:
        self.give()

    def give(self) -> None:
        size, self._size = self._size, 0
        if size:
            self._room.give(size)
