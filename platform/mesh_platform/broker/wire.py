"""Frames: requests in, responses out, each in the version that its header names."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kio.index import load_request_schema, load_response_schema
from kio.serial import readers

from mesh import limits
from mesh_platform.broker.entities import BadFrame, entity_writer, read_entity

# kio looks a schema up by the name of its module, which costs more than many requests do.
_request_schema, _response_schema = cache(load_request_schema), cache(load_response_schema)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a handler sees it; `body` has the fields of its kio request entity."""

    api_key: int
    version: int
    correlation_id: int
    client_id: str | None
    client_host: str
    listener: tuple[str, int]
    body: Any


@dataclass(frozen=True, slots=True)
class Header:
    """The first eight bytes of every request, the same in every version."""

    api_key: int
    version: int
    correlation_id: int


def read_header(frame: bytes) -> Header:
    """The fixed part of a request's header. Raises BadFrame."""
    if len(frame) < 8:
        raise BadFrame(f"a frame of {len(frame)} bytes has no request header")
    return Header(*struct.unpack_from(">hhi", frame))


def read_request(header: Header, frame: bytes, client_host: str, listener: tuple[str, int]) -> Call:
    """The whole request, whose version must be one that kio knows. Raises BadFrame."""
    try:
        entity: Any = _request_schema(header.api_key, header.version)
        client_id, at = _read_client_id(frame, flexible=entity.__flexible__)
        body, _ = read_entity(entity, frame, at)
    except BadFrame:
        raise
    except Exception as error:  # kio raises many kinds; to the connection they are one
        raise BadFrame(f"api {header.api_key} v{header.version}: {error}") from error
    return Call(header.api_key, header.version, header.correlation_id, client_id, client_host, listener, body)


def _read_client_id(frame: bytes, *, flexible: bool) -> tuple[str | None, int]:
    """The client id and where the body starts; the id keeps the old string form in every header version."""
    client_id, size = readers.read_nullable_legacy_string(frame, 8)
    at = 8 + size
    if flexible:
        count, size = readers.read_unsigned_varint(frame, at)
        at += size
        if count > limits.REQUEST_ITEMS:
            raise BadFrame(f"{count} tagged fields in a header")
        for _ in range(count):
            _, size = readers.read_unsigned_varint(frame, at)
            length, more = readers.read_unsigned_varint(frame, at + size)
            at += size + more + length
    return client_id, at


def write_response(api_key: int, version: int, correlation_id: int, values: Mapping[str, Any]) -> bytes:
    """A framed response; fields that this version does not have are left out."""
    entity: Any = _response_schema(api_key, version)
    buffer = io.BytesIO()
    buffer.write(b"\0\0\0\0")
    entity_writer(entity.__header_schema__)(buffer, {"correlation_id": correlation_id})
    entity_writer(entity)(buffer, values)
    size = buffer.tell() - 4
    buffer.seek(0)
    buffer.write(struct.pack(">i", size))
    return buffer.getvalue()
