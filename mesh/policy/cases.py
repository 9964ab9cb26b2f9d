"""Tests of policies, written in their own files: what each says to an example, and that it can fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from mesh.contract.yaml import Document
from mesh.errors import Finding, Location
from mesh.policy.evaluation import judge
from mesh.policy.model import Case, Policy
from mesh.policy.subject import Subject

_VERDICTS = {"passed": "passes", "failed": "fails", "unknown": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a policy said to one example."""

    policy: str
    case: str
    expected: str
    found: str
    detail: str
    where: Location

    @property
    def holds(self) -> bool:
        """Whether it said what was expected."""
        return self.expected == self.found


def run_cases(policies: Iterable[Policy], today: date) -> Iterator[CaseResult]:
    """Every test of every policy. A subject out of its scope passes."""
    for policy in policies:
        for case in policy.cases:
            yield _run(policy, case, case.today or today)


def untested(policies: Iterable[Policy]) -> Iterator[Finding]:
    """MESH-C169: policies without an example that fails and one that passes."""
    for policy in policies:
        expected = {case.expect for case in policy.cases}
        missing = [word for word in ("fails", "passes") if word not in expected]
        if missing:
            yield Finding(
                code="MESH-C169",
                message=f"the policy {policy.name} has no example that {' and none that '.join(missing)}",
                where=policy.where,
                why="a policy that nothing fails asks for nothing, and one that all fail asks too much",
                fix="add tests: with name, given and expect",
            )


def failures(results: Iterable[CaseResult]) -> Iterator[Finding]:
    """MESH-C168: examples to which a policy said something else."""
    for result in results:
        if not result.holds:
            said = f": {result.detail}" if result.detail else ""
            yield Finding(
                code="MESH-C168",
                message=f"{result.policy}, {result.case}: it {_words(result.found)}{said}",
                where=result.where,
                why=f"the example expects that it {_words(result.expected)}",
                fix="correct the policy, or what its example expects",
            )


def _words(word: str) -> str:
    return "cannot be told" if word == "unknown" else word


def _run(policy: Policy, case: Case, today: date) -> CaseResult:
    subject = _subject(case)
    verdict, detail = "passes", ""
    if policy.scope.holds(subject):
        # An example shows what is required; whom the organisation spares at present is another matter.
        outcome = judge(replace(policy, exemptions=()), subject, today)
        verdict = _VERDICTS[outcome.verdict]
        detail = "; ".join(outcome.messages)
    return CaseResult(
        policy=policy.name,
        case=case.name,
        expected=case.expect,
        found=verdict,
        detail=detail,
        where=case.where,
    )


def _subject(case: Case) -> Subject:
    given = case.given
    declared = given.get("new") if case.kind == "change" else given
    text = declared if isinstance(declared, dict) else {}
    named = text.get("id") or ".".join(str(text[key]) for key in ("domain", "name") if key in text)
    kind = text.get("type")
    previous = Document("", "", case.previous, {}) if case.previous is not None else None
    return Subject(
        kind=case.kind,
        name=str(named or "the example"),
        data=given,
        locate=lambda *_path: case.where,
        types=(kind,) if isinstance(kind, str) else (),
        previous=previous,
    )
