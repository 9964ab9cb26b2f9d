"""The control topic's shape: made so that it keeps every record in one order, refused when it would not.

The platform's memory is this topic. One partition, nothing ever deleted or compacted: anything else
loses schemas and approvals, perhaps much later, so it is refused before anything is served.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from mesh import limits
from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.errors import MeshError, UnreachableError
from mesh_platform.log.kafka_topic import ControlTopic, Glance

#: A record holds a request's texts at most three times over, and JSON may write a byte as six.
MESSAGE_BYTES: Final = 20 * limits.BODY_BYTES
REPLICAS: Final = 3
Answer = TypeVar("Answer")
_KEEPS: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
_NEW_TOPIC: Final = "name a new topic in MESH_CONTROL_TOPIC, and restore a backup into it: mesh restore"


def prepare(topic: ControlTopic) -> Glance:
    """Make the topic when it is not there, and look at it.

    Raises MeshError (MESH-S020) when it would lose records or their order.
    """
    from confluent_kafka import KafkaException

    try:
        found = _soon(topic.glance) or _made(topic)
        wrong = list(_wrong(topic, found))
    except KafkaException as error:
        raise topic.told(error) from error
    if wrong:
        raise MeshError(
            "the control topic is set up so that records would be lost or lose their order",
            code="MESH-S020",
            where=topic.name,
            why="; ".join(why for why, _ in wrong),
            fix="; ".join(dict.fromkeys(fix for _, fix in wrong)),
        )
    return found


def _made(topic: ControlTopic) -> Glance:
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import NewTopic

    replicas = min(REPLICAS, len(topic.client.list_topics(timeout=TIMEOUT_SECONDS).brokers))
    config = {
        **_KEEPS,
        "max.message.bytes": str(MESSAGE_BYTES),
        "min.insync.replicas": str(max(1, replicas - 1)),
    }
    new = NewTopic(topic.name, num_partitions=1, replication_factor=replicas, config=config)
    try:
        topic.client.create_topics([new], request_timeout=TIMEOUT_SECONDS)[topic.name].result()
    except KafkaException as error:
        # Two platforms that start at once both find it missing: one of them makes it.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise

    def shown() -> Glance:
        found = topic.glance()
        if found is None:
            raise unreachable(topic.bootstrap, f"{topic.name} was made and does not show yet")
        return found

    return _soon(shown)


def _soon(ask: Callable[[], Answer]) -> Answer:
    """The answer, also of a broker that is just finding its leaders; UnreachableError after a while."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            return ask()
        except UnreachableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _wrong(topic: ControlTopic, found: Glance) -> Iterator[tuple[str, str]]:
    """What is wrong, and what to do about it."""
    if found.partitions != 1:
        yield f"it has {found.partitions} partitions, and only one partition has one order", _NEW_TOPIC
    config = _config(topic)
    for name, wanted in _KEEPS.items():
        if (value := config.get(name, wanted)) != wanted:
            yield (
                f"{name} is {value}, and nothing in a control log may be deleted",
                f"kafka-configs.sh --alter --topic {topic.name} --add-config {name}={wanted}",
            )
    if found.first > 0:
        yield f"its first {found.first} records are gone", _NEW_TOPIC


def _config(topic: ControlTopic) -> Mapping[str, str]:
    from confluent_kafka.admin import ConfigResource, ResourceType

    asked = ConfigResource(ResourceType.TOPIC, topic.name)
    answer: Any = topic.client.describe_configs([asked], request_timeout=TIMEOUT_SECONDS)[asked].result()
    return {name: str(entry.value) for name, entry in answer.items()}
