"""One batch through one handler, event by event or as a whole; who failed is found, the others go on.

The generators yield what to hand to the handler and are sent what came of it. They know neither threads nor
event loops, so that a plain function and a coroutine function are driven by the same lines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mesh.decoding import Batch, rows_of
from mesh.handling.event import Event
from mesh.handling.waiting import chain

Given = TypeVar("Given", Event, Batch)
Attempts = Generator[Given, Exception | None, "Outcome"]
Stops = tuple[type[Exception], ...]


@dataclass(slots=True)
class Outcome:
    """What became of the rows of a batch; a row that is not named was handled."""

    failed: dict[int, Exception] = field(default_factory=dict)
    behind: list[int] = field(default_factory=list)  #: not tried: an earlier event of their key failed


def event_by_event(batch: Batch) -> Generator[Event, Exception | None, Outcome]:
    """Each event by itself, in order; nothing of a key after one of it failed."""
    outcome = Outcome()
    blocked: set[tuple[int, bytes | int]] = set()
    for row, (fields, message) in enumerate(zip(batch.rows(), batch.messages, strict=True)):
        if blocked and chain(message) in blocked:
            outcome.behind.append(row)
            continue
        error = yield Event(fields, message)
        if error is not None:
            outcome.failed[row] = error
            blocked.add(chain(message))
    return outcome


def whole_batches(batch: Batch) -> Generator[Batch, Exception | None, Outcome]:
    """The batch as it is; where that fails its halves, until the events that fail stand alone."""
    outcome = Outcome()
    blocked: set[tuple[int, bytes | int]] = set()
    parts: list[Sequence[int]] = [range(len(batch))]
    while parts:
        rows: Sequence[int] = parts.pop()
        if blocked:
            outcome.behind += [row for row in rows if chain(batch.messages[row]) in blocked]
            rows = [row for row in rows if chain(batch.messages[row]) not in blocked]
        if not rows:
            continue
        error = yield _part(batch, rows)
        if error is None:
            continue
        if len(rows) == 1:
            outcome.failed[rows[0]] = error
            blocked.add(chain(batch.messages[rows[0]]))
        else:
            half = len(rows) // 2
            parts += [rows[half:], rows[:half]]
    return outcome


def driven(attempts: Attempts[Given], handler: Callable[[Given], Any], stops: Stops) -> Outcome:
    """Call the handler with what the attempts ask for; raises what is no event's fault."""
    error: Exception | None = None
    try:
        given = next(attempts)
        while True:
            try:
                handler(given)
                error = None
            except stops:
                raise
            except Exception as raised:
                error = raised
            given = attempts.send(error)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


async def adriven(
    attempts: Attempts[Given], handler: Callable[[Given], Awaitable[Any]], stops: Stops
) -> Outcome:
    """As `driven`, for a coroutine function."""
    error: Exception | None = None
    try:
        given = next(attempts)
        while True:
            try:
                await handler(given)
                error = None
            except stops:
                raise
            except Exception as raised:
                error = raised
            given = attempts.send(error)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def _part(batch: Batch, rows: Sequence[int]) -> Batch:
    return batch if len(rows) == len(batch) else rows_of(batch, rows)
