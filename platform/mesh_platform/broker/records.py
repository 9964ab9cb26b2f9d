"""Inside a batch: its records, for look-ups by time and for compaction. Never on the way of an event.

A batch is opened into memory, up to 64 MiB: what a client may pack into a few bytes has no other end.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kio.serial.readers import read_signed_varint, read_signed_varlong

from mesh import limits
from mesh_platform.broker.batch import HEADER_BYTES, LEAST_RECORD_BYTES, Batch, CorruptBatch
from mesh_platform.broker.log import Log

_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_STREAMED = {_LZ4: "lz4", _ZSTD: "zstd"}
_XERIAL = b"\x82SNAPPY\x00"
_LOG_APPEND_TIME = 0x08
_CHUNK = 1024 * 1024
_TIMES = range(-(2**63), 2**63)


class TooLarge(CorruptBatch):
    """The records unpack to more than this broker opens."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a batch; `raw` is as it lies there, with its length in front."""

    raw: bytes
    offset: int
    timestamp: int
    key: bytes | None
    has_value: bool


def records(batch: Batch, data: bytes) -> Iterator[Record]:
    """The records of a batch, opened if it is compressed. Raises CorruptBatch."""
    try:
        payload = _open(batch.compression, data[HEADER_BYTES:])
        at = 0
        for _ in range(batch.count):
            length, size = read_signed_varint(payload, at)
            end = at + size + length
            if size + length < LEAST_RECORD_BYTES or end > len(payload):
                raise CorruptBatch(f"a record claims {length} bytes")
            yield _record(batch, payload, at + size, payload[at:end])
            at = end
    except CorruptBatch:
        raise
    except Exception as error:  # a codec or a length that does not hold
        raise CorruptBatch(f"records cannot be read: {error}") from error


def _record(batch: Batch, payload: bytes, at: int, raw: bytes) -> Record:
    at += 1  # attributes, unused
    time, size = read_signed_varlong(payload, at)
    at += size
    delta, size = read_signed_varint(payload, at)
    at += size
    length, size = read_signed_varint(payload, at)
    at += size
    key = payload[at : at + length] if length >= 0 else None
    value_length, _ = read_signed_varint(payload, at + max(length, 0))
    stamped = batch.attributes & _LOG_APPEND_TIME
    timestamp = batch.max_timestamp if stamped else batch.base_timestamp + time
    if timestamp not in _TIMES:
        raise CorruptBatch(f"a record of the time {timestamp}")
    return Record(raw, batch.base_offset + delta, timestamp, key, value_length >= 0)


def _open(compression: int, payload: bytes) -> bytes:
    if not compression:
        return payload
    if compression == _GZIP:
        return _open_gzip(payload)
    import pyarrow

    if compression != _SNAPPY:
        codec_name: Any = _STREAMED[compression]
        return _read_all(pyarrow.CompressedInputStream(pyarrow.BufferReader(payload), codec_name))
    codec, parts = pyarrow.Codec("snappy"), tuple(_snappy_parts(payload))
    sizes = [_snappy_size(part) for part in parts]
    if sum(sizes) > limits.UNPACKED_BATCH_BYTES:
        raise _too_large()
    return b"".join(bytes(codec.decompress(*each)) for each in zip(parts, sizes, strict=True))


def _too_large() -> TooLarge:
    return TooLarge(f"records of more than {limits.UNPACKED_BATCH_BYTES} bytes in one batch")


def _open_gzip(payload: bytes) -> bytes:
    opener = zlib.decompressobj(wbits=31)
    opened = opener.decompress(payload, limits.UNPACKED_BATCH_BYTES + 1)
    if len(opened) > limits.UNPACKED_BATCH_BYTES:
        raise _too_large()
    if not opener.eof:
        raise CorruptBatch("the end of the gzip data is missing")
    return opened


def _read_all(stream: Any) -> bytes:
    opened = bytearray()
    while chunk := stream.read(_CHUNK):
        opened += chunk
        if len(opened) > limits.UNPACKED_BATCH_BYTES:
            raise _too_large()
    return bytes(opened)


def _snappy_parts(payload: bytes) -> Iterator[bytes]:
    """Java clients cut snappy into blocks behind a header of their own; librdkafka sends one block."""
    if not payload.startswith(_XERIAL):
        yield payload
        return
    at = 16
    while at < len(payload):
        length = int.from_bytes(payload[at : at + 4], "big")
        yield payload[at + 4 : at + 4 + length]
        at += 4 + length


def _snappy_size(block: bytes) -> int:
    size = shift = 0
    for byte in block[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return size
    raise CorruptBatch("a snappy block without a length")


def first_at_time(log: Log, timestamp: int) -> tuple[int, int]:
    """(timestamp, offset) of the first record at or after `timestamp`, (-1, -1) if there is none."""
    found = log.first_at_time(timestamp)
    if found is None:
        return -1, -1
    for record in records(*found):
        if record.timestamp >= timestamp and record.offset >= log.start_offset:
            return record.timestamp, record.offset
    return -1, -1


def first_of_largest_time(log: Log) -> tuple[int, int]:
    """(timestamp, offset) of the first record with the log's largest timestamp."""
    latest = max((segment.max_timestamp for segment in log.segments if segment.size), default=-1)
    return first_at_time(log, latest) if latest >= 0 else (-1, -1)
