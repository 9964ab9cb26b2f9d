"""Good requests: one of every api key and version that the broker advertises, about things that exist."""

from __future__ import annotations

import io
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kio.index import load_request_schema

from mesh_platform.broker.entities import entity_writer
from mesh_platform.broker.versions import ADVERTISED
from tests.unit.broker_kit import batch
from tests.unit.test_broker_wire import plain, sample

TOPIC = "text"  # what `sample` calls everything
PARTITIONS = 4
CORRELATION_ID = 77
_PRODUCE, _FETCH, _INIT_PRODUCER_ID, _TXN_OFFSET_COMMIT = 0, 1, 22, 28
#: For CreateTopics and CreatePartitions: the broker is to assign.
_EMPTY_ASSIGNMENTS: Mapping[int, Any] = {19: [], 37: None}
#: What a field of this name must hold for its request to be done.
_FITTING: Mapping[str, Any] = {
    "acks": -1,
    "config_operation": 0,
    "count": PARTITIONS + 1,
    "current_leader_epoch": 0,
    "fetch_offset": 0,
    "generation_id": 1,
    "generation_id_or_member_epoch": -1,
    "key_type": 0,
    "leader_epoch": 0,
    "max_bytes": 1 << 20,
    "max_wait": 1,
    "member_id": "",
    "offset": 0,
    "partition_max_bytes": 1 << 20,
    "rebalance_timeout": 50,
    "records": batch(),
    "replication_factor": 1,
    "resource_type": 2,
    "session_epoch": -1,
    "session_id": 0,
    "session_timeout": 6000,
    "state_filters": [],
    "states_filter": [],
    "timestamp": -1,
    "types_filter": [],
    "validate_only": False,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the broker that is asked has: a topic's id, and a producer with a transactional id."""

    topic_id: uuid.UUID
    producer_id: int
    producer_epoch: int


@dataclass(frozen=True, slots=True)
class Good:
    """One good request, as the values of its fields."""

    api_key: int
    version: int
    values: Mapping[str, Any]

    def frame(self, values: Mapping[str, Any] | None = None) -> bytes:
        """As bytes without the length in front; with other values, if they can be written at all."""
        return header(self.api_key, self.version) + self.body(self.values if values is None else values)

    def body(self, values: Mapping[str, Any]) -> bytes:
        buffer = io.BytesIO()
        entity_writer(load_request_schema(self.api_key, self.version))(buffer, values)
        return buffer.getvalue()


def header(api_key: int, version: int) -> bytes:
    """A request header with a client id, of the form that the version has."""
    kind: Any = load_request_schema(api_key, version)
    fixed = struct.pack(">hhih", api_key, version, CORRELATION_ID, 4) + b"fuzz"
    return fixed + (b"\0" if kind.__flexible__ else b"")


def family_name(api_key: int) -> str:
    """The name of an api key, as Kafka has it."""
    return load_request_schema(api_key, ADVERTISED[api_key][1]).__name__.removesuffix("Request")


NOTHING_KNOWN = Known(topic_id=uuid.UUID(int=7), producer_id=4, producer_epoch=2)


def good_requests(api_key: int, known: Known = NOTHING_KNOWN) -> list[Good]:
    """One request per advertised version."""
    low, high = ADVERTISED[api_key]
    return [_good(api_key, version, known) for version in range(low, high + 1)]


def _good(api_key: int, version: int, known: Known) -> Good:
    values = _fit(plain(sample(load_request_schema(api_key, version))), known, "")
    if api_key == _PRODUCE:
        values["transactional_id"] = None
    if api_key == _INIT_PRODUCER_ID:
        values |= {name: -1 for name in ("producer_id", "producer_epoch") if name in values}
    if api_key == _TXN_OFFSET_COMMIT:
        values |= {name: -1 for name in ("generation_id",) if name in values}
    if api_key in _EMPTY_ASSIGNMENTS:
        nothing = _EMPTY_ASSIGNMENTS[api_key]
        values["topics"] = [dict(topic, assignments=nothing) for topic in values["topics"]]
    return Good(api_key, version, values)


def _fit(value: Any, known: Known, parent: str) -> Any:
    if isinstance(value, list):
        return [_fit(item, known, parent) for item in value[:1]]
    if not isinstance(value, dict):
        return value
    of_producer = {
        "topic_id": known.topic_id,
        "producer_id": known.producer_id,
        "producer_epoch": known.producer_epoch,
        "v3_and_below_producer_id": known.producer_id,
        "v3_and_below_producer_epoch": known.producer_epoch,
    }
    of_setting = {"name": "retention.ms", "value": "60000"} if parent == "configs" else {}
    fitting = {**_FITTING, **of_producer, **of_setting}
    return {
        name: fitting[name] if name in fitting else _fit(item, known, name) for name, item in value.items()
    }
