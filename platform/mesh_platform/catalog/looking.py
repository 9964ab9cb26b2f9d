"""One look at a Kafka cluster through its admin protocol; the same on every broker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.plan.actual import TopicFacts
from mesh_platform.catalog.observed import Observation, ObservedGroup, ObservedTopic


class Looking:
    """Keeps the clients of one cluster between looks."""

    def __init__(self, bootstrap: str) -> None:
        from confluent_kafka.admin import AdminClient

        self._bootstrap = bootstrap
        self._admin = KafkaAdmin(bootstrap)
        self._client = AdminClient(
            {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": lambda _e: None}
        )

    def look(self) -> Observation:
        """Everything there is to see now; raises UnreachableError."""
        from confluent_kafka import KafkaException

        facts = self._admin.topics()
        try:
            offsets = self._offsets(facts)
            newest = self._newest(facts)
            groups = self._groups(offsets)
        except KafkaException as error:
            raise unreachable(self._bootstrap, error.args[0].str()) from error
        topics = {
            name: ObservedTopic(fact.partitions, fact.config, offsets.get(name, {}), newest.get(name))
            for name, fact in facts.items()
        }
        return Observation(datetime.now(UTC), topics, tuple(groups))

    def _offsets(self, facts: Mapping[str, TopicFacts]) -> dict[str, dict[int, tuple[int, int]]]:
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        places = [(name, p) for name, fact in facts.items() for p in range(fact.partitions)]
        found: dict[str, dict[int, tuple[int, int]]] = {}
        if not places:
            return found
        ends: dict[tuple[str, int], list[int]] = {}
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):
            asked = {TopicPartition(name, p): spec for name, p in places}
            futures = self._client.list_offsets(asked, request_timeout=TIMEOUT_SECONDS)
            for place, future in futures.items():
                ends.setdefault((place.topic, place.partition), []).append(future.result().offset)
        for (name, partition), (first, last) in ends.items():
            found.setdefault(name, {})[partition] = (first, last)
        return found

    def _newest(self, facts: Mapping[str, TopicFacts]) -> dict[str, datetime]:
        """By topic, the time of its newest event; left out where there is none, or a broker cannot say."""
        from confluent_kafka import KafkaException, TopicPartition
        from confluent_kafka.admin import OffsetSpec

        places = [TopicPartition(name, p) for name, fact in facts.items() for p in range(fact.partitions)]
        found: dict[str, datetime] = {}
        unknown: set[str] = set()
        if not places:
            return found
        asked = {place: OffsetSpec.max_timestamp() for place in places}
        for place, future in self._client.list_offsets(asked, request_timeout=TIMEOUT_SECONDS).items():
            try:
                stamp = future.result().timestamp
            except KafkaException as error:
                if error.args[0].code() <= 0:  # nobody has answered
                    raise
                unknown.add(place.topic)  # it has, about this partition alone: its newest batch is damaged
                continue
            if stamp > 0:
                at = datetime.fromtimestamp(stamp / 1000, UTC)
                found[place.topic] = max(at, found.get(place.topic, at))
        return {topic: at for topic, at in found.items() if topic not in unknown}

    def _groups(self, offsets: Mapping[str, Mapping[int, tuple[int, int]]]) -> list[ObservedGroup]:
        from confluent_kafka import ConsumerGroupTopicPartitions

        listed = self._client.list_consumer_groups(request_timeout=TIMEOUT_SECONDS).result()
        found: list[ObservedGroup] = []
        for group in (entry.group_id for entry in listed.valid):
            asked = [ConsumerGroupTopicPartitions(group)]
            future = self._client.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_SECONDS)[group]
            committed: dict[str, dict[int, int]] = {}
            for place in future.result().topic_partitions:
                if place.offset >= 0:
                    committed.setdefault(place.topic, {})[place.partition] = place.offset
            for topic, positions in sorted(committed.items()):
                # A partition without a committed position is still to be read from its start.
                ends = offsets.get(topic, {}).items()
                lag = sum(max(end - positions.get(p, first), 0) for p, (first, end) in ends)
                found.append(ObservedGroup(group, topic, lag))
        return found
