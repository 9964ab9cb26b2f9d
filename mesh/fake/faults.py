"""Events with one fault each: they break the named rule of their contract, and no other.

A fault is only what the contract's own guard calls one: a changed event counts when the guard names exactly
the rule that was asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from typing import Any

from mesh.codec import to_batch
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.errors import EventError, UsageError
from mesh.fake.building import Place
from mesh.fake.events import Fake
from mesh.fake.wrong import wrong_values
from mesh.rules.closures import RowGuard, compile_closures
from mesh.rules.model import Required, Rule, steps_of


class Faults:
    """Makes events that break one rule of a contract."""

    def __init__(self, contract: Contract, seed: int = 0, among: Iterable[Contract] = ()) -> None:
        self.contract = contract
        self._fake = Fake(contract, seed, among, nulls=0.0)
        self._rules = record_rules(contract)
        self._seed = seed

    @property
    def names(self) -> tuple[str, ...]:
        """The rules that an event can break, in the order of the contract."""
        return tuple(dict.fromkeys(rule.name for rule in self._rules))

    def broken(self, name: str, count: int) -> list[dict[str, Any]]:
        """`count` events that break the rule of that name and no other; raises UsageError."""
        asked = self._named(name)
        rng = Random(f"{self._seed}/{self.contract.id}/breaks {name}")
        made = []
        for event in self._fake.events(count):
            found = next((b for rule in asked for b in self._attempts(rule, event, rng)), None)
            if found is None:
                raise self._never_alone(name, asked)
            made.append(found)
        return made

    def each(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Every rule with an event that breaks it alone; None where no event does."""
        for name in self.names:
            try:
                yield name, self.broken(name, 1)[0]
            except UsageError:
                yield name, None

    def carried(self, event: Mapping[str, Any]) -> bool:
        """Whether Avro can carry an event: a missing value that the schema demands it cannot."""
        try:
            to_batch([event], self._fake.port.codec)
        except EventError:
            return False
        return True

    @cached_property
    def _guard(self) -> RowGuard:
        return compile_closures(self._rules, self._fake.port.codec.arrow_schema)

    def _named(self, name: str) -> list[Rule]:
        found = [rule for rule in self._rules if rule.name == name]
        if found:
            return found
        near = difflib.get_close_matches(name, self.names, n=1)
        raise UsageError(
            f"{self.contract.id} has no rule {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            code="MESH-U130",
            where=self.contract.document.file,
            why="a fault is one rule of the contract broken",
            fix=f"mesh fake {self.contract.id} --break list",
        )

    def _never_alone(self, name: str, asked: Sequence[Rule]) -> UsageError:
        return UsageError(
            f"no event breaks {name!r} alone",
            code="MESH-U131",
            where=self.contract.document.file,
            why=f"whatever does not keep {asked[0].sentence!r} breaks another rule too, or fits no Avro type",
            fix=f"mesh fake {self.contract.id} --break all",
        )

    def _attempts(self, rule: Rule, event: dict[str, Any], rng: Random) -> Iterator[dict[str, Any]]:
        """Changed events that break exactly this rule."""
        steps = steps_of(rule.path)
        place, right = self._place(steps), _found(event, steps)
        if right is None:  # a list that must be empty has no item to break
            return
        for value in wrong_values(rule, place, right, rng):
            changed = _with(event, steps, value)
            if {broken.name for broken in self._guard.check(changed)} != {rule.name}:
                continue
            if isinstance(rule.check, Required) or self.carried(changed):
                yield changed

    def _place(self, steps: Sequence[str]) -> Place:
        place = self._fake.place(steps[0])
        for step in steps[1:]:
            prop = place.prop
            if step == "[]":
                place = place.inside(step, place.column.inner, prop.items if prop else None)
            elif step == "{}":
                place = place.inside(step, place.column.inner, prop.values if prop else None)
            else:
                inner = next((p for p in prop.properties if p.name == step), None) if prop else None
                place = place.inside(f".{step}", dict(place.column.parts)[step], inner)
        return place


def _found(event: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if not event:
            return None
        if step == "[]":
            event = event[0]
        elif step == "{}":
            event = next(iter(event.values()))
        else:
            event = event.get(step)
    return event


def _with(event: Any, steps: Sequence[str], value: Any) -> Any:
    """The event with another value in one place: of the first item where there are several."""
    if not steps:
        return value
    step, *rest = steps
    if step == "[]":
        return [_with(event[0], rest, value), *event[1:]] if event else event
    if step == "{}":
        return {
            key: _with(old, rest, value) if not at else old for at, (key, old) in enumerate(event.items())
        }
    return {**event, step: _with(event.get(step), rest, value)} if event is not None else event
