"""BrokerAdmin over Kafka's admin protocol, by confluent-kafka. It knows nothing of which broker answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.adapters.kafka_grants import give, grants_of
from mesh.adapters.kafka_settings import settings_of
from mesh.adapters.kafka_soundings import KafkaSoundings
from mesh.errors import MeshError
from mesh.plan.access import Grant
from mesh.plan.actual import TopicFacts
from mesh.plan.topics import SETTINGS

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

#: Up to so many topics all of their settings are asked for, over the connection that is open.
FEW = 200


class KafkaAdmin:
    """Topics of one cluster. Raises UnreachableError (MESH-X001) when nothing answers in time."""

    def __init__(self, bootstrap: str) -> None:
        from confluent_kafka.admin import AdminClient

        self._bootstrap = bootstrap
        self._client: AdminClient = AdminClient(
            {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": _quiet}
        )
        self._soundings = KafkaSoundings(self._client)

    def topics(self) -> Mapping[str, TopicFacts]:
        """All topics but internal ones, with the settings a contract speaks of."""
        metadata = self._ask(lambda: self._client.list_topics(timeout=TIMEOUT_SECONDS))
        names = [name for name in metadata.topics if not name.startswith("__")]
        settings = self._settings(names) if len(names) <= FEW else self._settings_of_many(names)
        return {
            name: TopicFacts(len(metadata.topics[name].partitions), settings[name])
            for name in names
            if name in settings
        }

    def _settings(self, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        from confluent_kafka.admin import ConfigResource, ResourceType

        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        futures = self._client.describe_configs(resources, request_timeout=TIMEOUT_SECONDS)
        found = {resource.name: self._ask(future.result) for resource, future in futures.items()}
        return {n: {key: c[key].value for key in SETTINGS if key in c} for n, c in found.items()}

    def _settings_of_many(self, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        from aiokafka.errors import KafkaError

        try:
            return settings_of(self._bootstrap, names, SETTINGS)
        except (KafkaError, OSError) as error:
            raise unreachable(self._bootstrap, str(error) or type(error).__name__) from error

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

    def delete_topic(self, topic: str) -> None:
        """Delete it with every event; one that is not there is left alone. Waits until it is gone."""
        from confluent_kafka import KafkaError, KafkaException

        future = self._client.delete_topics([topic], request_timeout=TIMEOUT_SECONDS)[topic]
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise self._told(error, topic) from error
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while topic in self._ask(lambda: self._client.list_topics(timeout=TIMEOUT_SECONDS)).topics:
            if time.monotonic() > deadline:
                raise MeshError(
                    "the broker still shows the deleted topic",
                    code="MESH-K012",
                    where=topic,
                    why=f"deleted, but still there after {TIMEOUT_SECONDS:.0f} s",
                    fix="mesh plan",
                )
            time.sleep(0.05)

    def events(self, topics: Collection[str]) -> Mapping[str, int]:
        """How many events each topic holds, by its offsets."""
        found: Mapping[str, int] = self._ask(lambda: self._soundings.events(topics))
        return found

    def expired(self, retention: Mapping[str, int]) -> Mapping[str, int]:
        """By topic, how many events are older than so many milliseconds."""
        found: Mapping[str, int] = self._ask(lambda: self._soundings.expired(retention))
        return found

    def groups(self, topics: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """By topic, the consumer groups that hold a position on it."""
        found: Mapping[str, tuple[str, ...]] = self._ask(lambda: self._soundings.groups(topics))
        return found

    def grants(self, principals: Collection[str]) -> frozenset[Grant] | None:
        """What these principals may do; None where the cluster has no authorizer."""
        found: frozenset[Grant] | None = self._ask(lambda: grants_of(self._client, principals))
        return found

    def grant(self, grant: Grant) -> None:
        """Allow it, on top of what is allowed already."""
        self._ask(lambda: give(self._client, grant), grant.name)

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


def _quiet(_error: object) -> None:
    """Connection errors reach the caller as exceptions; librdkafka need not print them too."""
