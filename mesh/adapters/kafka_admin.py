"""BrokerAdmin over Kafka's admin protocol, by confluent-kafka. It knows nothing of which broker answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mesh.errors import MeshError, UnreachableError
from mesh.plan.actual import TopicFacts

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

TIMEOUT_SECONDS = 10.0
SETTINGS = ("cleanup.policy", "retention.ms")


class KafkaAdmin:
    """Topics of one cluster. Raises UnreachableError (MESH-X001) when nothing answers in time."""

    def __init__(self, bootstrap: str) -> None:
        from confluent_kafka.admin import AdminClient

        self._bootstrap = bootstrap
        self._client: AdminClient = AdminClient(
            {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": _quiet}
        )

    def topics(self) -> Mapping[str, TopicFacts]:
        """All topics but internal ones, with the settings a contract speaks of."""
        from confluent_kafka.admin import ConfigResource, ResourceType

        metadata = self._ask(lambda: self._client.list_topics(timeout=TIMEOUT_SECONDS))
        names = [name for name in metadata.topics if not name.startswith("__")]
        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        futures = self._client.describe_configs(resources, request_timeout=TIMEOUT_SECONDS)
        found: dict[str, TopicFacts] = {}
        for resource, future in futures.items():
            config = self._ask(future.result)
            kept = {key: config[key].value for key in SETTINGS if key in config}
            found[resource.name] = TopicFacts(len(metadata.topics[resource.name].partitions), kept)
        return found

    def create_topic(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        """Create it with the cluster's default replication; an existing one is left alone."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import NewTopic

        new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, config=dict(config))
        future = self._client.create_topics([new], request_timeout=TIMEOUT_SECONDS)[topic]
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._told(error, topic) from error
        self._await(topic, partitions)

    def _await(self, topic: str, partitions: int) -> None:
        """Wait until the cluster shows a new topic: some brokers hear of it a moment later than others."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            metadata = self._ask(lambda: self._client.list_topics(topic, timeout=TIMEOUT_SECONDS))
            found = metadata.topics[topic]
            if found.error is None and len(found.partitions) >= partitions:
                return
            if time.monotonic() > deadline:
                raise MeshError(
                    "the broker does not show the new topic",
                    code="MESH-K011",
                    where=topic,
                    why=f"created, but not there after {TIMEOUT_SECONDS:.0f} s",
                    fix="mesh plan",
                )
            time.sleep(0.05)

    def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        """Change only the settings named."""
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        futures = self._client.incremental_alter_configs([resource], request_timeout=TIMEOUT_SECONDS)
        for future in futures.values():
            self._ask(future.result, topic)

    def add_partitions(self, topic: str, total: int) -> None:
        """Grow a topic to `total` partitions."""
        from confluent_kafka.admin import NewPartitions

        futures = self._client.create_partitions(
            [NewPartitions(topic, total)], request_timeout=TIMEOUT_SECONDS
        )
        for future in futures.values():
            self._ask(future.result, topic)

    def _ask(self, question: Callable[[], Any], topic: str | None = None) -> Any:
        from confluent_kafka import KafkaException

        try:
            return question()
        except KafkaException as error:
            raise self._told(error, topic) from error

    def _told(self, error: Any, topic: str | None) -> MeshError:
        cause = error.args[0]
        if cause.name() in ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_RESOLVE"):
            return unreachable(self._bootstrap, cause.str())
        return MeshError(
            f"the broker refused: {cause.str()}",
            code="MESH-K010",
            where=topic,
            why=cause.name(),
            fix="mesh plan",
        )


def unreachable(bootstrap: str, why: str) -> UnreachableError:
    """The one message for a broker that is down."""
    return UnreachableError(
        f"no Kafka broker answers at {bootstrap}",
        code="MESH-X001",
        where=bootstrap,
        why=why,
        fix="mesh up   (or set MESH_KAFKA_BOOTSTRAP to a running cluster)",
    )


def _quiet(_error: object) -> None:
    """Connection errors reach the caller as exceptions; librdkafka need not print them too."""
