"""How much a topic holds and who reads it, by Kafka's admin protocol; raises KafkaException as it comes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

Place = tuple[str, int]


class KafkaSoundings:
    """Questions about events and groups of one cluster."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    def events(self, topics: Collection[str]) -> dict[str, int]:
        """Events by topic, counted as the distance from its first to its next offset."""
        from confluent_kafka.admin import OffsetSpec

        places = list(self._places(topics))
        first = self._offsets(dict.fromkeys(places, OffsetSpec.earliest()))
        end = self._offsets(dict.fromkeys(places, OffsetSpec.latest()))
        found = dict.fromkeys(topics, 0)
        for place in places:
            found[place[0]] += max(0, end[place] - first[place])
        return found

    def expired(self, retention: Mapping[str, int]) -> dict[str, int]:
        """By topic, the events published longer ago than so many milliseconds."""
        from confluent_kafka.admin import OffsetSpec

        now = int(time.time() * 1000)
        places = list(self._places(retention))
        first = self._offsets(dict.fromkeys(places, OffsetSpec.earliest()))
        end = self._offsets(dict.fromkeys(places, OffsetSpec.latest()))
        edges = {p: OffsetSpec.for_timestamp(max(0, now - retention[p[0]])) for p in places}
        fresh = self._offsets(edges)
        found = dict.fromkeys(retention, 0)
        for place in places:
            # -1: no event is as young as that, so all of them are older.
            edge = fresh[place] if fresh[place] >= 0 else end[place]
            found[place[0]] += max(0, edge - first[place])
        return found

    def groups(self, topics: Collection[str]) -> dict[str, tuple[str, ...]]:
        """By topic, the groups that have committed a position on it."""
        from confluent_kafka import ConsumerGroupTopicPartitions

        found: dict[str, list[str]] = {}
        if not topics:
            return {}
        listed = self._client.list_consumer_groups(request_timeout=TIMEOUT_SECONDS).result()
        for group in sorted(entry.group_id for entry in listed.valid):
            asked = [ConsumerGroupTopicPartitions(group)]
            future = self._client.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_SECONDS)[group]
            held = {place.topic for place in future.result().topic_partitions if place.offset >= 0}
            for topic in held.intersection(topics):
                found.setdefault(topic, []).append(group)
        return {topic: tuple(groups) for topic, groups in found.items()}

    def _places(self, topics: Iterable[str]) -> Iterable[Place]:
        wanted = set(topics)
        if wanted:
            metadata = self._client.list_topics(timeout=TIMEOUT_SECONDS)
            for name in sorted(wanted & set(metadata.topics)):
                yield from ((name, partition) for partition in sorted(metadata.topics[name].partitions))

    def _offsets(self, asked: Mapping[Place, Any]) -> dict[Place, int]:
        from confluent_kafka import TopicPartition

        if not asked:
            return {}
        specs = {TopicPartition(*place): spec for place, spec in asked.items()}
        futures = self._client.list_offsets(specs, request_timeout=TIMEOUT_SECONDS)
        return {(p.topic, p.partition): future.result().offset for p, future in futures.items()}
