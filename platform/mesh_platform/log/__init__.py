"""The control log: one ordered log of what the platform knows; memory is a view (docs/adr/0003)."""

from mesh_platform.log.record import ControlLog, LogUnavailable, OutcomeUnknown, Record
from mesh_platform.log.sqlite import SqliteLog

__all__ = ["ControlLog", "LogUnavailable", "OutcomeUnknown", "Record", "SqliteLog"]
