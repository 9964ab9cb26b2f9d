"""Carrying out a plan: boring on purpose. Reads the world, then does one step after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh import naming
from mesh.declaration import Declaration
from mesh.errors import PlanError
from mesh.interfaces import BrokerAdmin, Platform, Registry
from mesh.plan.actual import Actual, SubjectFacts, base_of
from mesh.plan.changes import (
    AddPartitions,
    AlterTopic,
    Change,
    CreateTopic,
    DeclareContract,
    DeclareProduct,
    DeclareRefinedContract,
    Plan,
    RegisterSchema,
    SetCompatibility,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change."""

    change: Change
    answer: str


@dataclass(frozen=True, slots=True)
class World:
    """The three things a plan is about."""

    broker: BrokerAdmin
    registry: Registry
    platform: Platform

    def actual(self, desired: Declaration) -> Actual:
        """What is there of what is declared."""
        topics = self.broker.topics()
        subjects: dict[str, SubjectFacts] = {}
        wanted: set[str] = set()
        for contract in desired.contracts.values():
            wanted |= {contract.topic, naming.dead_letter_topic(contract.topic)}
            subject = naming.value_subject(contract.topic)
            found = self.registry.subject(subject)
            if found is not None:
                subjects[subject] = found
        contracts, products = self.platform.contracts(), self.platform.products()
        return Actual(
            topics={name: facts for name, facts in topics.items() if name in wanted},
            subjects=subjects,
            contracts={name: facts for name, facts in contracts.items() if name in desired.contracts},
            products={name: facts for name, facts in products.items() if name in desired.products},
        )


def apply(plan: Plan, desired: Declaration, world: World) -> Iterator[Outcome]:
    """Carry out the changes one by one, yielding each outcome as it happens.

    Raises PlanError before the first change when something is blocked (MESH-P010) or the world has
    moved since the plan was made (MESH-P011); a failing step raises its own error and leaves the
    steps before it done: planning again shows what remains.
    """
    if plan.blocked:
        first = plan.blocked[0]
        raise PlanError(first.what, code="MESH-P010", where=first.subject, why=first.why, fix=first.fix)
    if base_of(world.actual(desired)) != plan.base:
        raise PlanError(
            "the world has moved since this plan was made",
            code="MESH-P011",
            why="topics, subjects or contracts are not what the plan was computed from",
            fix="mesh plan",
        )
    for change in plan.changes:
        yield Outcome(change, _carry_out(change, world))


def _carry_out(change: Change, world: World) -> str:
    match change:
        case DeclareRefinedContract():
            world.platform.declare_contract(change.file, change.text, change.avro)
            return "approved as a first version, with its schema"
        case DeclareContract():
            world.platform.declare_contract(change.file, change.text)
            return "approved as a first version"
        case DeclareProduct():
            world.platform.declare_product(change.file, change.text)
            return "in the catalog"
        case CreateTopic():
            world.broker.create_topic(change.subject, change.partitions, change.config)
            return "created"
        case AlterTopic():
            world.broker.alter_topic(change.subject, change.after)
            return "altered"
        case AddPartitions():
            world.broker.add_partitions(change.subject, change.after)
            return "added"
        case SetCompatibility():
            world.registry.set_level(change.subject, change.after)
            return "set"
        case RegisterSchema():
            return f"id {world.registry.register(change.subject, change.schema)}"
    raise PlanError(f"no way to carry out {change.verb!r}", code="MESH-P012", where=change.subject)
