"""confluent-kafka's AdminClient: topics, settings, offsets, records, groups, and no security."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import confluent_kafka
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

from tests.clients.report import Report, event, fresh, settled

EVENTS = 60


class Round:
    """One broker, one topic of three partitions, one group that has read some of it, one report."""

    def __init__(self, bootstrap: str) -> None:
        self.servers = {"bootstrap.servers": bootstrap}
        self.report = Report("confluent-kafka AdminClient", confluent_kafka.__version__)
        self.admin = AdminClient(dict(self.servers))
        self.topic, self.group = fresh("admin"), fresh("group")
        self.places = [TopicPartition(self.topic, number) for number in range(3)]

    def fill(self) -> None:
        """As many events in each partition; 15 of the first are read and committed."""
        producer = Producer(dict(self.servers))
        for number in range(EVENTS):
            producer.produce(self.topic, event(number)[1], partition=number % 3)
        self.report.saw("unacknowledged", producer.flush(20), 0)
        consumer = Consumer({**self.servers, "group.id": self.group, "enable.auto.commit": False})
        consumer.subscribe([self.topic])
        while not consumer.assignment():
            consumer.poll(0.1)
        consumer.commit(offsets=[TopicPartition(self.topic, 0, 15)], asynchronous=False)
        (described,) = self.admin.describe_consumer_groups([self.group]).values()
        group = described.result(20)
        seen = [group.state.name, len(group.members), len(group.members[0].assignment.topic_partitions)]
        self.report.saw("group with a member", seen, ["STABLE", 1, 3])
        consumer.close()


def topics(the: Round) -> None:
    made = the.admin.create_topics([NewTopic(the.topic, 2, 1, config={"retention.ms": "7200000"})])
    made[the.topic].result(20)
    again = the.admin.create_topics([NewTopic(the.topic, 2, 1)])[the.topic]
    the.report.saw("made twice", refusal(again.result), "TOPIC_ALREADY_EXISTS")
    the.admin.create_partitions([NewPartitions(the.topic, 3)])[the.topic].result(20)
    settled(lambda: len(the.admin.list_topics(the.topic, timeout=20).topics[the.topic].partitions), 3)
    described = the.admin.describe_topics(TopicCollection([the.topic]))[the.topic].result(20)
    the.report.saw("partitions", [place.id for place in described.partitions], [0, 1, 2])
    the.report.saw("leaders", [place.leader.id for place in described.partitions], [1, 1, 1])
    cluster = the.admin.describe_cluster().result(20)
    the.report.saw("nodes", [cluster.controller.id, *(node.id for node in cluster.nodes)], [1, 1])


def settings(the: Round) -> None:
    resource = ConfigResource(ResourceType.TOPIC, the.topic)

    def value(name: str) -> str:
        return str(the.admin.describe_configs([resource])[resource].result(20)[name].value)

    the.report.saw("setting as made", value("retention.ms"), "7200000")
    change = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    changed = ConfigResource(ResourceType.TOPIC, the.topic, incremental_configs=[change])
    the.admin.incremental_alter_configs([changed])[changed].result(20)
    the.report.saw("setting changed", settled(lambda: value("retention.ms"), "3600000"), "3600000")
    replaced = ConfigResource(ResourceType.TOPIC, the.topic, set_config={"cleanup.policy": "compact"})
    the.admin.alter_configs([replaced])[replaced].result(20)
    seen = settled(lambda: [value("cleanup.policy"), value("retention.ms")], ["compact", "604800000"])
    the.report.saw("settings replaced", seen, ["compact", "604800000"])
    the.admin.alter_configs([ConfigResource(ResourceType.TOPIC, the.topic)])[resource].result(20)
    settled(lambda: value("cleanup.policy"), "delete")
    node = ConfigResource(ResourceType.BROKER, "1")
    the.report.saw("settings of the node", len(the.admin.describe_configs([node])[node].result(20)) > 0, True)


def offsets(the: Round) -> None:
    def places(spec: OffsetSpec) -> list[int]:
        found = the.admin.list_offsets(dict.fromkeys(the.places, spec))
        return [found[place].result(20).offset for place in the.places]

    the.report.saw("latest", places(OffsetSpec.latest()), [20, 20, 20])
    deleted = the.admin.delete_records([TopicPartition(the.topic, 1, 7)])
    the.report.saw("low watermark", [one.result(20).low_watermark for one in deleted.values()], [7])
    the.report.saw("earliest", places(OffsetSpec.earliest()), [0, 7, 0])


def groups(the: Round) -> None:
    listed = the.admin.list_consumer_groups().result(20)
    the.report.saw("listed", the.group in {group.group_id for group in listed.valid}, True)

    def committed() -> dict[int, int]:
        wanted = ConsumerGroupTopicPartitions(the.group)
        (found,) = the.admin.list_consumer_group_offsets([wanted]).values()
        return {place.partition: place.offset for place in found.result(20).topic_partitions}

    the.report.saw("committed", committed(), {0: 15})
    moved = ConsumerGroupTopicPartitions(the.group, [TopicPartition(the.topic, 2, 3)])
    (altered,) = the.admin.alter_consumer_group_offsets([moved]).values()
    altered.result(20)
    the.report.saw("committed from outside", committed(), {0: 15, 2: 3})
    (empty,) = the.admin.describe_consumer_groups([the.group]).values()
    the.report.saw("group without members", empty.result(20).state.name, "EMPTY")
    the.admin.delete_consumer_groups([the.group])[the.group].result(20)
    left = {group.group_id for group in the.admin.list_consumer_groups().result(20).valid}
    the.report.saw("group deleted", the.group not in left, True)


def security(the: Round) -> None:
    """A Kafka without an authorizer has no rules, and nobody has a password in it."""
    allow = (AclOperation.READ, AclPermissionType.ALLOW)
    rule = AclBinding(ResourceType.TOPIC, the.topic, ResourcePatternType.LITERAL, "User:nobody", "*", *allow)
    made = the.admin.create_acls([rule])[rule]
    the.report.saw("a rule", refusal(lambda: made.result(20)), "SECURITY_DISABLED")
    asked = the.admin.describe_user_scram_credentials(["nobody"])["nobody"]
    the.report.saw("password of nobody", refusal(lambda: asked.result(20)), "RESOURCE_NOT_FOUND")


def refusal(ask: Callable[[], Any]) -> str:
    """The name of the error with which the broker refuses."""
    try:
        ask()
    except KafkaException as error:
        return str(error.args[0].name())
    return "none"


def main(bootstrap: str) -> None:
    the = Round(bootstrap)
    topics(the)
    settings(the)
    the.fill()
    offsets(the)
    groups(the)
    security(the)
    the.admin.delete_topics([the.topic])[the.topic].result(20)
    gone = settled(lambda: the.topic in the.admin.list_topics(timeout=20).topics, False)
    the.report.saw("topic still there", gone, False)
    the.report.tell()


if __name__ == "__main__":
    main(sys.argv[1])
