"""A request as the values of its fields, sent as it is, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kio.index import load_response_schema

from mesh_platform.broker.entities import read_entity
from tests.fuzz.corpus import Good
from tests.unit.broker_kit import Raw
from tests.unit.test_broker_wire import plain


def ask(raw: Raw, api_key: int, version: int, **values: Any) -> Mapping[str, Any]:
    """The answer as plain values; what is not said has its default. Fails when the broker hangs up."""
    raw.send_frame(frame(api_key, version, **values))
    return read(api_key, version, raw.read_frame())


def frame(api_key: int, version: int, **values: Any) -> bytes:
    return Good(api_key, version, values).frame()


def read(api_key: int, version: int, answer: bytes) -> Mapping[str, Any]:
    assert answer, "the broker has hung up"
    kind: Any = load_response_schema(api_key, version)
    _, at = read_entity(kind.__header_schema__, answer, 0)
    body, size = read_entity(kind, answer, at)
    assert at + size == len(answer)
    values: Mapping[str, Any] = plain(body)
    return values
