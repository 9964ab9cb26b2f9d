"""Conditions over a declaration: total, bounded, three-valued. They hold, do not hold, or cannot be told.

A condition names a place for its answer (`blame`), so that a finding points at the node that offends. What
cannot be told (text compared with a number, too many steps) is None and never counts as holding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from mesh import limits
from mesh.contract.yaml import Path
from mesh.policy.paths import Node, NodePath
from mesh.policy.subject import Subject

Held = bool | None  #: None: cannot be told


class TooManySteps(Exception):
    """A policy looked at more than one evaluation may."""


@dataclass(slots=True)
class Run:
    """One evaluation: what is looked at, the day, the steps left, and why something could not be told."""

    subject: Subject
    today: date
    steps: int = limits.POLICY_STEPS
    unsure: str = ""

    def spend(self, steps: int) -> None:
        """Count what was done; raises TooManySteps."""
        self.steps -= steps
        if self.steps < 0:
            raise TooManySteps


class Test(Protocol):
    """A test of one value that is there."""

    def holds(self, value: Any, run: Run, /) -> Held: ...


class Condition(Protocol):
    """Something that holds of a node, or does not."""

    def holds(self, here: Any, run: Run, /) -> Held: ...
    def blame(self, path: Path, here: Any, run: Run, /) -> Path: ...


@dataclass(frozen=True, slots=True)
class Value:
    """All tests hold of the one value a path names; a missing one passes no test but `exists: false`."""

    path: NodePath
    tests: tuple[Test, ...]
    exists: bool | None = None
    convert: Convert | None = None

    def holds(self, here: Any, run: Run) -> Held:
        value = self.path.value(here, run.subject)
        there = value is not None and value != "" and value != [] and value != {}
        if self.exists is not None and there is not self.exists:
            return False
        if not there:
            return self.exists is False
        if self.convert is not None and self.tests:
            value = self.convert.of(value, here, run)
            if value is None:
                return None
        unsure = False
        for test in self.tests:
            held = test.holds(value, run)
            if held is False:
                return False
            unsure = unsure or held is None
        if unsure:
            run.unsure = run.unsure or f"{self.path.text} is {_shown(value)}"
            return None
        return True

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        return self.path.place(path, here, run.subject)


class Convert(Protocol):
    """Makes a value comparable by what stands beside it."""

    def of(self, value: Any, here: Any, run: Run, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class All:
    """Every one of several conditions."""

    conditions: tuple[Condition, ...]

    def holds(self, here: Any, run: Run) -> Held:
        answer: Held = True
        for condition in self.conditions:
            held = condition.holds(here, run)
            if held is False:
                return False
            answer = None if held is None else answer
        return answer

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        for condition in self.conditions:
            if condition.holds(here, run) is not True:
                return condition.blame(path, here, run)
        return path


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several conditions."""

    conditions: tuple[Condition, ...]

    def holds(self, here: Any, run: Run) -> Held:
        answer: Held = False
        for condition in self.conditions:
            held = condition.holds(here, run)
            if held is True:
                return True
            answer = None if held is None else answer
        return answer

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        return self.conditions[0].blame(path, here, run)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; what cannot be told stays so."""

    condition: Condition

    def holds(self, here: Any, run: Run) -> Held:
        held = self.condition.holds(here, run)
        return None if held is None else not held

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        return self.condition.blame(path, here, run)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one node of a path."""

    path: NodePath
    where: Condition

    def holds(self, here: Any, run: Run) -> Held:
        answer: Held = False
        for _, node in _each(self.path, (), here, run):
            held = self.where.holds(node, run)
            if held is True:
                return True
            answer = None if held is None else answer
        return answer

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        return _start(self.path, path, here, run)


@dataclass(frozen=True, slots=True)
class Every:
    """Each node of a path; also when there is none."""

    path: NodePath
    where: Condition

    def holds(self, here: Any, run: Run) -> Held:
        answer: Held = True
        for _, node in _each(self.path, (), here, run):
            held = self.where.holds(node, run)
            if held is False:
                return False
            answer = None if held is None else answer
        return answer

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        for place, node in _each(self.path, path, here, run):
            if self.where.holds(node, run) is not True:
                return self.where.blame(place, node, run)
        return path


@dataclass(frozen=True, slots=True)
class Count:
    """How many nodes of a path there are, or of those that a condition holds of."""

    path: NodePath
    where: Condition
    tests: tuple[Test, ...] = field(default=())

    def holds(self, here: Any, run: Run) -> Held:
        found = 0
        for _, node in _each(self.path, (), here, run):
            held = self.where.holds(node, run)
            if held is None:
                return None
            found += held
        return All(tuple(_Counted(test) for test in self.tests)).holds(found, run)

    def blame(self, path: Path, here: Any, run: Run) -> Path:
        return _start(self.path, path, here, run)


@dataclass(frozen=True, slots=True)
class _Counted:
    test: Test

    def holds(self, here: Any, run: Run) -> Held:
        return self.test.holds(here, run)

    def blame(self, path: Path, _here: Any, _run: Run) -> Path:
        return path


@dataclass(frozen=True, slots=True)
class Always:
    """Holds of everything."""

    def holds(self, _here: Any, _run: Run) -> Held:
        return True

    def blame(self, path: Path, _here: Any, _run: Run) -> Path:
        return path


def _each(path: NodePath, start: Path, here: Any, run: Run) -> Iterator[Node]:
    for node in path.nodes(start, here, run.subject):
        run.spend(1)
        yield node


def _start(path: NodePath, start: Path, here: Any, run: Run) -> Path:
    """The nearest single node before the first of many."""
    if None not in path.steps:
        return path.place(start, here, run.subject)
    single = NodePath(path.text, path.fact, path.absolute, path.steps[: path.steps.index(None)], False)
    return single.place(start, here, run.subject)


def _shown(value: Any) -> str:
    return repr(value)[:60]


def nodes(path: NodePath, run: Run) -> Sequence[Node]:
    """The nodes a policy goes through, counted."""
    return list(_each(path, (), run.subject.data, run))
