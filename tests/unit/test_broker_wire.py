"""The wire: our reader and writer against kio's own, for every version that is advertised."""

from __future__ import annotations

import dataclasses
import datetime
import io
import struct
import uuid
from types import NoneType
from typing import Any, get_args

import pytest
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i32Timedelta

from mesh_platform.broker.entities import BadFrame
from mesh_platform.broker.versions import ADVERTISED
from mesh_platform.broker.wire import read_header, read_request, write_response
from tests.unit.broker_kit import request_frame

EVERY_VERSION = [(key, v) for key, (low, high) in ADVERTISED.items() for v in range(low, high + 1)]
SAMPLES = {
    "int8": 1,
    "int16": 2,
    "int32": 3,
    "int64": 4,
    "uint16": 5,
    "uint32": 6,
    "float64": 0.5,
    "bool": True,
    "uuid": uuid.UUID(int=7),
    "string": "text",
    "bytes": b"bytes",
    "records": b"records",
}


def sample(kind: Any) -> Any:
    """An entity with a value in every field, two items in every array."""
    return kind(**{field.name: _value(field) for field in dataclasses.fields(kind)})


def _value(field: Any) -> Any:
    kind, raw = field.type, field.metadata.get("kafka_type")
    if NoneType in get_args(kind):
        kind = next(a for a in get_args(kind) if a is not NoneType)
    if getattr(kind, "__origin__", None) is tuple:
        inner = get_args(kind)[0]
        return (
            (sample(inner), sample(inner))
            if dataclasses.is_dataclass(inner)
            else (_scalar(raw), _scalar(raw))
        )
    return sample(kind) if dataclasses.is_dataclass(kind) else _scalar(raw)


def _scalar(raw: Any) -> Any:
    if raw in ("timedelta_i32", "timedelta_i64"):
        return i32Timedelta.parse(datetime.timedelta(milliseconds=1500))
    if raw == "datetime_i64":
        return datetime.datetime.fromtimestamp(9, datetime.UTC)
    if raw == "error_code":
        from kio.schema.errors import ErrorCode

        return ErrorCode.none
    return SAMPLES[raw]


def plain(value: Any) -> Any:
    """An entity as what our handlers give and get: dicts, lists and integers."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(milliseconds=1)
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    return value


@pytest.mark.parametrize(("key", "version"), EVERY_VERSION)
def test_a_request_is_read_as_kio_wrote_it(key: int, version: int) -> None:
    request = sample(load_request_schema(key, version))
    frame = request_frame(request, correlation_id=99)
    call = read_request(read_header(frame), frame, "host", ("host", 1))
    assert (call.correlation_id, plain(call.body)) == (99, plain(request))


@pytest.mark.parametrize(("key", "version"), EVERY_VERSION)
def test_a_response_is_written_as_kio_would(key: int, version: int) -> None:
    kind = load_response_schema(key, version)
    response, expected = sample(kind), io.BytesIO()
    entity_writer(kind.__header_schema__)(expected, kind.__header_schema__(correlation_id=5))
    entity_writer(kind)(expected, response)
    assert write_response(key, version, 5, plain(response))[4:] == expected.getvalue()


@pytest.mark.parametrize(("key", "version"), EVERY_VERSION)
def test_a_response_without_any_value_is_filled_with_defaults(key: int, version: int) -> None:
    kind = load_response_schema(key, version)
    frame = write_response(key, version, 5, {})[4:]
    _, at = entity_reader(kind.__header_schema__)(frame, 0)
    _, size = entity_reader(kind)(frame, at)
    assert at + size == len(frame)


@pytest.mark.parametrize(("key", "version"), EVERY_VERSION)
def test_a_request_cut_anywhere_is_a_bad_frame(key: int, version: int) -> None:
    frame = request_frame(sample(load_request_schema(key, version)))
    for cut in range(8, len(frame) - 1):
        short = frame[:cut]
        with pytest.raises(BadFrame):
            read_request(read_header(short), short, "host", ("host", 1))


def test_an_array_that_claims_more_than_its_frame_is_refused_before_memory_is_taken() -> None:
    frame = struct.pack(">hhi", 3, 1, 7) + struct.pack(">h", -1) + struct.pack(">i", 2**31 - 1)
    with pytest.raises(BadFrame, match="2147483647 items"):
        read_request(read_header(frame), frame, "host", ("host", 1))


def test_a_frame_too_short_for_a_header_is_refused() -> None:
    with pytest.raises(BadFrame):
        read_header(b"\0\3\0\1")
