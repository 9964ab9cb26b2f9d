"""The cases of plans, told as stories: what was applied first, what happened then, what is declared now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from mesh import naming
from mesh.apply import apply
from mesh.connection import Mesh
from mesh.declaration import Declaration, SourceFile, declare
from mesh.plan import Consent, Plan, make_plan
from mesh.plan.destroy import destroying

DAY_MS = 86_400_000
ALL_RISKS = Consent(kinds=["lossy", "adopt"])

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: {topic}
version: {version}
status: {status}
domain: {domain}
description: {{purpose: Rides of a bicycle.}}
schema:
  - name: rides
    physicalName: {topic}
    physicalType: topic
    customProperties:
      - {{property: partitions, value: {partitions}}}
      - {{property: retention, value: {retention}}}
      - {{property: cleanupPolicy, value: {cleanup}}}
    properties:
      - {{name: ride_id, logicalType: string, primaryKey: true, required: true, description: Which one.}}
{properties}"""
METRES = "      - {name: metres, logicalType: integer, required: true, description: How far.}\n"
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: {domain}.{product}
name: {product}
version: 1.0.0
status: active
domain: {domain}
outputPorts:
  - {{name: rides, contractId: {topic}}}
"""


@dataclass(frozen=True)
class Estate:
    """A domain of its own on a mesh, and what a case does to it."""

    mesh: Mesh
    domain: str

    @property
    def topic(self) -> str:
        return f"{self.domain}.rides.v1"

    def declared(self, product: str = "rides", **more: object) -> Declaration:
        """Contract and product, with these parts of the contract."""
        facts: dict[str, object] = {
            "version": "1.0.0",
            "status": "active",
            "partitions": 2,
            "retention": "P30D",
            "cleanup": "delete",
            "properties": METRES,
            **more,
        }
        topic = f"{self.domain}.{product}.v1"
        files = {
            f"contracts/{self.domain}/{product}.v1.odcs.yaml": CONTRACT.format(
                topic=topic, domain=self.domain, **facts
            ),
            f"domains/{self.domain}/{product}.odps.yaml": PRODUCT.format(
                topic=topic, domain=self.domain, product=product
            ),
        }
        return declare(SourceFile(name, text.encode()) for name, text in files.items()).require()

    def plan(self, desired: Declaration) -> Plan:
        """The plan of the whole domain."""
        world = self.mesh.world()
        return make_plan(desired, world.actual(desired, [self.domain]), [self.domain])

    def destroying(self, desired: Declaration) -> Plan:
        """The plan that also removes what is not declared."""
        made = self.plan(desired)
        return destroying(made, self.mesh.world().holders(made))

    def apply(self, desired: Declaration) -> None:
        """Make it so."""
        list(apply(self.plan(desired), self.mesh.world(), ALL_RISKS))

    def approve(self, desired: Declaration) -> Declaration:
        """Have every contract of a declaration reviewed and approved."""
        for contract in desired.contracts.values():
            document = contract.document
            proposal = self.mesh.platform.propose(document.file, document.text, "as planned")
            self.mesh.platform.decide(proposal["number"], "approve", "agreed", proposal["sha256"])
        return desired

    def publish(self, *days_ago: float) -> None:
        """Events of that age, raw: these cases look at topics and not at what is in them."""
        producer = Producer({"bootstrap.servers": self.mesh.settings.bootstrap})
        now = int(time.time() * 1000)
        for age in days_ago:
            stamp = now - int(age * DAY_MS)
            producer.produce(self.topic, key=b"a", value=b"raw", partition=0, timestamp=stamp)
        assert producer.flush(10) == 0

    def commit(self, group: str) -> None:
        """A consumer that has read up to somewhere, and is gone."""
        place = TopicPartition(self.topic, 0, 1)
        consumer = Consumer({"bootstrap.servers": self.mesh.settings.bootstrap, "group.id": group})
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    def make_topic(self, partitions: int) -> None:
        """A topic made by somebody else."""
        admin = AdminClient({"bootstrap.servers": self.mesh.settings.bootstrap})
        for future in admin.create_topics([NewTopic(self.topic, partitions, 1)]).values():
            future.result(10)


def create(estate: Estate) -> Declaration:
    return estate.declared()


def grow(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    more = METRES + "      - {name: note, logicalType: string, description: What somebody noted.}\n"
    return estate.approve(estate.declared(version="1.1.0", partitions=4, retention="P400D", properties=more))


def shrink(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    estate.publish(12, 11, 10, 0.2, 0.1)
    return estate.approve(estate.declared(version="1.1.0", retention="P7D"))


def shrink_partitions(estate: Estate) -> Declaration:
    desired = estate.declared()
    estate.apply(desired)
    estate.mesh.world().broker.add_partitions(estate.topic, 4)
    return desired


def rename_property(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    renamed = (
        "      - name: length\n        logicalType: integer\n        required: true\n"
        "        description: How far.\n"
        "        customProperties: [{property: avroAliases, value: [metres]}]\n"
    )
    return estate.declared(version="1.1.0", properties=renamed)


def rename_product(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    return estate.declared("trips")


def breaking(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    retyped = "      - {name: metres, logicalType: boolean, required: true, description: How far.}\n"
    return estate.declared(version="1.1.0", properties=retyped)


def drifted(estate: Estate) -> Declaration:
    desired = estate.declared()
    estate.apply(desired)
    world = estate.mesh.world()
    world.broker.alter_topic(estate.topic, {"retention.ms": str(90 * DAY_MS)})
    world.broker.delete_topic(naming.dead_letter_topic(estate.topic))
    world.registry.set_level(naming.value_subject(estate.topic), "NONE")
    return desired


def conflict(estate: Estate) -> Declaration:
    estate.make_topic(2)
    estate.publish(0.1)
    return estate.declared()


def destroy(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    estate.publish(0.2, 0.1)
    estate.apply(estate.approve(estate.declared(version="1.1.0", status="retired")))
    return estate.declared("trips")


def destroy_promised(estate: Estate) -> Declaration:
    estate.apply(estate.declared())
    return estate.declared("trips")


@dataclass(frozen=True)
class Case:
    """One story, and how its end is planned."""

    tell: Callable[[Estate], Declaration]
    plan: Callable[[Estate, Declaration], Plan] = Estate.plan
    consent: Consent = field(default=ALL_RISKS)


CASES: Mapping[str, Case] = {
    "create": Case(create),
    "grow": Case(grow),
    "shrink": Case(shrink),
    "shrink-partitions": Case(shrink_partitions),
    "rename-property": Case(rename_property),
    "rename-product": Case(rename_product),
    "breaking": Case(breaking),
    "drift": Case(drifted),
    "conflict": Case(conflict),
    "destroy": Case(
        destroy,
        Estate.destroying,
        Consent(names=["plan-destroy.rides.v1", "plan-destroy.rides.v1.dlq"]),
    ),
    "destroy-promised": Case(destroy_promised, Estate.destroying),
}
