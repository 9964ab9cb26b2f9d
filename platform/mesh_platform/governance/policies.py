"""What the organisation's policies say of a proposal: data that travels in its record, as evidence.

They are asked once, when a proposal is made, and on that day; a replay of the log asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from mesh.contract.model import Contract
from mesh.policy import Outcome, Shelf, Subject, evaluate, of_change, of_contract, of_product
from mesh.product import Product

PolicySource = Callable[[], Shelf]  #: the policies in force now


def ask_policies(
    shelf: Shelf,
    old: Contract | None,
    new: Contract,
    offered_by: Iterable[Product],
    previous: Contract | None,
    today: date,
) -> dict[str, Any]:
    """The outcome of every policy that concerns a contract, and its change when there is an `old` text."""
    products = tuple(offered_by)
    subjects: list[Subject] = [of_contract(new, products, previous)]
    if old is not None:
        subjects.append(of_change(old, new, products))
    return _answers(shelf, subjects, today)


def ask_policies_of_product(shelf: Shelf, product: Product, today: date) -> dict[str, Any]:
    """The outcome of every policy that concerns a product."""
    return _answers(shelf, [of_product(product)], today)


def standing_in_the_way(verdict: Mapping[str, Any]) -> Iterator[str]:
    """What an approval would have to pass over: errors that failed, or that could not be told."""
    for outcome in verdict.get("policies", {}).get("outcomes", ()):
        if outcome["severity"] == "error" and outcome["verdict"] in ("failed", "unknown"):
            yield f"{outcome['policy']}: {'; '.join(outcome['messages'])}"


def _answers(shelf: Shelf, subjects: Iterable[Subject], today: date) -> dict[str, Any]:
    outcomes = [
        outcome for subject in subjects for outcome in evaluate(shelf.policies.policies, subject, today)
    ]
    told = [_told(outcome) for outcome in outcomes if outcome.verdict != "passed"]
    told += [_unreadable(str(finding.where), finding.message, finding.fix) for finding in shelf.findings]
    return {
        "sha256": shelf.policies.sha256,
        "day": today.isoformat(),
        "passed": [outcome.policy.name for outcome in outcomes if outcome.verdict == "passed"],
        "outcomes": told,
    }


def _told(outcome: Outcome) -> dict[str, Any]:
    policy = outcome.policy
    fixes = [violation.fix for violation in outcome.violations if violation.fix]
    return {
        "policy": policy.name,
        "title": policy.title,
        "verdict": outcome.verdict,
        "severity": outcome.severity,
        "messages": list(outcome.messages),
        "why": " ".join(policy.description.split()),
        "fix": (fixes or [policy.fix])[0] or f"mesh policy show {policy.name}",
        "exempt_until": str(outcome.exemption.expires)
        if outcome.verdict == "exempt" and outcome.exemption
        else "",
    }


def _unreadable(where: str, message: str, fix: str) -> dict[str, Any]:
    return {
        "policy": where,
        "title": "a policy file that does not hold",
        "verdict": "unknown",
        "severity": "error",
        "messages": [message],
        "why": "what cannot be told does not count as passed",
        "fix": fix,
        "exempt_until": "",
    }
