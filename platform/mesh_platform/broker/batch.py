"""A record batch as the client sent it: read the header, prove it whole, stamp the offset. Records stay
closed.

Layout (Kafka's message format v2, big-endian): base offset 8, length 4, leader epoch 4, magic 1, CRC32C
4, attributes 2, last offset delta 4, base timestamp 8, max timestamp 8, producer id 8, producer epoch 2,
base sequence 4, records 4. The CRC covers everything from the attributes on, so base offset and leader
epoch can be stamped without touching it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from crc32c import crc32c

from mesh import limits

HEADER_BYTES = 61
LEAST_RECORD_BYTES = 7  # a record without key, value and headers, with its length
PREFIX_BYTES = 12  # base offset and length: what the length field does not count
LEADER_EPOCH = 0
MAX_SEQUENCE = 2**31 - 1
_HEADER = struct.Struct(">qiibIhiqqqhii")
_STAMP = struct.Struct(">q")
_EPOCH = struct.Struct(">i")
_LENGTH = struct.Struct(">i")
_CRC_START = 21
_LOG_APPEND_TIME = 0x08
_LAST_CODEC = 4  # zstd


class CorruptBatch(Exception):
    """The bytes are no whole, undamaged batch."""


class UnsupportedBatch(Exception):
    """The batch is whole, but not one that a client may write here."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The header of one record batch. Times in milliseconds since 1970."""

    base_offset: int
    size: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def last_sequence(self) -> int:
        return (self.base_sequence + self.last_offset_delta) % (MAX_SEQUENCE + 1)

    @property
    def is_idempotent(self) -> bool:
        return self.producer_id >= 0

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & 0x10)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & 0x20)

    @property
    def compression(self) -> int:
        return self.attributes & 0x07


def read_batch(data: bytes | memoryview, at: int = 0) -> Batch:
    """The header at `at`, proven by length and CRC. Raises CorruptBatch."""
    if len(data) - at < HEADER_BYTES:
        raise CorruptBatch(f"{len(data) - at} bytes hold no batch header")
    base, length, _, magic, crc, attributes, delta, first, last, pid, epoch, seq, count = _HEADER.unpack_from(
        data, at
    )
    size = length + PREFIX_BYTES
    if size < HEADER_BYTES or at + size > len(data):
        raise CorruptBatch(f"the batch claims {size} bytes of {len(data) - at}")
    if magic != 2:
        raise CorruptBatch(f"message format {magic} is not 2")
    if crc32c(memoryview(data)[at + _CRC_START : at + size]) != crc:
        raise CorruptBatch("the CRC does not match")
    if base < 0 or delta < 0:
        raise CorruptBatch("a negative offset")
    return Batch(base, size, attributes, delta, first, last, pid, epoch, seq, count)


def read_one_batch(data: bytes) -> Batch:
    """The one batch a produce request has per partition. Raises CorruptBatch, UnsupportedBatch."""
    if len(data) < HEADER_BYTES or _LENGTH.unpack_from(data, 8)[0] + PREFIX_BYTES > len(data):
        raise UnsupportedBatch("no whole record batch")
    if data[16] < 2:
        raise UnsupportedBatch(f"message format {data[16]} is not 2")
    batch = read_batch(data)
    if batch.size != len(data):
        raise UnsupportedBatch("more than one record batch for one partition")
    if batch.count < 1 or batch.count != batch.last_offset_delta + 1:
        raise UnsupportedBatch(f"{batch.count} records cannot end at offset delta {batch.last_offset_delta}")
    if batch.count > limits.BATCH_RECORDS:
        raise UnsupportedBatch(f"{batch.count} records in one batch; the most is {limits.BATCH_RECORDS}")
    if batch.base_offset != 0:
        raise UnsupportedBatch("a batch that is sent begins at offset 0")
    if batch.compression > _LAST_CODEC:
        raise UnsupportedBatch(f"there is no compression {batch.compression}")
    if not batch.compression and batch.count * LEAST_RECORD_BYTES > batch.size - HEADER_BYTES:
        raise UnsupportedBatch(f"{batch.size - HEADER_BYTES} bytes hold no {batch.count} records")
    if batch.is_control:
        raise UnsupportedBatch("clients may not write control batches")
    if batch.is_idempotent and (batch.producer_epoch < 0 or batch.base_sequence < 0):
        raise UnsupportedBatch("an idempotent batch needs an epoch and a sequence")
    return batch


def rebuild(batch: Batch, records: Sequence[bytes], max_timestamp: int) -> bytes:
    """The same batch with fewer records, uncompressed; offsets and sequences stay what they were."""
    attributes = batch.attributes & ~0x07
    fixed = struct.pack(
        ">hiqqqhii",
        attributes,
        batch.last_offset_delta,
        batch.base_timestamp,
        max_timestamp,
        batch.producer_id,
        batch.producer_epoch,
        batch.base_sequence,
        len(records),
    )
    body = fixed + b"".join(records)
    length = len(body) + _CRC_START - PREFIX_BYTES
    return struct.pack(">qiibI", batch.base_offset, length, LEADER_EPOCH, 2, crc32c(body)) + body


def blank(base_offset: int, end_offset: int) -> bytes:
    """A batch without records that takes up the offsets before `end_offset`."""
    return rebuild(Batch(base_offset, 0, 0, end_offset - base_offset - 1, -1, -1, -1, -1, -1, 0), (), -1)


def stamp(data: bytes, base_offset: int, append_time: int | None) -> bytearray:
    """A copy of the batch with its place in the log; with LogAppendTime also its time, and then a new CRC."""
    stamped = bytearray(data)
    _STAMP.pack_into(stamped, 0, base_offset)
    _EPOCH.pack_into(stamped, 12, LEADER_EPOCH)
    if append_time is not None:
        (attributes,) = struct.unpack_from(">h", stamped, 21)
        struct.pack_into(">h", stamped, 21, attributes | _LOG_APPEND_TIME)
        struct.pack_into(">q", stamped, 35, append_time)
        struct.pack_into(">I", stamped, 17, crc32c(memoryview(stamped)[_CRC_START:]))
    return stamped
