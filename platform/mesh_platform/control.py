"""The control plane: append to the log, apply to every view, answer with what was decided.

The order of the log decides races; there is no leader (docs/adr/0003). Reading needs no lock, because
views change only inside `submit`, which runs on one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mesh_platform.governance.gate import ContractGate
from mesh_platform.governance.state import GovernanceState, Refused
from mesh_platform.log import ControlLog, Record
from mesh_platform.registry.state import RegistryState
from mesh_platform.registry.warrant import KEY, Warrant, warrant_of

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The platform's clock."""
    return datetime.now(UTC)


class ControlPlane:
    """All views over one control log, rebuilt from it at start."""

    def __init__(self, log: ControlLog, clock: Clock = utc_now) -> None:
        self._log = log
        self._clock = clock
        self._turn = threading.Lock()
        self.governance = GovernanceState()
        self.registry = RegistryState(ContractGate(self.governance))
        self.recent: list[Record] = []
        for record in log.read():
            self._apply(record)

    def now(self) -> datetime:
        """The time, as records are given it."""
        return self._clock()

    def submit_now(self, kind: str, body: Mapping[str, Any], actor: str) -> Any:
        """Append, apply, answer. Durable when it returns; raises MeshError when the log cannot be written."""
        with self._turn:
            time = self._clock().isoformat(timespec="milliseconds")
            return self._apply(self._log.append(time=time, actor=actor, kind=kind, body=body))

    async def submit(self, kind: str, body: Mapping[str, Any], actor: str) -> Any:
        """`submit_now` for the event loop; an append takes well under a millisecond: it stays on the loop."""
        return self.submit_now(kind, body, actor)

    def _apply(self, record: Record) -> object:
        self.recent.append(record)
        del self.recent[:-200]
        try:
            if record.kind.startswith("registry."):
                return self.registry.apply(record)
            return self.governance.apply(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # A record of another release, or of no sense, must not keep the platform from starting.
            why = f"{record.kind} at offset {record.offset}: {type(error).__name__}: {error}"
            return Refused(500, "MESH-S013", "the control log holds a record that cannot be read", why)

    def close(self) -> None:
        """Let go of the log."""
        self._log.close()


class RegistryDoor:
    """What the registry's routes see of the control plane."""

    def __init__(self, control: ControlPlane, *, takes_unowned: bool) -> None:
        self._control = control
        self._takes_unowned = takes_unowned

    @property
    def state(self) -> RegistryState:
        """The registry's view, for reading."""
        return self._control.registry

    async def submit(self, kind: str, body: Mapping[str, Any], actor: str) -> Any:
        """Append to the log, wait until applied, answer with the outcome."""
        warrant = Warrant(warrant_of(body).rights, self._takes_unowned)
        return await self._control.submit(kind, {**body, KEY: warrant.as_data()}, actor)
