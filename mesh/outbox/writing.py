"""Writing to the outbox: checked, encoded and stamped as by a publisher, stored with the caller's data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh.outbox import postgres, sqlite
from mesh.outbox.rows import columns
from mesh.parcels import OnViolation, Packer, allowed


class Outbox:
    """Writes events of one contract into the caller's transaction; neither broker nor registry is asked."""

    def __init__(self, packer: Packer, on_violation: OnViolation = "reject") -> None:
        allowed(on_violation)
        self._packer = packer
        self._on_violation = on_violation

    def write(
        self,
        connection: Any,
        event: Any,
        *,
        event_id: str | None = None,
        on_violation: OnViolation | None = None,
        traceparent: str | None = None,
    ) -> str:
        """Write one event; its id. The caller commits, or not."""
        given = None if event_id is None else [event_id]
        (written,) = self.write_many(
            connection, [event], event_ids=given, on_violation=on_violation, traceparent=traceparent
        )
        return written

    def write_many(
        self,
        connection: Any,
        events: Any,
        *,
        event_ids: Sequence[str] | None = None,
        on_violation: OnViolation | None = None,
        traceparent: str | None = None,
    ) -> list[str]:
        """Write events in their order; their ids.

        `connection` is one of `sqlite3`, or a DB-API connection to PostgreSQL such as psycopg's. Raises
        EventError for what does not fit the contract, and UsageError (MESH-E044) outside of a transaction.
        """
        checked = self._packer.check(events, on_violation or self._on_violation, event_ids, traceparent)
        insert = sqlite.insert if sqlite.speaks(connection) else postgres.insert
        rows = [
            row
            for chunk in checked.chunks
            for parcel in self._packer.parcels(checked, chunk)
            for row in columns(parcel)
        ]
        insert(connection, rows)
        return [event_id.decode() for chunk in checked.chunks for event_id in chunk.ids]
