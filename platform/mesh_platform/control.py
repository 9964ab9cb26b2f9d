"""The control plane: append to the log, apply to every view, answer with what was decided.

The order of the log decides races; there is no leader (docs/adr/0003, 0024). A write is answered when its
own record has come back from the log and was applied, so it is answered from the same order that every
other process sees. Reading needs no lock: see `Turns`.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from mesh.errors import MeshError
from mesh_platform.audit.notary import Notary
from mesh_platform.governance.state import GovernanceState, Refused
from mesh_platform.log import ControlLog, LogUnavailable, OutcomeUnknown, Record
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.state import RegistryState
from mesh_platform.registry.warrant import KEY, Warrant, warrant_of
from mesh_platform.snapshots import Snapshots, views_of
from mesh_platform.turns import Turns
from mesh_platform.waiting import Waiting, settle

Clock = Callable[[], datetime]
PATIENCE_SECONDS: Final = 10.0
#: How long a request that needs no record waits to be answered from the present.
CURRENT_SECONDS: Final = 2.0
#: Requests wait while so many records of other processes are applied, then have their turn.
TURN_RECORDS: Final = 50


def utc_now() -> datetime:
    """The platform's clock."""
    return datetime.now(UTC)


class ControlPlane:
    """All views over one control log, rebuilt from it at start and kept current with it."""

    def __init__(
        self,
        log: ControlLog,
        clock: Clock = utc_now,
        patience_seconds: float = PATIENCE_SECONDS,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._patience = patience_seconds
        self._turns = Turns()
        self._waiting = Waiting()
        self._snapshots = snapshots
        self._views = views_of(log) if snapshots is None else snapshots.views(log)
        self._notary = Notary(log, clock)
        self.lost: MeshError | None = None  #: why the views do not follow the log any more
        log.follow(self._views.audit.offset + 1, self._deliver, self._lose)

    @property
    def governance(self) -> GovernanceState:
        """What is declared, proposed and decided."""
        return self._views.governance

    @property
    def registry(self) -> RegistryState:
        """Subjects, versions, ids and settings."""
        return self._views.registry

    @property
    def recent(self) -> list[Record]:
        """The latest records, oldest first."""
        return self._views.recent

    def now(self) -> datetime:
        """The time, as records are given it."""
        return self._clock()

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on views change in the thread of this event loop only."""
        self._turns.belong_to(loop)

    async def submit(self, kind: str, body: Mapping[str, Any], actor: str, command: str = "") -> Any:
        """Append, wait until applied here, answer. Durable when it returns.

        The same `command` again gets the answer it got at first, and changes nothing. Raises LogUnavailable
        (MESH-S011) when nothing was written, OutcomeUnknown (MESH-S021) when the record is not back in time.
        """
        command = command or uuid.uuid4().hex
        answer = self._send(kind, body, actor, command)
        if not answer.done():
            await asyncio.wait([asyncio.wrap_future(answer)], timeout=self._patience)
        return self._answered(answer, actor, command)

    def submit_now(self, kind: str, body: Mapping[str, Any], actor: str, command: str = "") -> Any:
        """`submit` where no event loop runs."""
        command = command or uuid.uuid4().hex
        answer = self._send(kind, body, actor, command)
        wait([answer], timeout=self._patience)
        return self._answered(answer, actor, command)

    async def current(self) -> None:
        """Wait until all that anyone has been told of is applied here, whichever process told it.

        Not for long: when the log does not answer, what is known here is the best that there is.
        """
        asked = self._log.end()
        if asked is None:
            return
        with contextlib.suppress(Exception):  # whatever a broker says that is away
            async with asyncio.timeout(CURRENT_SECONDS):
                end = await asyncio.wrap_future(asked)
                if self._views.audit.offset + 1 < end:
                    await asyncio.wrap_future(self._waiting.until(end))

    def trouble(self) -> str:
        """Why the views may be behind the log; empty when they are not."""
        return str(self.lost) if self.lost is not None else self._log.trouble()

    def close(self) -> None:
        """Let go of the log."""
        self._turns.close()
        self._notary.close(self._views.audit)
        if self._snapshots is not None:
            self._snapshots.close(self._views)
        self._log.close()

    def _send(self, kind: str, body: Mapping[str, Any], actor: str, command: str) -> Future[object]:
        if self.lost is not None:
            raise self.lost
        known = self._views.foretold(kind, body, actor, command)
        if known is not None:
            answer: Future[object] = Future()
            answer.set_result(known)
            return answer
        answer = self._waiting.expect(actor, command)
        time = self._clock().isoformat(timespec="milliseconds")
        failed = partial(settle, answer)
        self._log.send(failed, time=time, actor=actor, kind=kind, body=body, command=command)
        return answer

    def _answered(self, answer: Future[object], actor: str, command: str) -> Any:
        self._waiting.forget(actor, command, answer)
        if not answer.done() or answer.cancelled():
            raise OutcomeUnknown(None, f"the record did not come back within {self._patience:.0f} s")
        self._notary.look(self._views.audit)
        outcome = answer.result()
        if isinstance(outcome, MeshError):
            raise outcome
        return outcome

    def _deliver(self, records: Sequence[Record]) -> None:
        for start in range(0, len(records), TURN_RECORDS):
            self._turns.take(partial(self._take_in, records[start : start + TURN_RECORDS]))

    def _take_in(self, records: Iterable[Record]) -> None:
        for record in records:
            outcome = self._views.apply(record)
            self._waiting.came(record, outcome)
        if self._snapshots is not None:
            self._snapshots.grown(self._views)

    def _lose(self, error: MeshError) -> None:
        self.lost = error
        self._waiting.fail(error)


class RegistryDoor:
    """What the registry's routes see of the control plane."""

    def __init__(self, control: ControlPlane, *, takes_unowned: bool) -> None:
        self._control = control
        self._takes_unowned = takes_unowned

    @property
    def state(self) -> RegistryState:
        """The registry's view, for reading."""
        return self._control.registry

    async def current(self) -> None:
        """Wait until the view is not behind what any process has answered."""
        await self._control.current()

    async def submit(self, kind: str, body: Mapping[str, Any], actor: str, command: str = "") -> Any:
        """Append to the log, wait until applied, answer with the outcome.

        STORE_TIMEOUT (50002) when nobody can say what came of it, STORE_ERROR (50001) when nothing did.
        """
        warrant = Warrant(warrant_of(body).rights, self._takes_unowned)
        try:
            outcome = await self._control.submit(kind, {**body, KEY: warrant.as_data()}, actor, command)
        except OutcomeUnknown:
            return errors.STORE_TIMEOUT.refuse()
        except LogUnavailable as error:
            return errors.STORE_ERROR.refuse(reason=f"{error.what}: {error.why}")
        if isinstance(outcome, Refused):
            return Refusal(outcome.status, outcome.status, f"{outcome.code} {outcome.what}: {outcome.why}")
        return outcome
