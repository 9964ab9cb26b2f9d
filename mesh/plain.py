"""A few events in hand made ready without Arrow, whose calls cost as much for one event as for a thousand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mesh.codec.plain import NotPlain, PlainRows, plain_rows
from mesh.codec.reference import FastavroCodec
from mesh.event import format_time
from mesh.keys import RowKey, row_key
from mesh.rules.closures import RowGuard


@dataclass(frozen=True, slots=True)
class Told:
    """Key and value of each event, and when it happened; no times where the contract names no event time."""

    keys: Sequence[bytes | None]
    values: Sequence[bytes]
    times: Sequence[bytes] | None


@dataclass(frozen=True, slots=True)
class PlainEvents:
    """One contract, compiled for single events."""

    rows: PlainRows
    guard: RowGuard | None
    key: RowKey
    event_time: str | None

    def told(self, events: Sequence[Any], prefix: bytes) -> Told | None:
        """Events as they are sent; None when one of them breaks a rule or asks for a closer look."""
        try:
            read = self.rows.events(events)
            values = [self.rows.datum(event, prefix) for event in read]
            if self.guard is not None and any(map(self.guard.check, read)):
                return None
            times = None if self.event_time is None else [_time(event.get(self.event_time)) for event in read]
        except NotPlain:
            return None
        return Told([self.key(event) for event in read], values, times)


def plain_events(
    codec: FastavroCodec, guard: RowGuard | None, key: Sequence[str], event_time: str | None
) -> PlainEvents | None:
    """None where some value, the key or the time of an event is only to be had from columns."""
    arrow_schema = codec.arrow_schema
    rows, of_row = plain_rows(codec), row_key(key, arrow_schema)
    if rows is None or of_row is None or not _is_plain(event_time, arrow_schema):
        return None
    return PlainEvents(rows, guard, of_row, event_time)


def _is_plain(event_time: str | None, schema: pa.Schema) -> bool:
    kind = None if event_time is None else schema.field(event_time).type
    return kind is None or (pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz is not None)


def _time(event: Any) -> bytes:
    if event is None:  # then all of the batch have the time of publishing
        raise NotPlain
    return format_time(event).encode()
