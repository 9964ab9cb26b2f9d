"""Generated events through the guard and every other engine, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import Rule, steps_of
from tests.agreement.cases import case
from tests.agreement.engines import ENGINES, Events, masks
from tests.unit.contract_kit import contract_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One event on which an engine and the guard disagree."""

    engine: str
    rule: Rule
    value: Any
    guard: bool

    def __str__(self) -> str:
        said, other = ("accepts", "refuses") if self.guard else ("refuses", "accepts")
        return f"{self.rule.sentence}: the guard {said} {self.value!r}, {self.engine} {other} it"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one round."""

    judged: dict[str, int]  #: verdicts per engine
    differences: tuple[Difference, ...]


def compare(seed: int, rules: int, values: int) -> Comparison:
    """One round over every kind of property, with so many drawn rules and values of each."""
    made = case(seed, rules, values)
    events = Events(contract_of(made.properties), made.rows)
    truth = masks(events)
    judged: dict[str, int] = {}
    differences: list[Difference] = []
    for name, engine in ENGINES.items():
        for rule, right, answer in zip(events.rules, truth, engine(events), strict=True):
            if not isinstance(answer, Inexpressible):
                judged[name] = judged.get(name, 0) + len(answer)
                differences += _between(events, name, rule, right, answer)
    return Comparison(judged, tuple(differences))


def _between(events: Events, engine: str, rule: Rule, right: Any, answer: list[bool]) -> Iterator[Difference]:
    name = steps_of(rule.path)[0]
    for row, guard, other in zip(events.rows, right, answer, strict=True):
        if guard != other:
            yield Difference(engine, rule, row[name], guard)
