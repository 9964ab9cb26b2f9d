"""What would fail if it counted today: each policy over a whole estate, grace and exemptions told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mesh.policy.evaluation import Outcome, evaluate
from mesh.policy.model import Policy
from mesh.policy.subject import Subject


@dataclass(frozen=True, slots=True)
class Row:
    """One policy in one domain: who fails now, who only in grace, who is spared, who cannot be told."""

    policy: str
    domain: str
    fails: list[str] = field(default_factory=list)
    in_grace: list[str] = field(default_factory=list)
    exempt: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def counts(self) -> tuple[list[str], ...]:
        """The four lists, in the order of the columns."""
        return self.fails, self.in_grace, self.exempt, self.unknown

    @property
    def names(self) -> list[str]:
        """Everybody in it."""
        return sorted({name for names in self.counts for name in names})


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a set of policies would do to an estate."""

    policies: int
    subjects: int
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "policies": self.policies,
            "subjects": self.subjects,
            "rows": [
                {
                    "policy": row.policy,
                    "domain": row.domain,
                    "fails": row.fails,
                    "in_grace": row.in_grace,
                    "exempt": row.exempt,
                    "unknown": row.unknown,
                }
                for row in self.rows
            ],
        }


def rehearse(policies: Sequence[Policy], estate: Sequence[Subject], today: date) -> Rehearsal:
    """Ask every enabled policy about everything, and keep what is not passed."""
    rows: dict[tuple[str, str], Row] = {}
    for subject in estate:
        for outcome in evaluate(policies, subject, today):
            if outcome.verdict != "passed":
                key = (outcome.policy.name, subject.domain)
                _list(rows.setdefault(key, Row(*key)), outcome, today).append(subject.label)
    enabled = sum(policy.enabled for policy in policies)
    return Rehearsal(enabled, len(estate), tuple(rows[key] for key in sorted(rows)))


def _list(row: Row, outcome: Outcome, today: date) -> list[str]:
    if outcome.verdict == "exempt":
        return row.exempt
    if outcome.verdict == "unknown":
        return row.unknown
    return row.in_grace if outcome.policy.in_grace(today) else row.fails
