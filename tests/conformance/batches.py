"""The record batches of an answer, as bytes."""

from __future__ import annotations

import struct


def split(records: bytes) -> list[bytes]:
    """The whole batches of an answer."""
    found, at = [], 0
    while at + 12 <= len(records):
        (length,) = struct.unpack_from(">i", records, at + 8)
        data = records[at : at + 12 + length]
        found += [data] if len(data) == 12 + length else []
        at += 12 + length
    return found


def base_offset(data: bytes) -> int:
    return int.from_bytes(data[:8], "big")


def last_offset(data: bytes) -> int:
    return base_offset(data) + int.from_bytes(data[23:27], "big")
