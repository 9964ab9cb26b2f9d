"""A plan for people, line by line, one heading per product; whoever prints the lines brings the colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mesh.plan.changes import Change
from mesh.plan.plan import Plan
from mesh.plan.scope import product_of

Kind = Literal["heading", "step", "note", "next", "kept", "summary"]
_WORDS = {"+": "to make", "~": "to change", "!": "at risk", "-": "to remove", "✗": "blocked"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its mark, its parts, and what kind of line it is."""

    kind: Kind
    text: str
    mark: str = ""
    subject: str = ""
    detail: str = ""

    def __str__(self) -> str:
        if self.kind != "step":
            return self.text
        return f"  {self.mark} {self.text} {self.subject}" + (f"  {self.detail}" if self.detail else "")


def lines(plan: Plan) -> Iterator[Line]:
    """Steps by product, then what is kept, what could not be planned, and the sum."""
    by_product: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_product.setdefault(product_of(change.subject), []).append(change)
    for product, changes in by_product.items():
        yield Line("heading", product)
        for change in changes:
            yield Line("step", change.verb, change.mark, change.subject, change.detail)
            yield from (Line("note", f"      {note}") for note in change.notes)
    for kept in plan.kept:
        detail = f" {kept.detail}" if kept.detail else ""
        yield Line("kept", f"not declared any more, kept: {kept.kind} {kept.name}{detail}")
    yield from (Line("kept", note) for note in plan.notes if plan.changes or plan.kept)
    for blocked in plan.blocked:
        yield Line("next", f"  next for {blocked.subject}: {blocked.fix}")
    yield Line("summary", summary(plan))


def summary(plan: Plan) -> str:
    """How many steps of each kind."""
    if not plan.changes:
        return "nothing to change"
    counts = Counter(change.mark for change in plan.changes)
    return ", ".join(f"{counts[mark]} {word}" for mark, word in _WORDS.items() if counts[mark])
