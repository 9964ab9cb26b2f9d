"""What the readers of the broker take and what they refuse, each limit at its edge."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pyarrow
import pytest

from mesh import limits
from mesh_platform.broker.batch import CorruptBatch, UnsupportedBatch, read_batch, read_one_batch
from mesh_platform.broker.entities import BadFrame
from mesh_platform.broker.records import TooLarge, records
from mesh_platform.broker.wire import Call, read_header, read_request, write_response
from tests.fuzz.asking import frame, read
from tests.fuzz.batches import bomb, packed, sealed
from tests.fuzz.corpus import header
from tests.unit.broker_kit import Item, batch

_DELETE_GROUPS, _FIND_COORDINATOR, _LIST_GROUPS, _METADATA = 42, 10, 16, 3


def reading(data: bytes) -> Call:
    return read_request(read_header(data), data, "host", ("host", 1))


# Frames


@pytest.mark.parametrize("version", [1, 2], ids=["legacy", "compact"])
def test_a_request_has_up_to_so_many_items_and_no_more(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_ITEMS", 100)
    assert reading(frame(_DELETE_GROUPS, version, groups_names=["g"] * 100)).body.groups_names == ("g",) * 100
    with pytest.raises(BadFrame, match="more than 100 items"):
        reading(frame(_DELETE_GROUPS, version, groups_names=["g"] * 101))


def test_the_items_of_all_arrays_of_a_request_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_ITEMS", 100)
    topics = [{"name": "t", "partition_indexes": [0] * 49}]
    reading(frame(61, 0, topics=topics * 2))
    with pytest.raises(BadFrame, match="more than 100 items"):
        reading(frame(61, 0, topics=[*topics * 2, {"name": "t", "partition_indexes": []}]))


def test_a_request_has_up_to_so_many_tagged_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_ITEMS", 100)
    whole = frame(_DELETE_GROUPS, 2, groups_names=[])
    reading(whole[:-1] + bytes([100]) + b"\x05\x00" * 100)
    with pytest.raises(BadFrame, match="more than 100 items"):
        reading(whole[:-1] + bytes([101]) + b"\x05\x00" * 101)


def test_a_header_has_up_to_so_many_tagged_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_ITEMS", 100)
    head, body = header(_DELETE_GROUPS, 2)[:-1], b"\x01\x00"
    reading(head + bytes([100]) + b"\x05\x00" * 100 + body)
    with pytest.raises(BadFrame, match="101 tagged fields"):
        reading(head + bytes([101]) + b"\x05\x00" * 101 + body)


def test_a_compact_text_is_as_long_as_kafkas_longest_and_no_longer() -> None:
    name = "g" * limits.TEXT_BYTES
    assert reading(frame(_DELETE_GROUPS, 2, groups_names=[name])).body.groups_names == (name,)
    with pytest.raises(BadFrame, match="a text of"):
        reading(frame(_DELETE_GROUPS, 2, groups_names=[name + "g"]))


@pytest.mark.parametrize(
    "body", [b"\xff\xff\xff\xff", b"\x80\0\0\0"], ids=["null where an array must be", "negative"]
)
def test_a_length_that_cannot_be_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        reading(header(_DELETE_GROUPS, 0) + body)


def test_null_is_read_where_the_protocol_allows_it() -> None:
    assert reading(header(_METADATA, 1) + b"\xff\xff\xff\xff").body.topics is None


def test_an_unknown_tagged_field_is_passed_over() -> None:
    whole = frame(_DELETE_GROUPS, 2, groups_names=["g"])
    assert reading(whole[:-1] + b"\x01\x63\x03abc").body.groups_names == ("g",)


@pytest.mark.parametrize("varint", [b"\xff" * 10, b"\x80" * 5 + b"\x01", b"\xff\xff\xff\xff\x0f"])
def test_a_varint_that_never_ends_or_counts_too_much_is_refused(varint: bytes) -> None:
    with pytest.raises(BadFrame):
        reading(header(_DELETE_GROUPS, 2) + varint + b"g")


def test_what_is_told_is_never_longer_than_a_text_may_be() -> None:
    long = "\N{GRINNING FACE}" * limits.TEXT_BYTES
    answer = write_response(_FIND_COORDINATOR, 1, 5, {"error_message": long})[4:]
    assert len(read(_FIND_COORDINATOR, 1, answer)["error_message"]) == limits.MESSAGE_LENGTH


# Batches


def test_more_records_than_fit_are_refused() -> None:
    least = b"\x0c" + b"\0" * 6
    assert read_one_batch(packed(least * 3, 0, count=3)).count == 3
    with pytest.raises(UnsupportedBatch, match="hold no 4 records"):
        read_one_batch(packed(least * 3, 0, count=4))


def test_a_batch_has_up_to_so_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_RECORDS", 10)
    assert read_one_batch(batch([Item()] * 10, gzip=True)).count == 10
    with pytest.raises(UnsupportedBatch, match="11 records"):
        read_one_batch(batch([Item()] * 11, gzip=True))


def _snappy(payload: bytes) -> bytes:
    return bytes(pyarrow.Codec("snappy").compress(payload))


def _java_snappy(payload: bytes) -> bytes:
    blocks = (_snappy(payload[at : at + 500]) for at in range(0, len(payload), 500))
    framed = b"".join(struct.pack(">i", len(block)) + block for block in blocks)
    return b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1) + framed


def _streamed(codec: Any) -> Callable[[bytes], bytes]:
    def pack(payload: bytes) -> bytes:
        sink = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(sink, codec) as stream:
            stream.write(payload)
        return bytes(sink.getvalue())

    return pack


CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, gzip.compress),
    "snappy": (2, _snappy),
    "java snappy": (2, _java_snappy),
    "lz4": (3, _streamed("lz4")),
    "zstd": (4, _streamed("zstd")),
}


@pytest.mark.parametrize("name", CODECS)
def test_a_batch_is_opened_up_to_a_bound_in_every_codec(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codec, pack = CODECS[name]
    payload = batch([Item(value=bytes(2_000))])[61:]
    data = packed(pack(payload), codec)
    monkeypatch.setattr(limits, "UNPACKED_BATCH_BYTES", len(payload))
    assert [record.raw for record in records(read_batch(data), data)] == [payload]
    monkeypatch.setattr(limits, "UNPACKED_BATCH_BYTES", len(payload) - 1)
    with pytest.raises(TooLarge):
        list(records(read_batch(data), data))


def test_many_megabytes_in_a_few_kilobytes_take_no_more_than_the_bound() -> None:
    data = bomb(1 << 28)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        list(records(read_batch(data), data))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * limits.UNPACKED_BATCH_BYTES


def test_gzip_without_its_end_is_corrupt() -> None:
    data = packed(gzip.compress(batch()[61:])[:-1], 1)
    with pytest.raises(CorruptBatch, match="the end of the gzip"):
        list(records(read_batch(data), data))


def test_a_snappy_block_that_claims_gigabytes_is_refused_before_memory_is_taken() -> None:
    data = packed(b"\xff\xff\xff\xff\x0f" + b"x" * 20, 2)
    with pytest.raises(TooLarge):
        list(records(read_batch(data), data))


@pytest.mark.parametrize(
    "record", [b"\0" * 10, b"\x0a" + b"\0" * 9, b"\x01" + b"\0" * 9, b"\xfe\xff\xff\x0f" * 3]
)
def test_a_record_of_a_length_that_cannot_be_is_corrupt(record: bytes) -> None:
    data = packed(record, 0)
    with pytest.raises(CorruptBatch):
        list(records(read_batch(data), data))


@pytest.mark.parametrize("base", [2**63 - 1, -(2**63)])
def test_a_record_outside_of_time_is_corrupt(base: int) -> None:
    data = bytearray(packed(b"\x0c\0" + (b"\x02" if base > 0 else b"\x01") + b"\0\x01\x01\0", 0))
    struct.pack_into(">q", data, 27, base)
    whole = sealed(data)
    with pytest.raises(CorruptBatch, match="of the time"):
        list(records(read_batch(whole), whole))
