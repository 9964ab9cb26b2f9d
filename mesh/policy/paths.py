"""Paths into a declaration: `team.members[]`, `slaProperties[property=latency].value`, `/status`, `$bump`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh.contract.yaml import Path

if TYPE_CHECKING:
    from mesh.policy.subject import Subject

Node = tuple[Path, Any]  #: where a value stands, and the value
EACH = None
Step = str | tuple[str, str] | None  #: a key, the first item whose key has this value, or each item
_STEP = re.compile(r"(?P<key>[A-Za-z0-9_-]+)(?P<tail>\[\]|\[(?P<by>[A-Za-z0-9_-]+)=(?P<value>[^\]\[]+)\])?\Z")
_STEPS = re.compile(r"\.(?![^\[]*\])")
_LONGEST = 200


class BadPath(ValueError):
    """The text is not a path; says why."""


@dataclass(frozen=True, slots=True)
class NodePath:
    """One path, read; `many` says that it may name several nodes."""

    text: str
    fact: str  #: the name after `$`; empty when the path goes through the document
    absolute: bool  #: from the top of the document, not from the node at hand
    steps: tuple[Step, ...]
    many: bool

    def value(self, here: Any, subject: Subject) -> Any:
        """The one value it names, seen from `here`; None when there is none."""
        if self.fact:
            here = subject.fact(self.fact)
        elif self.absolute:
            here = subject.data
        for step in self.steps:
            if isinstance(step, str):
                here = here.get(step) if isinstance(here, dict) else None
            elif step is not None:
                here = _picked(here, step)[1]
            if here is None:
                return None
        return here

    def place(self, path: Path, here: Any, subject: Subject) -> Path:
        """Where the one value stands or would stand."""
        place, value = self._start(path, here, subject)
        for step in self.steps:
            place, value = _stepped(place, value, step)
        return place

    def nodes(self, path: Path, here: Any, subject: Subject) -> Iterator[Node]:
        """All nodes it names, in the order of the document."""
        if self.fact and subject.fact_is_many(self.fact):
            yield from subject.facts_of(self.fact)
            return
        yield from _walk(*self._start(path, here, subject), self.steps)

    def _start(self, path: Path, here: Any, subject: Subject) -> Node:
        if self.fact:
            return subject.fact_place(self.fact), subject.fact(self.fact)
        return ((), subject.data) if self.absolute else (path, here)


def parse_path(text: object, facts: dict[str, bool]) -> NodePath:
    """Read a path; `facts` may follow `$`, those that are true name many nodes. Raises BadPath."""
    if not isinstance(text, str) or not text or len(text) > _LONGEST:
        raise BadPath(f"a path is text of 1 to {_LONGEST} characters")
    if text == ".":
        return NodePath(text, "", False, (), False)
    body, absolute, fact = text, text.startswith("/"), ""
    if absolute:
        body = text[1:]
    elif text.startswith("$"):
        fact, _, body = text[1:].partition(".")
        if fact not in facts:
            raise BadPath(
                f"there is no ${fact}; there are " + ", ".join(f"${name}" for name in sorted(facts))
            )
        if facts[fact] and body:
            raise BadPath(f"${fact} names many nodes; go on from each of them")
        if not body:
            return NodePath(text, fact, False, (), facts[fact])
    steps: list[Step] = []
    for part in _STEPS.split(body):
        match = _STEP.match(part)
        if match is None:
            raise BadPath(f"{part!r} is neither a key, key[] nor key[name=value]")
        steps.append(match["key"])
        if match["by"]:
            steps.append((match["by"], match["value"]))
        elif match["tail"]:
            steps.append(EACH)
    return NodePath(text, fact, absolute, tuple(steps), EACH in steps)


def _picked(value: Any, step: tuple[str, str]) -> tuple[int | None, Any]:
    if isinstance(value, list):
        key, wanted = step
        for index, item in enumerate(value):
            if isinstance(item, dict) and str(item.get(key)) == wanted:
                return index, item
    return None, None


def _stepped(place: Path, value: Any, step: Step) -> Node:
    if isinstance(step, str):
        return (*place, step), value.get(step) if isinstance(value, dict) else None
    index, value = _picked(value, step) if step is not None else (None, None)
    return place if index is None else (*place, index), value


def _walk(path: Path, value: Any, steps: tuple[Step, ...]) -> Iterator[Node]:
    for number, step in enumerate(steps):
        if step is None:
            if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from _walk((*path, index), item, steps[number + 1 :])
            return
        path, value = _stepped(path, value, step)
        if value is None:
            return
    yield path, value
