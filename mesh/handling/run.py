"""Handling: a group's handler over a subscription. What it cannot take is tried again, then set aside.

Nothing is committed before each event was handled, waits on the retry topic, or is a dead letter, all of
it acknowledged. Events of one key are handled in the order they came: while one waits, the others wait
behind it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from mesh.burying import Letter, bury
from mesh.decoding import Batch, rows_of
from mesh.errors import MeshError
from mesh.handling.attempts import (
    Attempts,
    Given,
    Outcome,
    adriven,
    driven,
    event_by_event,
    whole_batches,
)
from mesh.handling.event import Event
from mesh.handling.journal import Journal
from mesh.handling.retries import Retries
from mesh.handling.waiting import Waiting, chain
from mesh.interfaces import Sender
from mesh.subscription import BATCH, Subscription

#: while events wait, how often it is seen what other members wrote
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Handled:
    """What a run did so far: each event handled counts once, each failed attempt once."""

    events: int = 0
    failures: int = 0
    dead_letters: int = 0


@dataclass(slots=True)
class _Work:
    """What the handler gets next; `waiting[row]` is there for rows that come from the retry topic."""

    batch: Batch
    waiting: Mapping[int, Waiting] = field(default_factory=dict)

    def state(self, row: int) -> Waiting:
        """How things stand with a row."""
        return self.waiting.get(row) or Waiting(self.batch.messages[row])


class Handling:
    """One member of a group that handles events. Use `with`, or close it."""

    def __init__(
        self,
        subscription: Subscription,
        journal: Journal,
        dead_letters: Sender,
        dead_letter_topic: str,
        group: str,
        retries: Retries,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._subscription = subscription
        self._journal = journal
        self._dead_letters = dead_letters
        self._dead_letter_topic = dead_letter_topic
        self._group = group
        self._retries = retries
        self._clock = clock
        self._mine: frozenset[int] = frozenset()
        self._resting: frozenset[int] = frozenset()
        self._broken: BaseException | None = None
        self.handled = Handled()

    def each(
        self, handler: Callable[[Event], Any], going_on: Callable[[], bool] = lambda: True, most: int = BATCH
    ) -> Handled:
        """Hand every event to `handler` until `going_on` says no, or SIGTERM; an error of it is its event's.

        Raises UnreachableError when the broker is away, EventError (MESH-K021) when a dead letter or a
        waiting event is not acknowledged, and whatever `retries.stops` names: then nothing is committed
        that was not handled, and whoever begins again gets it again.
        """
        return self._run(event_by_event, handler, going_on, most)

    def batches(
        self, handler: Callable[[Batch], Any], going_on: Callable[[], bool] = lambda: True, most: int = BATCH
    ) -> Handled:
        """As `each`, batch by batch; one that fails comes again in halves, until its bad events are found."""
        return self._run(whole_batches, handler, going_on, most)

    async def aeach(
        self,
        handler: Callable[[Event], Awaitable[Any]],
        going_on: Callable[[], bool] = lambda: True,
        most: int = BATCH,
    ) -> Handled:
        """As `each`, for a coroutine function: the event loop goes on while events are waited for."""
        return await self._arun(event_by_event, handler, going_on, most)

    async def abatches(
        self,
        handler: Callable[[Batch], Awaitable[Any]],
        going_on: Callable[[], bool] = lambda: True,
        most: int = BATCH,
    ) -> Handled:
        """As `batches`, for a coroutine function."""
        return await self._arun(whole_batches, handler, going_on, most)

    @property
    def waiting(self) -> int:
        """How many events of this member's partitions wait to be tried again."""
        return self._journal.count(self._mine)

    def close(self) -> None:
        """Leave the group; what was not handled comes again."""
        self._subscription.close()
        self._journal.close()
        self._dead_letters.close()

    def __enter__(self) -> Handling:
        """SIGTERM now means to stop after what is in hand, unless the program has said otherwise."""
        self._subscription.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._broken is None:
            self._subscription.commit()
        self.close()

    def _run(
        self,
        attempts: Callable[[Batch], Attempts[Given]],
        handler: Callable[[Given], Any],
        going_on: Callable[[], bool],
        most: int,
    ) -> Handled:
        with self._unbroken():
            while going_on() and not self._subscription.stopped:
                for gather in (self._fresh, self._due):
                    if (work := gather(most)) is not None:
                        self._settle(work, driven(attempts(work.batch), handler, self._retries.stops))
            self._subscription.commit()
        return self.handled

    async def _arun(
        self,
        attempts: Callable[[Batch], Attempts[Given]],
        handler: Callable[[Given], Awaitable[Any]],
        going_on: Callable[[], bool],
        most: int,
    ) -> Handled:
        import asyncio

        with self._unbroken():
            while going_on() and not self._subscription.stopped:
                for gather in (self._fresh, self._due):
                    if (work := await asyncio.to_thread(gather, most)) is not None:
                        outcome = await adriven(attempts(work.batch), handler, self._retries.stops)
                        await asyncio.to_thread(self._settle, work, outcome)
            await asyncio.to_thread(self._subscription.commit)
        return self.handled

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        """What ends with an error may have taken events that nobody handled: it never commits again."""
        if self._broken is not None:
            raise MeshError(
                "this handling has ended with an error",
                code="MESH-E091",
                where=self._group,
                why=f"{type(self._broken).__name__}: {self._broken}",
                fix="close it and begin again: what was not handled comes again",
            )
        try:
            yield
        except BaseException as error:
            self._broken = error
            raise

    def _fresh(self, most: int) -> _Work | None:
        """New events; those behind a waiting one of their key wait with it."""
        self._rest()
        batch = self._subscription.poll(most=most, wait_seconds=self._patience())
        mine = self._subscription.assigned
        if mine - self._mine:
            self._journal.catch_up()
        else:
            self._journal.follow()
        self._mine = mine
        if batch is None or self._journal.is_empty:
            return None if batch is None else _Work(batch)
        behind = {row for row, m in enumerate(batch.messages) if self._journal.holds_up(chain(m))}
        if not behind:
            return _Work(batch)
        fresh = (Waiting(batch.messages[row]) for row in sorted(behind))
        self._journal.put([waiting for waiting in fresh if not self._journal.holds(waiting)])
        self._journal.flush()
        rows = [row for row in range(len(batch)) if row not in behind]
        return _Work(rows_of(batch, rows)) if rows else None

    def _due(self, most: int) -> _Work | None:
        """Waiting events whose turn it is; what cannot be read any more is a dead letter."""
        due = self._journal.due(self._clock(), self._mine, most)
        if not due:
            return None
        batch, poison = self._subscription.decoded([waiting.message for waiting in due])
        if poison:
            self._bury([Letter(message, error, 0) for message, error in poison])
            self._journal.done(Waiting(message).origin for message, _ in poison)
            self._journal.flush()
        states = {waiting.origin: waiting for waiting in due}
        by_row = {row: states[Waiting(message).origin] for row, message in enumerate(batch.messages)}
        return _Work(batch, by_row) if len(batch) else None

    def _settle(self, work: _Work, outcome: Outcome) -> None:
        """Write down what became of a batch: dead letters first, so that nothing is forgotten before."""
        letters: list[Letter] = []
        again: list[Waiting] = []
        for row, error in outcome.failed.items():
            state = work.state(row)
            wait = self._retries.after(state.failures + 1, error)
            if wait is None:
                letters.append(Letter(state.message, error, state.failures + 1))
            else:
                again.append(state.failed(error, self._clock() + wait))
        again += [Waiting(work.batch.messages[row]) for row in outcome.behind if row not in work.waiting]
        if letters:
            self._bury(letters)
        still = {waiting.origin for waiting in again}
        kept = {work.waiting[row].origin for row in outcome.behind if row in work.waiting}
        self._journal.put(again)
        self._journal.done(w.origin for w in work.waiting.values() if w.origin not in still | kept)
        if again or work.waiting:
            self._journal.flush()
        handled = len(work.batch) - len(outcome.failed) - len(outcome.behind)
        self.handled = replace(
            self.handled,
            events=self.handled.events + handled,
            failures=self.handled.failures + len(outcome.failed),
        )

    def _bury(self, letters: Sequence[Letter]) -> None:
        bury(self._dead_letters, self._dead_letter_topic, letters, self._group)
        self._dead_letters.flush()
        self.handled = replace(self.handled, dead_letters=self.handled.dead_letters + len(letters))

    def _rest(self) -> None:
        """Take nothing new while too many wait: what fails without end must not fill the memory."""
        full = self._journal.count(self._mine) >= self._retries.most_waiting
        if full and self._mine - self._resting:
            self._resting |= self._mine
            self._subscription.pause()
        elif self._resting and not full:
            self._resting = frozenset()
            self._subscription.resume()

    def _patience(self) -> float:
        due = self._journal.next_due(self._mine)
        return LOOK_SECONDS if due is None else min(max(due - self._clock(), 0.0), LOOK_SECONDS)
