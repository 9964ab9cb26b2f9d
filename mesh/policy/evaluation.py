"""Asking policies about subjects: passed, failed, unknown or exempt, and findings for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Literal

from mesh import limits
from mesh.errors import Finding, Severity
from mesh.policy.model import Exemption, Policy, PolicySet, Undecided, Violation
from mesh.policy.subject import KINDS, Subject

Verdict = Literal["passed", "failed", "unknown", "exempt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one policy says of one subject on one day."""

    policy: Policy
    subject: Subject
    verdict: Verdict
    severity: Severity  #: of what it found, grace counted in
    violations: tuple[Violation, ...] = ()
    reason: str = ""  #: why it cannot be told
    exemption: Exemption | None = None  #: what spares the subject, or did until it expired

    @property
    def holds_up(self) -> bool:
        """Whether it stands in the way: an error that is not passed; unknown is not passed."""
        return self.severity == "error" and self.verdict in ("failed", "unknown")

    @property
    def messages(self) -> tuple[str, ...]:
        """What it has against the subject, or why it cannot tell."""
        return tuple(v.message for v in self.violations) or tuple(filter(None, (self.reason,)))


def evaluate(policies: Iterable[Policy], subject: Subject, today: date) -> Iterator[Outcome]:
    """The outcome of every policy that concerns the subject; whatever a rule does, there is one."""
    for policy in policies:
        if policy.enabled and subject.kind in policy.applies_to and policy.scope.holds(subject):
            yield judge(policy, subject, today)


def judge(policy: Policy, subject: Subject, today: date) -> Outcome:
    """What a policy says of a subject that it concerns."""
    severity = policy.severity_on(today)
    violations: tuple[Violation, ...] = ()
    verdict: Verdict
    reason = ""
    try:
        violations = tuple(islice(policy.rule.violations(subject, today), limits.POLICY_FINDINGS))
        verdict = "failed" if violations else "passed"
    except Undecided as why:
        verdict, reason = "unknown", str(why)
    if verdict == "passed":
        return Outcome(policy=policy, subject=subject, verdict=verdict, severity=severity)
    exemption = policy.exemption_of(subject.name)
    spared = exemption is not None and today <= exemption.expires
    return Outcome(
        policy=policy,
        subject=subject,
        verdict="exempt" if spared else verdict,
        severity=severity,
        violations=violations,
        reason=reason,
        exemption=exemption,
    )


def findings(policies: PolicySet, subjects: Iterable[Subject], today: date) -> Iterator[Finding]:
    """What all policies have against all subjects."""
    by_kind = {kind: policies.of(kind) for kind in KINDS}
    for subject in subjects:
        for outcome in evaluate(by_kind[subject.kind], subject, today):
            yield from findings_of(outcome, today)


def findings_of(outcome: Outcome, today: date) -> Iterator[Finding]:
    """MESH-C160 for each violation, MESH-C161 when it cannot be told; none when it passed or is exempt."""
    policy, subject = outcome.policy, outcome.subject
    why = _why(outcome, today)
    show = f"mesh policy show {policy.name}"
    if outcome.verdict == "failed":
        for violation in outcome.violations:
            yield Finding(
                code="MESH-C160",
                message=f"{violation.message} (policy {policy.name})",
                where=subject.locate(*violation.path),
                severity=outcome.severity,
                why=why,
                fix=violation.fix or policy.fix or show,
            )
    elif outcome.verdict == "unknown":
        yield Finding(
            code="MESH-C161",
            message=f"the policy {policy.name} cannot tell whether {subject.name} complies: {outcome.reason}",
            where=subject.locate(),
            severity=outcome.severity,
            why="what cannot be told does not count as passed",
            fix=show,
        )


def _why(outcome: Outcome, today: date) -> str:
    words = [outcome.policy.description.strip()]
    if outcome.policy.in_grace(today):
        words.append(f"From {outcome.policy.grace} on this is an error.")
    if outcome.exemption is not None:
        expired = outcome.exemption
        words.append(f"The exemption of {expired.subject} ({expired.reason}) expired on {expired.expires}.")
    return " ".join(words)
