"""aiokafka's AIOKafkaAdminClient: topics, settings, records, groups."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.clients.report import Report, fresh


async def topics(admin: AIOKafkaAdminClient, report: Report, topic: str) -> None:
    made = NewTopic(topic, 2, 1, topic_configs={"retention.ms": "7200000"})
    codes = [(await admin.create_topics([made])).topic_errors[0][1] for _ in range(2)]
    report.saw("made, made twice", codes, [0, 36])
    await admin.create_partitions({topic: NewPartitions(3)})
    report.saw("partitions", await settled(lambda: partitions(admin, topic), [0, 1, 2]), [0, 1, 2])
    report.saw("topic listed", topic in await admin.list_topics(), True)
    cluster = await admin.describe_cluster()
    report.saw("nodes", [cluster["controller_id"], *(b["node_id"] for b in cluster["brokers"])], [1, 1])


async def settings(admin: AIOKafkaAdminClient, report: Report, topic: str) -> None:
    report.saw("setting as made", await setting(admin, topic), "7200000")
    changed = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "3600000"})
    await admin.alter_configs([changed])
    seen = await settled(lambda: setting(admin, topic), "3600000")
    report.saw("setting changed", seen, "3600000")


async def records(admin: AIOKafkaAdminClient, report: Report, topic: str, bootstrap: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in range(20):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)
    place = TopicPartition(topic, 0)
    low = await admin.delete_records({place: RecordsToDelete(7)})
    report.saw("low watermark", list(low.values()), [7])
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        report.saw("earliest", list((await consumer.beginning_offsets([place])).values()), [7])


async def groups(admin: AIOKafkaAdminClient, report: Report, topic: str, bootstrap: str) -> None:
    group = fresh("group")
    config = {"bootstrap_servers": bootstrap, "group_id": group, "enable_auto_commit": False}
    async with AIOKafkaConsumer(topic, **config) as consumer:
        while not consumer.assignment():
            await asyncio.sleep(0.05)
        await consumer.commit({TopicPartition(topic, 0): (15, "so far")})
        (answer,) = await admin.describe_consumer_groups([group])
        (described,) = answer.groups
        seen = [described[2], described[3], len(described[5])]
        report.saw("group with a member", seen, ["Stable", "consumer", 1])
    listed = [one[:2] for one in await admin.list_consumer_groups()]
    report.saw("group listed", (group, "consumer") in listed, True)
    offsets = await admin.list_consumer_group_offsets(group)
    committed = {place.partition: (found.offset, found.metadata) for place, found in offsets.items()}
    report.saw("committed", committed, {0: (15, "so far")})


async def partitions(admin: AIOKafkaAdminClient, topic: str) -> list[int]:
    (described,) = await admin.describe_topics([topic])
    return sorted(one["partition"] for one in described["partitions"])


async def setting(admin: AIOKafkaAdminClient, topic: str) -> str:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    (resource,) = answer.resources
    return str({entry[0]: entry[1] for entry in resource[4]}["retention.ms"])


async def settled(look: Any, wanted: Any) -> Any:
    """What is seen once it is what was wanted, or after 10 s: Kafka's nodes hear of a change a bit later."""
    for _ in range(200):
        if (seen := await look()) == wanted:
            break
        await asyncio.sleep(0.05)
    return seen


async def main(bootstrap: str) -> None:
    report, topic = Report("aiokafka AIOKafkaAdminClient", aiokafka.__version__), fresh("aioadmin")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await topics(admin, report, topic)
    await settings(admin, report, topic)
    await records(admin, report, topic, bootstrap)
    await groups(admin, report, topic, bootstrap)
    answer = await admin.delete_topics([topic])
    report.saw("deleted", [error[1] for error in answer.topic_error_codes], [0])
    await admin.close()
    report.tell()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
