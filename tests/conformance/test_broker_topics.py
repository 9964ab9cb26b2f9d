"""Topics and their settings, as a client sees them: the same on the embedded broker and on Apache Kafka."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from mesh_platform.brokers import RunningBroker


@pytest.fixture
def admin(broker: RunningBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap})


@pytest.fixture
def name() -> str:
    return f"topics.{uuid.uuid4().hex}.v1"


def create(admin: AdminClient, name: str, partitions: int = 1, replication: int = 1, **config: str) -> None:
    settings = {key.replace("_", "."): value for key, value in config.items()}
    admin.create_topics([NewTopic(name, partitions, replication, config=settings)])[name].result(20)
    assert settled(lambda: name in admin.list_topics(timeout=20).topics, True)


def settled(read: Callable[[], Any], expected: Any) -> Any:
    """What is read once it is as expected, or after 10 s: a Kafka broker learns of changes a moment later."""
    deadline = time.monotonic() + 10
    while (found := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def code_of(action: Callable[[], Any]) -> int:
    with pytest.raises(KafkaException) as caught:
        action()
    code: int = caught.value.args[0].code()
    return code


def configs(admin: AdminClient, name: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, name)
    entries = admin.describe_configs([resource])[resource].result(20)
    return {key: entry.value for key, entry in entries.items()}


def change(admin: AdminClient, topic: str, entry: ConfigEntry) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(20)


def test_a_created_topic_is_listed_with_its_partitions(admin: AdminClient, name: str) -> None:
    create(admin, name, partitions=3)
    assert sorted(admin.list_topics(name, timeout=20).topics[name].partitions) == [0, 1, 2]


def test_a_topic_twice_is_refused(admin: AdminClient, name: str) -> None:
    create(admin, name)
    assert code_of(lambda: create(admin, name)) == KafkaError.TOPIC_ALREADY_EXISTS


@pytest.mark.parametrize("bad", ["a b", "a/b", "é", "x" * 250, ".", ".."])
def test_a_bad_name_is_refused(admin: AdminClient, bad: str) -> None:
    assert code_of(lambda: create(admin, bad)) == KafkaError.TOPIC_EXCEPTION


def test_names_that_differ_only_in_dots_and_underscores_collide(admin: AdminClient, name: str) -> None:
    create(admin, name)
    assert code_of(lambda: create(admin, name.replace(".", "_"))) == KafkaError.TOPIC_EXCEPTION


def test_zero_partitions_are_refused(admin: AdminClient, name: str) -> None:
    assert code_of(lambda: create(admin, name, partitions=0)) == KafkaError.INVALID_PARTITIONS


def test_more_replicas_than_brokers_are_refused(admin: AdminClient, name: str) -> None:
    assert code_of(lambda: create(admin, name, replication=9)) == KafkaError.INVALID_REPLICATION_FACTOR


def test_the_default_number_of_replicas_is_taken(admin: AdminClient, name: str) -> None:
    create(admin, name, replication=-1)
    assert name in admin.list_topics(timeout=20).topics


@pytest.mark.parametrize(
    ("key", "value"), [("no_such_setting", "1"), ("retention_ms", "soon"), ("cleanup_policy", "burn")]
)
def test_a_bad_setting_is_refused(admin: AdminClient, name: str, key: str, value: str) -> None:
    assert code_of(lambda: create(admin, name, **{key: value})) == KafkaError.INVALID_CONFIG


def test_a_topic_that_is_only_validated_is_not_created(admin: AdminClient, name: str) -> None:
    admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)[name].result(20)
    assert name not in admin.list_topics(timeout=20).topics


def test_a_deleted_topic_is_gone(admin: AdminClient, name: str) -> None:
    create(admin, name)
    admin.delete_topics([name])[name].result(20)
    assert settled(lambda: name in admin.list_topics(timeout=20).topics, False) is False


def test_a_topic_that_is_not_there_cannot_be_deleted(admin: AdminClient, name: str) -> None:
    assert code_of(lambda: admin.delete_topics([name])[name].result(20)) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_settings_are_read_as_they_were_given(admin: AdminClient, name: str) -> None:
    create(admin, name, retention_ms="34560000000", cleanup_policy="compact")
    found = configs(admin, name)
    assert (found["retention.ms"], found["cleanup.policy"]) == ("34560000000", "compact")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", "delete"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "-1"),
        ("max.message.bytes", "1048588"),
        ("message.timestamp.type", "CreateTime"),
        ("min.insync.replicas", "1"),
        ("segment.bytes", "1073741824"),
        ("compression.type", "producer"),
    ],
)
def test_defaults_are_kafkas(admin: AdminClient, name: str, key: str, value: str) -> None:
    create(admin, name)
    assert configs(admin, name)[key] == value


def test_settings_of_a_topic_that_is_not_there_are_refused(admin: AdminClient, name: str) -> None:
    assert code_of(lambda: configs(admin, name)) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_setting_can_be_changed_and_taken_back(admin: AdminClient, name: str) -> None:
    create(admin, name)
    change(admin, name, ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    changed = settled(lambda: configs(admin, name)["retention.ms"], "1000")
    change(admin, name, ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE))
    restored = settled(lambda: configs(admin, name)["retention.ms"], "604800000")
    assert (changed, restored) == ("1000", "604800000")


def test_a_list_setting_can_be_appended_to(admin: AdminClient, name: str) -> None:
    create(admin, name)
    change(
        admin, name, ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
    )
    policies = settled(lambda: set(configs(admin, name)["cleanup.policy"].split(",")), {"compact", "delete"})
    assert policies == {"compact", "delete"}


def test_a_bad_change_changes_nothing(admin: AdminClient, name: str) -> None:
    create(admin, name)
    entry = ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)
    assert code_of(lambda: change(admin, name, entry)) == KafkaError.INVALID_CONFIG
    assert configs(admin, name)["retention.ms"] == "604800000"


def test_partitions_can_be_added(admin: AdminClient, name: str) -> None:
    create(admin, name)
    admin.create_partitions([NewPartitions(name, 4)])[name].result(20)
    assert settled(lambda: len(admin.list_topics(name, timeout=20).topics[name].partitions), 4) == 4


def test_partitions_cannot_be_taken_away(admin: AdminClient, name: str) -> None:
    create(admin, name, partitions=3)
    taken = lambda: admin.create_partitions([NewPartitions(name, 2)])[name].result(20)  # noqa: E731
    assert code_of(taken) == KafkaError.INVALID_PARTITIONS


def test_the_cluster_has_an_id_and_a_controller(admin: AdminClient) -> None:
    cluster = admin.describe_cluster().result(20)
    assert cluster.cluster_id
    assert cluster.controller.id in {node.id for node in cluster.nodes}


def test_records_can_be_deleted_up_to_the_end(admin: AdminClient, name: str) -> None:
    create(admin, name)
    place = TopicPartition(name, 0, 0)
    assert admin.delete_records([place])[place].result(20).low_watermark == 0
