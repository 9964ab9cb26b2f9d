"""What an operator asks: versions, settings, folders, pages of topics, lag; the same on both brokers.

What differs is named here, and in docs/reference/broker-differences.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from mesh_platform.broker.settings import KIND_NUMBER, SETTINGS
from mesh_platform.broker.versions import ADVERTISED
from mesh_platform.brokers import RunningBroker
from tests.conformance.answers import (
    CLUSTER,
    CONFIGS,
    DESCRIBE_GROUPS,
    DESCRIBE_TOPICS,
    FOLDERS,
    METADATA,
    PRODUCE,
    RESOURCES,
    VERSIONS,
    World,
    ask,
    codes,
    create,
    raw,
    until,
)
from tests.unit.broker_kit import batch

TOPIC, BROKER = 2, 4
#: Requests of Apache Kafka 4.3 that the embedded broker does not have.
NOT_HERE = {
    **dict.fromkeys((17, 36, 38, 39, 40, 41), "SASL and delegation tokens"),
    **dict.fromkeys((34, 49, 57, 64, 55, 80, 81), "several nodes, folders, quotas and features"),
    **dict.fromkeys((27,), "markers between brokers"),
    **dict.fromkeys((68, 69, 76, 77, 78, 79, 88, 89), "groups whose broker assigns"),
    **dict.fromkeys((83, 84, 85, 86, 87, 90, 91, 92), "the state of share groups"),
}
#: Highest versions that the embedded broker stays below: they belong to transactions version 2.
BELOW = {24: 3, 26: 4, 28: 4}


def test_the_same_versions_are_told(broker: RunningBroker) -> None:
    with raw(broker) as connection:
        told = ask(connection, VERSIONS, 4, client_software_name="test", client_software_version="1")
    found = {key.api_key: (key.min_version, key.max_version) for key in told.api_keys}
    expected = {key: (0 if key == PRODUCE else low, high) for key, (low, high) in ADVERTISED.items()}
    if broker.kind == "kafka":
        assert found.keys() - expected.keys() == NOT_HERE.keys()
        found = {key: (low, BELOW.get(key, high)) for key, (low, high) in found.items() if key in expected}
    assert found == expected


def described(broker: RunningBroker, kind: int, name: str, **asked: bool) -> Mapping[str, Any]:
    with raw(broker) as connection:
        wanted = [{"resource_type": kind, "resource_name": name, "configuration_keys": None}]
        (found,) = ask(connection, CONFIGS, 4, resources=wanted, **asked).results
    assert codes(found) == ["none"]
    return {entry.name: entry for entry in found.configs}


def test_a_topic_has_the_same_settings_of_the_same_types_and_defaults(
    broker: RunningBroker, world: World
) -> None:
    found = {name: (e.value, e.config_type) for name, e in described(broker, TOPIC, world["<topic>"]).items()}
    assert found == {name: (s.default, KIND_NUMBER[s.kind]) for name, s in SETTINGS.items()}


def test_a_setting_explains_itself_to_whoever_asks(broker: RunningBroker, world: World) -> None:
    asked = described(broker, TOPIC, world["<topic>"], include_documentation=True)
    unasked = described(broker, TOPIC, world["<topic>"])
    assert all(entry.documentation for entry in asked.values())
    assert not any(entry.documentation or entry.synonyms for entry in unasked.values())


def test_what_a_topic_sets_itself_comes_before_the_default(broker: RunningBroker, world: World) -> None:
    found = described(broker, TOPIC, world["<compacted>"], include_synonyms=True)["cleanup.policy"]
    assert (found.value, [s.value for s in found.synonyms]) == ("compact", ["compact", "delete"])


NUMBERED = {"boolean": 1, "string": 2, "int": 3, "list": 7}
OWN = {
    "auto.create.topics.enable": "boolean",
    "broker.id": "int",
    "default.replication.factor": "int",
    "fetch.max.bytes": "int",
    "group.initial.rebalance.delay.ms": "int",
    "group.max.session.timeout.ms": "int",
    "group.max.size": "int",
    "group.min.session.timeout.ms": "int",
    "log.dirs": "list",
    "max.connections": "int",
    "message.max.bytes": "int",
    "node.id": "int",
    "num.partitions": "int",
    "offset.metadata.max.bytes": "int",
    "offsets.retention.minutes": "int",
    "producer.id.expiration.ms": "int",
    "socket.request.max.bytes": "int",
    "transaction.max.timeout.ms": "int",
    "transactional.id.expiration.ms": "int",
}
#: The same number on both brokers, because no embedded limit stands in the way.
SAME = {
    "fetch.max.bytes": "57671680",
    "group.max.session.timeout.ms": "1800000",
    "group.min.session.timeout.ms": "6000",
    "message.max.bytes": "1048588",
    "offset.metadata.max.bytes": "4096",
    "offsets.retention.minutes": "10080",
    "producer.id.expiration.ms": "86400000",
    "socket.request.max.bytes": "104857600",
    "transaction.max.timeout.ms": "900000",
    "transactional.id.expiration.ms": "604800000",
}


def test_the_brokers_own_settings_have_kafkas_names_types_and_defaults(broker: RunningBroker) -> None:
    found = described(broker, BROKER, "1")
    assert {name: found[name].config_type for name in OWN} == {n: NUMBERED[kind] for n, kind in OWN.items()}
    assert {name: found[name].value for name in SAME} == SAME
    assert broker.kind == "kafka" or found.keys() == OWN.keys()


def test_what_can_be_described_is_listed(broker: RunningBroker, world: World) -> None:
    with raw(broker) as connection:
        listed = ask(connection, RESOURCES, 1, resource_types=[TOPIC, BROKER]).config_resources
    found = {(item.resource_type, item.resource_name) for item in listed}
    assert {(TOPIC, world["<topic>"]), (BROKER, "1")} <= found


def test_the_folder_holds_the_bytes_of_a_partition(broker: RunningBroker) -> None:
    sent, name = batch(), f"folders.{uuid.uuid4().hex}"
    with raw(broker) as connection:
        create(connection, name)
        topic = {"name": name, "partition_data": [{"index": 0, "records": sent}]}
        assert codes(ask(connection, PRODUCE, 12, acks=-1, timeout=5_000, topic_data=[topic])) == ["none"]
        (folder,) = ask(connection, FOLDERS, 4, topics=[{"topic": name, "partitions": [0, 1, 9]}]).results
    (found,) = folder.topics
    sizes = {part.partition_index: part.partition_size for part in found.partitions}
    assert (found.name, sizes) == (name, {0: len(sent), 1: 0})
    assert folder.total_bytes >= folder.usable_bytes > 0


def test_topics_are_described_in_pages(broker: RunningBroker, world: World) -> None:
    wanted, cursor, pages = [{"name": world["<topic>"]}], None, []
    with raw(broker) as connection:
        while cursor or not pages:
            page = ask(
                connection, DESCRIBE_TOPICS, 0, topics=wanted, response_partition_limit=1, cursor=cursor
            )
            pages.append([p.partition_index for topic in page.topics for p in topic.partitions])
            at = page.next_cursor
            cursor = at and {"topic_name": at.topic_name, "partition_index": at.partition_index}
    assert pages == [[0], [1]]


def test_everything_is_allowed_where_nobody_is_asked_who_he_is(broker: RunningBroker, world: World) -> None:
    with raw(broker) as connection:
        named = [{"name": world["<topic>"], "topic_id": None}]
        (topic,) = ask(
            connection, METADATA, 12, topics=named, include_topic_authorized_operations=True
        ).topics
        asked = {"include_cluster_authorized_operations": True, "endpoint_type": 1}
        cluster = ask(connection, CLUSTER, 2, **asked)
        groups = {"groups": [world["<group>"]], "include_authorized_operations": True}
        (group,) = ask(connection, DESCRIBE_GROUPS, 6, **groups).groups
    of_cluster, of_topic = cluster.cluster_authorized_operations, topic.topic_authorized_operations
    assert (of_cluster, of_topic, group.authorized_operations) == (8096, 3576, 3400)


def test_the_lag_of_a_group_is_computed_from_outside(broker: RunningBroker, world: World) -> None:
    name, group = f"lag.{uuid.uuid4().hex}", f"lag.{uuid.uuid4().hex}"
    with raw(broker) as connection:
        create(connection, name)
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in range(10):
        producer.produce(name, b"%d" % number, partition=number % 2)
    assert producer.flush(20) == 0
    reader = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group})
    reader.commit(offsets=[TopicPartition(name, 0, 2), TopicPartition(name, 1, 5)], asynchronous=False)
    reader.close()
    assert lag(AdminClient({"bootstrap.servers": broker.bootstrap}), group) == {0: 3, 1: 0}


def lag(admin: AdminClient, group: str) -> dict[int, int]:
    """Behind the end, by partition; with nothing but the official client."""
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    committed = asked[group].result(20).topic_partitions
    ends = admin.list_offsets({TopicPartition(c.topic, c.partition): OffsetSpec.latest() for c in committed})
    found = {(place.topic, place.partition): end.result(20).offset for place, end in ends.items()}
    return {c.partition: found[c.topic, c.partition] - c.offset for c in committed}


def test_a_first_member_does_not_wait_for_one_that_never_came(broker: RunningBroker) -> None:
    group = f"first.{uuid.uuid4().hex}"
    values = {"group_id": group, "session_timeout": 60_000, "rebalance_timeout": 60_000}
    values |= {"protocol_type": "consumer", "protocols": [{"name": "range", "metadata": b""}]}
    with raw(broker) as connection:
        find = {"key_type": 0, "coordinator_keys": [group]}
        until(lambda: codes(ask(connection, 10, 4, **find)) == ["none"], "no coordinator")
        assert codes(ask(connection, 11, 9, **values)) == ["member_id_required"]
        assert codes(ask(connection, 11, 9, **values, group_instance_id="other")) == ["none"]
