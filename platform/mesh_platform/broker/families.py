"""The broker's metrics by name: kind, label, and what they tell; docs/reference/broker.md is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
PREFIX = "mesh_broker_"
API_SECONDS = "request_seconds"

#: name without prefix: (kind, label or nothing, what it tells)
FAMILIES: Mapping[str, tuple[Kind, str, str]] = {
    "connections": ("gauge", "", "connections that are open"),
    "connections_accepted": ("counter", "", "connections that were taken"),
    "refused": (
        "counter",
        "reason",
        "what was refused: a connection too many, a bad frame, a client too slow, a write beyond --max-disk",
    ),
    API_SECONDS: ("histogram", "api", "seconds from a request to its answer; its count is that of requests"),
    "received_bytes": ("counter", "", "bytes of requests"),
    "sent_bytes": ("counter", "", "bytes of answers"),
    "unsent_bytes": ("gauge", "", "bytes of answers that clients have not taken yet"),
    "in_flight_bytes": ("gauge", "", "bytes of requests that are being read or answered"),
    "produced_batches": ("counter", "", "record batches that went into logs"),
    "produced_bytes": ("counter", "", "bytes of those batches"),
    "topics": ("gauge", "", "topics"),
    "partitions": ("gauge", "", "partitions"),
    "log_bytes": ("gauge", "", "bytes of all logs"),
    "log_limit_bytes": ("gauge", "", "what --max-disk allows; absent without it"),
    "topic_log_bytes": ("gauge", "topic", "bytes of a topic's logs, of the fifty largest topics"),
    "groups": ("gauge", "state", "consumer groups by state"),
    "transactional_ids": ("gauge", "state", "transactional ids by the state of their transaction"),
    "recovery_dropped_bytes": ("gauge", "", "bytes that the last start could not keep"),
    "journal_events": ("counter", "event", "events of the journal, told or left out"),
}
