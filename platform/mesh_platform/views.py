"""Every view of one control log, changed together: by a record, or by a snapshot of all of them.

Pure: the same records in the same order lead to the same views, with or without a snapshot on the way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh_platform.audit.state import AuditState
from mesh_platform.commands import Commands
from mesh_platform.governance import snapshot as governed
from mesh_platform.governance.gate import ContractGate
from mesh_platform.governance.objections import objection
from mesh_platform.governance.state import GovernanceState, Refused
from mesh_platform.log.record import Record
from mesh_platform.log.snapshot import Part
from mesh_platform.registry import snapshot as registered
from mesh_platform.registry.state import RegistryState

RECENT: Final = 200


class Views:
    """What the log has led to so far; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.audit = AuditState()
        self._commands = Commands()
        self.governance = GovernanceState()
        self.registry = RegistryState(ContractGate(self.governance))
        self.recent: list[Record] = []

    def apply(self, record: Record) -> object:
        """Take in one record; the answer is what its client is told."""
        self.remember(record)
        self.audit.apply(record)
        return self._commands.once(record, self._decide)

    def _decide(self, record: Record) -> object:
        try:
            if record.kind.startswith("registry."):
                return self.registry.apply(record)
            return self.governance.apply(record)
        except Exception as error:
            # A record of another release, or of no sense, must not keep the platform from starting.
            why = f"{record.kind} at offset {record.offset}: {type(error).__name__}: {error}"
            return Refused(500, "MESH-S013", "the control log holds a record that cannot be read", why)

    def foretold(self, kind: str, body: Mapping[str, Any], actor: str, command: str) -> object:
        """The answer to a command that needs no record: it was carried out before, or is refused anyway."""
        known = self._commands.answer(actor, command)
        return objection(self.governance, kind, body) if known is None else known

    def remember(self, record: Record) -> None:
        """Keep a record among the latest, for people to read."""
        self.recent.append(record)
        del self.recent[:-RECENT]

    def snapshot(self) -> Iterator[Part]:
        """All views as of now, in parts of bounded size; they may change while the parts are taken."""
        audit, commands = self.audit.snapshot(), self._commands.snapshot()
        governance, registry = governed.snapshot(self.governance), registered.snapshot(self.registry)

        def parts() -> Iterator[Part]:
            yield Part("audit", audit)
            for command in commands:
                yield Part("command", command)
            for values in governance:
                yield Part("governance", values)
            for rows, texts in registry:
                yield Part("registry", rows, texts)

        return parts()

    def recall(self, before: str, records: Sequence[Record]) -> str:
        """Remember the latest records of what was restored, without applying them; the chain they lead to."""
        for record in records:
            self.remember(record)
        return self.audit.recall(before, records)

    def restore(self, part: Part) -> None:
        """Take in one part of a snapshot; raises what a part of no sense raises."""
        match part.view:
            case "audit":
                self.audit.restore(part.content)
            case "command":
                self._commands.restore(part.content)
            case "governance":
                governed.restore(self.governance, part.content)
            case "registry":
                registered.restore(self.registry, part.content, part.texts)
            case _:
                raise ValueError(part.view)

    def fingerprint(self) -> str:
        """Equal for equal views, however they came about."""
        digest = hashlib.sha256()
        for part in self.snapshot():
            digest.update(json.dumps([part.content, list(part.texts)]).encode())
        return digest.hexdigest()
