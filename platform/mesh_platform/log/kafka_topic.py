"""The control topic: made so that it keeps every record in one order, refused when it would not.

The platform's memory is this topic. One partition, nothing ever deleted or compacted: anything else
loses schemas and approvals, perhaps much later, so it is refused before anything is served.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from mesh import limits
from mesh.adapters.kafka_admin import unreachable
from mesh.errors import MeshError

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

TIMEOUT_SECONDS = 10.0
#: A record holds a request's texts at most three times over, and JSON may write a byte as six.
MESSAGE_BYTES: Final = 20 * limits.BODY_BYTES
REPLICAS: Final = 3
_KEEPS: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}


def prepare(bootstrap: str, topic: str) -> None:
    """Make the topic when it is not there; raises MeshError (MESH-S020) when it cannot keep a control log."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client: AdminClient = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": _quiet})
    try:
        if not _partitions(client, topic):
            _create(client, topic)
        _check(client, topic)
    except KafkaException as error:
        cause = error.args[0]
        if cause.name() in ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_RESOLVE"):
            raise unreachable(bootstrap, cause.str()) from error
        raise MeshError(
            "the control topic cannot be looked at",
            code="MESH-S023",
            where=topic,
            why=cause.str(),
            fix=f"let the platform describe, create, read and write {topic}",
        ) from error


def _partitions(client: AdminClient, topic: str) -> int:
    found = client.list_topics(topic, timeout=TIMEOUT_SECONDS).topics.get(topic)
    return len(found.partitions) if found is not None and found.error is None else 0


def _create(client: AdminClient, topic: str) -> None:
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import NewTopic

    replicas = min(REPLICAS, len(client.list_topics(timeout=TIMEOUT_SECONDS).brokers))
    config = {
        **_KEEPS,
        "max.message.bytes": str(MESSAGE_BYTES),
        "min.insync.replicas": str(max(1, replicas - 1)),
    }
    new = NewTopic(topic, num_partitions=1, replication_factor=replicas, config=config)
    try:
        client.create_topics([new], request_timeout=TIMEOUT_SECONDS)[topic].result()
    except KafkaException as error:
        # Two platforms that start at once both find it missing: one of them makes it.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not _partitions(client, topic) and time.monotonic() < deadline:
        time.sleep(0.05)


def _check(client: AdminClient, topic: str) -> None:
    wrong = list(_wrong(client, topic))
    if wrong:
        raise MeshError(
            "the control topic is set up so that records would be lost or lose their order",
            code="MESH-S020",
            where=topic,
            why="; ".join(why for why, _ in wrong),
            fix="; ".join(fix for _, fix in wrong),
        )


def _wrong(client: AdminClient, topic: str) -> Iterator[tuple[str, str]]:
    """What is wrong, and what to do about it."""
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import OffsetSpec

    partitions = _partitions(client, topic)
    if partitions != 1:
        yield (
            f"it has {partitions} partitions, and only one partition has one order",
            "name a new topic in MESH_CONTROL_TOPIC, and restore a backup into it",
        )
    config = _config(client, topic)
    for name, wanted in _KEEPS.items():
        if (found := config.get(name, wanted)) != wanted:
            yield (
                f"{name} is {found}, and nothing in a control log may be deleted",
                f"kafka-configs.sh --alter --topic {topic} --add-config {name}={wanted}",
            )
    first = client.list_offsets({TopicPartition(topic, 0): OffsetSpec.earliest()})
    begins = next(iter(first.values())).result().offset
    if begins > 0:
        yield (
            f"its first {begins} records are gone",
            "name a new topic in MESH_CONTROL_TOPIC, and restore a backup into it",
        )


def _config(client: AdminClient, topic: str) -> Mapping[str, str]:
    from confluent_kafka.admin import ConfigResource, ResourceType

    asked = ConfigResource(ResourceType.TOPIC, topic)
    found: Mapping[str, Any] = client.describe_configs([asked], request_timeout=TIMEOUT_SECONDS)[
        asked
    ].result()
    return {name: str(entry.value) for name, entry in found.items()}


def _quiet(_error: object) -> None:
    """Connection errors reach the caller as exceptions; librdkafka need not print them too."""
