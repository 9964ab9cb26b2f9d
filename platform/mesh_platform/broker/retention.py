"""Retention: whole segments go when they are too old or too much."""

from __future__ import annotations

from mesh_platform.broker.log import Log


def retain(log: Log, now: int, retention_ms: int, retention_bytes: int) -> None:
    """Delete what is past its time or beyond the bytes; the active segment only if all of it is old.

    A negative bound is none. Raises OSError.
    """
    expired = 0
    for segment in log.segments:
        if not segment.size or retention_ms < 0 or segment.max_timestamp >= now - retention_ms:
            break
        expired += 1
    if expired == len(log.segments):
        log.roll()
    surplus = log.size - retention_bytes if retention_bytes >= 0 else 0
    for index, segment in enumerate(log.segments[:-1]):
        if surplus < segment.size:
            break
        surplus -= segment.size
        expired = max(expired, index + 1)
    if expired:
        log.advance_start(log.segments[expired].base_offset)
