"""The declarative rule: when the document is such, each of these nodes must be so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mesh import limits
from mesh.contract.yaml import Path
from mesh.policy.conditions import Condition, Run, TooManySteps, nodes
from mesh.policy.messages import Message
from mesh.policy.model import Undecided, Violation
from mesh.policy.paths import NodePath
from mesh.policy.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """`when` asks of the document, `forEach` and `where` choose nodes, `require` must hold of each."""

    when: Condition
    for_each: NodePath | None
    where: Condition
    require: Condition
    message: Message
    fix: str
    text: str = ""  #: all of it stands in the policy's file

    def violations(self, subject: Subject, today: date) -> Sequence[Violation]:
        """One for each node that does not comply; raises Undecided when there is none and not all is told."""
        run = Run(subject, today)
        found: list[Violation] = []
        try:
            held = self.when.holds(subject.data, run)
            undecided = held is None
            if held:
                chosen = nodes(self.for_each, run) if self.for_each is not None else [((), subject.data)]
                for path, here in chosen:
                    meant = self.where.holds(here, run)
                    holds = self.require.holds(here, run) if meant is not False else True
                    if meant and holds is False:
                        found.append(self._violation(path, here, run))
                    undecided = undecided or meant is None or holds is None
        except TooManySteps:
            why = f"more than {limits.POLICY_STEPS:,} steps; the document is too large for this policy"
            raise Undecided(why) from None
        if undecided and not found:
            raise Undecided(run.unsure or "a value is not of the kind that the condition asks about")
        return found

    def _violation(self, path: Path, here: Any, run: Run) -> Violation:
        place = self.require.blame(path, here, run)
        return Violation(message=self.message.of(here, run.subject), path=place, fix=self.fix)
