"""Who an event is: what stays the same however often it is sent, delivered or replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Delivered(Protocol):
    """What of a record says who its event is."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...


def identity(record: Delivered) -> str:
    """CloudEvents' `source` and `id` together; of an event without an id, its place on its topic.

    The id survives a publisher's retries; a place survives redelivery only, because whoever sends an event
    without an id again makes a second one.
    """
    headers = record.headers()
    event_id = _text(headers, "ce_id")
    if event_id is None:
        return f"{record.topic()}/{record.partition()}/{record.offset()}"
    return f"{_text(headers, 'ce_source') or record.topic()} {event_id}"


def _text(headers: Sequence[tuple[str, bytes | None]] | None, wanted: str) -> str | None:
    for name, raw in headers or ():
        if name == wanted and raw:
            return raw.decode(errors="replace")
    return None
