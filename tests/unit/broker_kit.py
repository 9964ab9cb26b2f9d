"""What the tests of the embedded broker share: its process, raw frames, and record batches made by hand."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from crc32c import crc32c
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer
from kio.serial.writers import write_signed_varint, write_signed_varlong
from kio.static.primitive import i32Timedelta, i64Timedelta

#: A time that retention keeps: a batch of long ago is gone with the next round of upkeep.
RECENTLY = int(time.time() * 1000)


@dataclass
class Process:
    """A broker process and the line it printed when it served."""

    popen: subprocess.Popen[bytes]
    ready: dict[str, Any]

    @property
    def bootstrap(self) -> str:
        return f"{self.ready['host']}:{self.ready['port']}"

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(10)

    def stop(self) -> int:
        self.popen.terminate()
        return self.popen.wait(10)


@contextlib.contextmanager
def broker(data: Path, *arguments: str, before: Any = None) -> Iterator[Process]:
    """A broker on `data`, ended with the context."""
    command = [sys.executable, "-m", "mesh_platform.broker", "--data", str(data), *arguments]
    pipe = subprocess.PIPE
    with (data.parent / f"{data.name}.stderr").open("ab") as errors:
        popen = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, preexec_fn=before)
    try:
        assert popen.stdout is not None
        line = popen.stdout.readline()
        assert line, (data.parent / f"{data.name}.stderr").read_text()
        yield Process(popen, json.loads(line))
    finally:
        popen.kill()
        popen.wait(10)
        for stream in (popen.stdin, popen.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class Raw:
    """One connection that speaks in frames; its entities are kio's own, not ours a second time."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.socket = socket.create_connection((ready["host"], ready["port"]), timeout=10)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_frame(self, frame: bytes) -> None:
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def read_frame(self) -> bytes:
        """The next frame; empty when the broker has hung up."""
        head = self._exactly(4)
        return self._exactly(struct.unpack(">i", head)[0]) if head else b""

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                chunk = self.socket.recv(size - len(data))
            except ConnectionResetError:
                return b""
            if not chunk:
                return b""
            data += chunk
        return data

    def ask(self, request: Any, correlation_id: int = 7) -> Any:
        self.send_frame(request_frame(request, correlation_id))
        return read_answer(request, self.read_frame())


def request_frame(request: Any, correlation_id: int = 7) -> bytes:
    kind = type(request)
    header = kind.__header_schema__
    buffer = io.BytesIO()
    fields: dict[str, Any] = {
        "request_api_key": kind.__api_key__,
        "request_api_version": kind.__version__,
        "correlation_id": correlation_id,
    }
    if "client_id" in header.__slots__:
        fields["client_id"] = "test"
    entity_writer(header)(buffer, header(**fields))
    entity_writer(kind)(buffer, request)
    return buffer.getvalue()


def read_answer(request: Any, frame: bytes) -> Any:
    kind = load_response_schema(request.__api_key__, request.__version__)
    _, at = entity_reader(kind.__header_schema__)(frame, 0)
    answer, size = entity_reader(kind)(frame, at)
    assert at + size == len(frame), "the answer is longer than its version says"
    return answer


def request_kind(api_key: int, version: int) -> Any:
    return load_request_schema(api_key, version)


def request_of(api_key: int, version: int, values: Mapping[str, Any]) -> Any:
    """A request from plain values, times in milliseconds; what is not named is kio's default, or empty."""
    return _entity(request_kind(api_key, version), values)


def _entity(kind: Any, values: Mapping[str, Any]) -> Any:
    known = {field.name: field for field in dataclasses.fields(kind)}
    assert values.keys() <= known.keys(), f"{kind.__name__} has only {sorted(known)}"
    given = {name: _value(field.type, values[name]) for name, field in known.items() if name in values}
    blank = {
        name: None if NoneType in get_args(field.type) else _BLANK[field.metadata.get("kafka_type")]
        for name, field in known.items()
        if name not in values and field.default is dataclasses.MISSING
    }
    return kind(**blank | given)


def _value(kind: Any, value: Any) -> Any:
    if NoneType in get_args(kind):
        kind = next(a for a in get_args(kind) if a is not NoneType)
    if value is not None and getattr(kind, "__origin__", None) is tuple:
        return tuple(_value(get_args(kind)[0], item) for item in value)
    if isinstance(value, Mapping):
        return _entity(kind, value)
    return timedelta(milliseconds=value) if kind in (i32Timedelta, i64Timedelta) else value


_NUMBERS = dict.fromkeys(("int8", "int16", "int32", "int64", "uint16", "uint32"), 0)
_NO_TIMES = dict.fromkeys(("timedelta_i32", "timedelta_i64"), timedelta())
_BLANK = {**_NUMBERS, **_NO_TIMES, None: (), "bool": False, "string": "", "bytes": b"", "records": b""}


@dataclass(frozen=True)
class Item:
    """One record to be put into a batch."""

    key: bytes | None = b"k"
    value: bytes | None = b"v"
    timestamp: int = RECENTLY


def batch(
    items: Sequence[Item] = (Item(),),
    *,
    base_offset: int = 0,
    producer: tuple[int, int, int] = (-1, -1, -1),
    gzip: bool = False,
    attributes: int = 0,
) -> bytes:
    """A record batch; `producer` is (id, epoch, base sequence)."""
    base = items[0].timestamp
    payload = b"".join(_record(index, item, base) for index, item in enumerate(items))
    if gzip:
        packer = zlib.compressobj(wbits=31)
        payload, attributes = packer.compress(payload) + packer.flush(), attributes | 1
    latest = max(item.timestamp for item in items)
    body = struct.pack(">hiqqqhii", attributes, len(items) - 1, base, latest, *producer, len(items)) + payload
    return struct.pack(">qiibI", base_offset, len(body) + 9, 0, 2, crc32c(body)) + body


def _record(index: int, item: Item, base: int) -> bytes:
    buffer = io.BytesIO(b"\0")
    buffer.seek(1)
    write_signed_varlong(buffer, item.timestamp - base)
    write_signed_varint(buffer, index)
    for blob in (item.key, item.value):
        write_signed_varint(buffer, -1 if blob is None else len(blob))
        buffer.write(blob or b"")
    write_signed_varint(buffer, 0)
    head = io.BytesIO()
    write_signed_varint(head, len(buffer.getvalue()))
    return head.getvalue() + buffer.getvalue()
