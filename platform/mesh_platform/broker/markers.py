"""Markers: the control batches that end a transaction in a partition, one record each.

The record's key is version 0 and the type (0 abort, 1 commit), its value version 0 and the coordinator's
epoch. A marker takes an offset of its own, and no client shows it.
"""

from __future__ import annotations

import struct

from crc32c import crc32c

from mesh_platform.broker.batch import HEADER_BYTES

COORDINATOR_EPOCH = 0
_TRANSACTIONAL_CONTROL = 0x30
_NO_SEQUENCE = -1
_RECORD = struct.Struct(">bbbbbhhbhib")  # lengths are zigzag varints of one byte each
_TYPE_AT = HEADER_BYTES + 7


def marker(producer_id: int, epoch: int, *, commits: bool, now: int) -> bytes:
    """A marker as a batch whose offset is still to be stamped; `now` in milliseconds."""
    record = _RECORD.pack(32, 0, 0, 0, 8, 0, int(commits), 12, 0, COORDINATOR_EPOCH, 0)
    fixed = struct.pack(">hiqqqhii", _TRANSACTIONAL_CONTROL, 0, now, now, producer_id, epoch, _NO_SEQUENCE, 1)
    body = fixed + record
    return struct.pack(">qiibI", 0, len(body) + 9, 0, 2, crc32c(body)) + body


def is_commit(data: bytes | bytearray | memoryview) -> bool:
    """Whether a marker commits."""
    return bool(struct.unpack_from(">h", data, _TYPE_AT)[0])
