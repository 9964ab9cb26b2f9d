"""What came of a rehearsal, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from mesh import display


@dataclass(frozen=True, slots=True)
class Step:
    """One batch: how many events were given, how many set aside and why, and what went wrong."""

    name: str
    given: int
    set_aside: int = 0
    reasons: tuple[str, ...] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the handler took what it was given."""
        return not self.error


@dataclass(frozen=True, slots=True, repr=False)
class Rehearsal:
    """All steps. `require` is for tests; printed, or in a notebook, it is a table."""

    contract_id: str
    steps: tuple[Step, ...]

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return all(step.passed for step in self.steps)

    def require(self) -> Rehearsal:
        """This report, when every step passed; raises AssertionError with the steps that did not."""
        __tracebackhide__ = True
        failed = [step for step in self.steps if not step.passed]
        if failed:
            lines = [f"{len(failed)} of {len(self.steps)} steps of {self.contract_id} fail"]
            raise AssertionError("\n".join([*lines, *(f"  {step.name}: {step.error}" for step in failed)]))
        return self

    def to_arrow(self) -> pa.Table:
        """One row per step."""
        return pa.table(
            {
                "step": [step.name for step in self.steps],
                "given": [step.given for step in self.steps],
                "set aside": [step.set_aside for step in self.steps],
                "result": [step.error or "passed" for step in self.steps],
            }
        )

    def __repr__(self) -> str:
        return display.text_table(self.to_arrow(), rows=None)

    def _repr_html_(self) -> str:
        return display.html_table(self.to_arrow(), rows=None)
