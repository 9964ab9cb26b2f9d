"""Publishing to an output port: check, encode, send. One event or a million, the same contract.

A refused event is the caller's problem at once: `many` checks everything it is given before it sends
anything of it, so a refused call has published nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import TracebackType
from typing import Any

from mesh.errors import NotAcknowledged, Unacknowledged, not_acknowledged
from mesh.event import EventIds, SchemaKey
from mesh.interfaces import Sender
from mesh.parcels import OnViolation, Packer, Parcel, allowed
from mesh.port import OutputPort


@dataclass(frozen=True, slots=True)
class Published:
    """What one call handed over: events on the topic (so many of them marked), and dead letters."""

    events: int
    dead_letters: int = 0
    marked: int = 0


class Publisher:
    """Publishes events of one contract. Close it (or use `with`): only then everything is acknowledged.

    `on_violation` says what becomes of an event that breaks a record rule: "reject" raises before anything
    is sent, "dead-letter" sets it aside with the reason, "mark" publishes it with the rules it breaks.
    """

    def __init__(
        self,
        port: OutputPort,
        schema_id: SchemaKey,
        sender: Sender,
        ids: EventIds,
        clock: Callable[[], datetime],
        on_violation: OnViolation = "reject",
    ) -> None:
        allowed(on_violation)
        self._packer = Packer(port, schema_id, ids, clock)
        self._sender = sender
        self._on_violation = on_violation

    def __call__(
        self, event: Any, *, event_id: str | None = None, traceparent: str | None = None
    ) -> Published:
        """Publish one event (dict or Pydantic model); raises EventError when it does not fit the contract."""
        return self.many([event], event_ids=event_id and [event_id], traceparent=traceparent)

    def many(
        self,
        events: Any,
        *,
        on_violation: OnViolation | None = None,
        event_ids: Sequence[str] | None = None,
        traceparent: str | None = None,
    ) -> Published:
        """Publish a list of dicts or models, or an Arrow, Polars or pandas table.

        Raises EventError before anything is sent: MESH-E020 where a broken record rule rejects, others for
        an event that does not even fit the schema. Raises NotAcknowledged when events did not get through.
        """
        checked = self._packer.check(events, on_violation or self._on_violation, event_ids, traceparent)
        refused, left = checked.refused, checked.events
        for chunk in checked.chunks:
            left -= chunk.count
            self._send(self._packer.parcels(checked, chunk), left)
        if checked.on_violation == "mark":
            return Published(checked.events, marked=refused)
        return Published(checked.events - refused, refused)

    def again(self, error: NotAcknowledged) -> None:
        """Hand over once more what was not acknowledged, in its order and with the ids it has.

        Some of it may be on the topic already, because acknowledgements get lost too: by the id, readers
        can tell a repeat.
        """
        parcels = [_parcel(topic, list(found)) for topic, found in groupby(error.events, lambda e: e.topic)]
        self._send(parcels, 0)

    def flush(self) -> None:
        """Wait until all events are acknowledged; raises NotAcknowledged for those that are not."""
        self._sender.flush()

    def close(self) -> None:
        """Flush, then let go of the connection."""
        try:
            self._sender.flush()
        finally:
            self._sender.close()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, parcels: Sequence[Parcel], left: int) -> None:
        """Hand over parcels; when one is not taken, the others and `left` more events are told as well."""
        for index, parcel in enumerate(parcels):
            try:
                self._sender.send(parcel.topic, parcel.keys, parcel.values, parcel.headers, parcel.times_ms)
            except NotAcknowledged as error:
                rest = [event for other in parcels[index + 1 :] for event in _unsent(other)]
                raise not_acknowledged((*error.events, *rest), unsent=left, fatal=error.fatal) from error


def _parcel(topic: str, events: Sequence[Unacknowledged]) -> Parcel:
    return Parcel(
        topic,
        [event.key for event in events],
        [event.value for event in events],
        [list(event.headers) for event in events],
        [event.time_ms for event in events],
    )


def _unsent(parcel: Parcel) -> list[Unacknowledged]:
    cause = "not sent: an event before it was not acknowledged"
    columns = zip(parcel.keys, parcel.values, parcel.headers, parcel.times_ms, strict=True)
    return [
        Unacknowledged(parcel.topic, -1, key, value, tuple(headers), at, cause)
        for key, value, headers, at in columns
    ]
