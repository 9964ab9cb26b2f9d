"""The registry as a pure state machine: `apply` a record of the control log, get the answer it led to.

Nothing but the records and their order decides: ids, versions and verdicts come out the same on
every replay and every replica. A bad request is an answer (a `Refusal`), never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mesh_platform.registry import errors
from mesh_platform.registry.configuration import delete_config, delete_mode, set_config, set_mode
from mesh_platform.registry.deletion import delete_context, delete_subject, delete_version
from mesh_platform.registry.model import Gate, OpenGate, Outcome, Record
from mesh_platform.registry.registration import register
from mesh_platform.registry.settings import Settings
from mesh_platform.registry.subjects import Subjects

REGISTER: Final = "registry.register"
DELETE_SUBJECT: Final = "registry.delete-subject"
DELETE_VERSION: Final = "registry.delete-version"
DELETE_CONTEXT: Final = "registry.delete-context"
SET_CONFIG: Final = "registry.set-config"
DELETE_CONFIG: Final = "registry.delete-config"
SET_MODE: Final = "registry.set-mode"
DELETE_MODE: Final = "registry.delete-mode"


class RegistryState:
    """What the control log has made of the registry so far; `apply` is the only way it changes."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.subjects = Subjects()
        self.settings = Settings()
        self.gate: Gate = gate or OpenGate()

    def apply(self, record: Record) -> Outcome:
        """Take in one record; the answer is what its client is told. Unknown kinds change nothing."""
        handler = HANDLERS.get(record.kind)
        if handler is None:
            return errors.BAD_REQUEST.refuse(reason=f"The registry does not know {record.kind!r}")
        return handler(self, record)


#: What each kind of record does: the registry's whole vocabulary in the control log.
HANDLERS: Final[Mapping[str, Callable[[RegistryState, Record], Outcome]]] = MappingProxyType(
    {
        REGISTER: register,
        DELETE_SUBJECT: delete_subject,
        DELETE_VERSION: delete_version,
        DELETE_CONTEXT: delete_context,
        SET_CONFIG: set_config,
        DELETE_CONFIG: delete_config,
        SET_MODE: set_mode,
        DELETE_MODE: delete_mode,
    }
)
