"""Bytes that are no request, or none that is served: the same on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import METADATA, PRODUCE, VERSIONS, raw
from tests.unit.broker_kit import Raw

UNSUPPORTED_VERSION = 35
INT_MAX = 2**31 - 1


def framed(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def headed(api: int, version: int, body: bytes = b"") -> bytes:
    return framed(struct.pack(">hhih", api, version, 7, -1) + body)


@pytest.fixture
def connection(broker: RunningBroker) -> Iterator[Raw]:
    with raw(broker) as made:
        yield made


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(headed(9999, 0), id="an unknown request"),
        pytest.param(headed(-1, 0), id="a negative request"),
        pytest.param(headed(4, 0), id="a request of brokers among themselves"),
        pytest.param(headed(METADATA, 99), id="a version to come"),
        pytest.param(headed(METADATA, -1), id="a negative version"),
        pytest.param(headed(PRODUCE, 0, struct.pack(">hii", 1, 1, 0)), id="a version told, not served"),
        pytest.param(framed(b""), id="an empty frame"),
        pytest.param(framed(b"abc"), id="less than a header"),
        pytest.param(headed(METADATA, 1, struct.pack(">i", 3)), id="a cut request"),
        pytest.param(headed(METADATA, 1, struct.pack(">i", INT_MAX)), id="an array of two thousand million"),
        pytest.param(headed(VERSIONS, 3), id="no body"),
        pytest.param(struct.pack(">i", -5) + b"abcdefgh", id="a negative size"),
        pytest.param(struct.pack(">i", 100 * 1024 * 1024 + 1) + b"abcdefgh", id="a size beyond the limit"),
        pytest.param(struct.pack(">i", INT_MAX) + b"abcdefgh", id="the largest size"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(bytes.fromhex("16030100c8010000c40303"), id="an encrypted greeting"),
    ],
)
def test_the_connection_is_closed(connection: Raw, sent: bytes) -> None:
    connection.socket.sendall(sent)
    assert connection.read_frame() == b""


def test_a_newer_question_for_versions_is_answered_in_the_oldest(connection: Raw) -> None:
    connection.socket.sendall(headed(VERSIONS, 99, b"\0"))
    correlation, code, count, api, low, high = struct.unpack(">ihihhh", connection.read_frame())
    assert (correlation, code, count, api, low, high) == (7, UNSUPPORTED_VERSION, 1, VERSIONS, 0, 4)


def test_bytes_after_a_request_are_ignored(connection: Raw) -> None:
    connection.socket.sendall(headed(METADATA, 1, struct.pack(">i", 0) + b"more"))
    assert connection.read_frame()[:4] == struct.pack(">i", 7)


def test_requests_sent_at_once_are_answered_in_order(connection: Raw) -> None:
    requests = [struct.pack(">hhihi", METADATA, 1, number, -1, 0) for number in range(50)]
    connection.socket.sendall(b"".join(framed(request) for request in requests))
    answered = [struct.unpack(">i", connection.read_frame()[:4])[0] for _ in requests]
    assert answered == list(range(50))


def test_a_request_sent_byte_by_byte_is_answered(connection: Raw) -> None:
    for byte in headed(METADATA, 1, struct.pack(">i", 0)):
        connection.socket.sendall(bytes([byte]))
    assert connection.read_frame()[:4] == struct.pack(">i", 7)
