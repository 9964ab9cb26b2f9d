"""A plan that policies would stop at apply is stopped at plan: new contracts are asked beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesh.declaration import Declaration
    from mesh.plan import Plan
    from mesh.plan.changes import Change
    from mesh.policy import Shelf


def foretold(made: Plan, desired: Declaration, known: Shelf, today: date) -> Plan:
    """The plan, with a block in place of each new contract that the platform's policies will refuse."""
    from mesh.plan.changes import DeclareContract

    new = frozenset(step.subject for step in made.changes if isinstance(step, DeclareContract))
    against = dict(_against(new, desired, known, today)) if new else {}
    return replace(made, changes=tuple(_step(step, against) for step in made.changes)) if against else made


def _against(
    new: frozenset[str], desired: Declaration, known: Shelf, today: date
) -> Iterator[tuple[str, str]]:
    from mesh.policy import evaluate, subjects

    unreadable = [finding.message for finding in known.findings]
    for subject in subjects(desired):
        if subject.kind == "contract" and subject.name in new:
            outcomes = evaluate(known.policies.of("contract"), subject, today)
            refusing = [
                f"{outcome.policy.name}: {'; '.join(outcome.messages)}"
                for outcome in outcomes
                if outcome.holds_up
            ]
            if refusing or unreadable:
                yield subject.name, "; ".join((refusing + unreadable)[:3])


def _step(step: Change, against: dict[str, str]) -> Change:
    from mesh.plan.changes import Blocked, DeclareContract

    if isinstance(step, DeclareContract) and step.subject in against:
        return Blocked(step.subject, "policies refuse it", against[step.subject], f"mesh check {step.file}")
    return step
