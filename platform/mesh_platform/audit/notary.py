"""Writes checkpoints into a log that keeps no hashes of its own: whoever submits, when one is due."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Final

from mesh.errors import MeshError
from mesh_platform.audit.state import CHECKPOINT, CHECKPOINT_EVERY, AuditState
from mesh_platform.log.record import ControlLog

ACTOR: Final = "platform"


class Notary:
    """Watches the chain of one process; says so when another process sees other records.

    Two processes may write a checkpoint at once: both are true.
    """

    def __init__(self, log: ControlLog, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock
        self._sealed = -1
        self._told = 0

    def look(self, audit: AuditState) -> None:
        """Called after a record of this process was applied."""
        self._tell(audit)
        if audit.due and audit.offset - self._sealed >= CHECKPOINT_EVERY:
            self._seal(audit)

    def close(self, audit: AuditState) -> None:
        """Vouch for what came after the last checkpoint."""
        if audit.unsealed:
            self._seal(audit)

    def _seal(self, audit: AuditState) -> None:
        if self._log.chain is not None:
            return
        self._sealed = audit.offset
        time = self._clock().isoformat(timespec="milliseconds")
        self._log.send(_later, time=time, actor=ACTOR, kind=CHECKPOINT, body=audit.checkpoint())

    def _tell(self, audit: AuditState) -> None:
        for one in audit.disagreements[self._told :]:
            print(
                f"mesh: MESH-S030 the control log is not what was written: the checkpoint at {one.at} says so"
                f" of the records up to {one.offset}; next: mesh audit verify",
                file=sys.stderr,
            )
        self._told = len(audit.disagreements)


def _later(_error: MeshError) -> None:
    """A checkpoint that was not taken: the next one vouches for more records."""
