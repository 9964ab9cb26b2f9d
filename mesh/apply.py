"""Carrying out a plan: boring on purpose. Looks whether the world still holds, then takes step after step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh.errors import PlanError
from mesh.plan.actual import base_of
from mesh.plan.changes import (
    AddPartitions,
    AlterTopic,
    Change,
    CreateTopic,
    DeclareContract,
    DeclareProduct,
    DeclareRefinedContract,
    GrantAccess,
    RegisterSchema,
    RegisterSchemaAndRules,
    SetCompatibility,
    TakeOver,
)
from mesh.plan.plan import Plan
from mesh.plan.removals import DeleteSubject, DeleteTopic, RemoveContract, RemoveProduct
from mesh.plan.risk import NO_CONSENT, Consent, Risk
from mesh.world import World

_WAYS = {"lossy": "--allow-lossy", "adopt": "--adopt", "destroy": ""}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one change."""

    change: Change
    answer: str


def apply(plan: Plan, world: World, consent: Consent = NO_CONSENT) -> Iterator[Outcome]:
    """Carry out the changes one by one, yielding each outcome as it happens.

    Raises PlanError before the first change when something is blocked (MESH-P010), something may be
    lost that nobody has consented to (MESH-P024), or the world has moved since the plan was made
    (MESH-P011). A failing step raises its own error and leaves the steps before it done: planning
    again shows what remains.
    """
    require_unblocked(plan)
    for risk in plan.risks:
        if not consent.covers(risk):
            raise _unconfirmed(risk)
    require_base(plan, world)
    for change in plan.changes:
        yield Outcome(change, _carry_out(change, world))


def require_unblocked(plan: Plan) -> None:
    """Raises PlanError MESH-P010 when a change is blocked."""
    if plan.blocked:
        first = plan.blocked[0]
        raise PlanError(first.what, code="MESH-P010", where=first.subject, why=first.why, fix=first.fix)


def require_base(plan: Plan, world: World) -> None:
    """Raises PlanError MESH-P011 when the world is not the one that the plan was made from."""
    if base_of(world.look(plan.scope)) != plan.base:
        raise PlanError(
            "the world has moved since this plan was made",
            code="MESH-P011",
            why="topics, subjects or contracts are not what the plan was computed from",
            fix="mesh plan",
        )


def _unconfirmed(risk: Risk) -> PlanError:
    ways = " or ".join(way for way in (f"--confirm {risk.name}", _WAYS[risk.kind]) if way)
    return PlanError(
        "this needs more than a plain yes, and nobody has confirmed it",
        code="MESH-P024",
        where=risk.name,
        why="; ".join(risk.why),
        fix=f"mesh apply on a terminal asks for the topic's name; without one, add {ways}",
    )


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
        case TakeOver():
            return "kept as it is, owned from now on"
        case AlterTopic():
            world.broker.alter_topic(change.subject, change.after)
            return "altered"
        case AddPartitions():
            world.broker.add_partitions(change.subject, change.after)
            return "added"
        case GrantAccess():
            world.broker.grant(change.grant)
            return "granted"
        case SetCompatibility():
            world.registry.set_level(change.subject, change.after)
            return "set"
        case RegisterSchemaAndRules():
            return f"id {world.registry.register(change.subject, change.schema, change.rule_set)}"
        case RegisterSchema():
            return f"id {world.registry.register(change.subject, change.schema)}"
    return _remove(change, world)


def _remove(change: Change, world: World) -> str:
    match change:
        case RemoveProduct():
            world.platform.remove_product(change.subject)
            return "removed"
        case RemoveContract():
            world.platform.remove_contract(change.subject)
            return "removed"
        case DeleteSubject():
            world.registry.delete_subject(change.subject)
            return "deleted"
        case DeleteTopic():
            world.broker.delete_topic(change.subject)
            return "deleted"
    raise PlanError(f"no way to carry out {change.verb!r}", code="MESH-P012", where=change.subject)
