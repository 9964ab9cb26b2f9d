"""Asking a cluster: how long an answer may take, and what it means when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mesh.errors import UnreachableError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

#: how long one question may take
TIMEOUT_SECONDS: Final = 10.0


def unreachable(bootstrap: str, why: str) -> UnreachableError:
    """The one message for a broker that is down."""
    return UnreachableError(
        f"no Kafka broker answers at {bootstrap}",
        code="MESH-X001",
        where=bootstrap,
        why=why,
        fix="mesh up   (or set MESH_KAFKA_BOOTSTRAP to a running cluster)",
    )


def is_fatal(error: KafkaError) -> bool:
    """Whether a client is of no use any more: librdkafka says so by a mark, or by a code without it."""
    return bool(error.fatal() or error.name() == "_FATAL")
