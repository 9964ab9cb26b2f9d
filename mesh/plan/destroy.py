"""Removing what is not declared any more: only what nobody is promised and nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mesh.plan.changes import Blocked, Change
from mesh.plan.plan import Plan
from mesh.plan.removals import DeleteSubject, DeleteTopic, RemoveContract, RemoveProduct
from mesh.plan.undeclared import contract_behind

#: Status of contracts that promise nothing: not yet, or not any more.
FREE = ("draft", "proposed", "retired")
_ORDER = {"product": 0, "contract": 1, "subject": 2, "topic": 3}


@dataclass(frozen=True, slots=True)
class Holders:
    """What keeps undeclared things from being removed."""

    statuses: Mapping[str, str] = field(default_factory=dict)  #: by contract in force
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: products, by contract they read
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: consumer groups, by topic
    events: Mapping[str, int] = field(default_factory=dict)  #: by topic


def destroying(plan: Plan, holders: Holders) -> Plan:
    """The plan that also removes what `plan` only names as kept; Blocked for what is still held."""
    steps: list[Change] = list(plan.changes)
    held: set[str] = set()
    for kept in sorted(plan.kept, key=lambda kept: (_ORDER[kept.kind], kept.name)):
        name = kept.name
        if contract_behind(name) in held:
            continue
        match kept.kind:
            case "product":
                steps.append(RemoveProduct(name))
            case "contract":
                reasons = list(_held(name, holders))
                steps += reasons or [RemoveContract(name)]
                held |= {reason.subject for reason in reasons}
            case "subject":
                steps.append(DeleteSubject(name))
            case "topic":
                groups = holders.groups.get(name, ())
                steps.append(
                    _read_by_groups(name, groups)
                    if groups
                    else DeleteTopic(name, holders.events.get(name, 0))
                )
    return replace(plan, changes=tuple(steps), kept=())


def removed_contracts(plan: Plan) -> frozenset[str]:
    """The contracts behind everything a plan keeps: what has to be asked before any of it goes."""
    return frozenset(contract_behind(kept.name) for kept in plan.kept if kept.kind != "product")


def _held(contract: str, holders: Holders) -> Iterator[Blocked]:
    status = holders.statuses.get(contract, "unknown")
    if status not in FREE:
        yield Blocked(
            contract,
            f"a contract that is {status} is not removed",
            "it promises its readers that the events stay",
            "bring its file back with status: retired, have that reviewed (mesh propose), then remove it",
        )
    if readers := holders.readers.get(contract, ()):
        yield Blocked(
            contract,
            "products still read it",
            f"an input port names it: {', '.join(readers)}",
            "take the input port out of these products and apply that first",
        )


def _read_by_groups(topic: str, groups: tuple[str, ...]) -> Blocked:
    return Blocked(
        topic,
        "consumer groups still read it",
        f"they hold positions on it: {', '.join(groups)}",
        "stop these consumers and delete their groups (kafka-consumer-groups --delete --group NAME)",
    )
