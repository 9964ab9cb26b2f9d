"""What holds for each event: which record rules were loosened, which were tightened.

Two contracts are compared by the rules they compile to, so that it does not matter whether a promise is
written as `required`, as an option of the type or as a quality rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from mesh.change.bump import Bump
from mesh.change.model import BOTH, PUBLISHER, Reason
from mesh.contract.fields import named_rules
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.rules.model import (
    ITEMS,
    VALUES,
    Check,
    ItemCount,
    Length,
    MultipleOf,
    OneOf,
    Range,
    Required,
    Rule,
)

Subjects = Mapping[tuple[str, str | None], str]


def guarantees(old: Contract, new: Contract, kept: set[str]) -> Iterator[Reason]:
    """Reasons for the rules on the properties `kept` (dotted names) that differ."""
    before, after = _by_path(old, kept), _by_path(new, kept)
    theirs, ours = _subjects(old), _subjects(new)
    for path in before | after:
        was, now = before.get(path, ()), after.get(path, ())
        for rule in was:
            if not any(implies(other.check, rule.check) for other in now):
                yield _loosened(rule, _partner(rule, now), _subject(rule, theirs))
        for rule in now:
            partner = _partner(rule, was)
            told = partner is not None and not implies(rule.check, partner.check)
            if not told and not any(implies(other.check, rule.check) for other in was):
                yield _tightened(rule, partner, _subject(rule, ours))


def implies(strong: Check, weak: Check) -> bool:
    """Whether every value that passes `strong` passes `weak`; False where that cannot be told."""
    match strong, weak:
        case OneOf(mine), OneOf(theirs):
            return {(type(v) is bool, v) for v in mine} <= {(type(v) is bool, v) for v in theirs}
        case Range(), Range():
            return all(any(_bounds(mine, theirs) for mine in strong.bounds()) for theirs in weak.bounds())
        case Length(least, most), Length(low, high):
            return _within((least, most), (low, high))
        case ItemCount(least, most), ItemCount(low, high):
            return _within((least, most), (low, high))
        case MultipleOf(mine), MultipleOf(theirs):
            return Decimal(str(mine)) % Decimal(str(theirs)) == 0
    return strong == weak


def _bounds(strong: tuple[str, Any], weak: tuple[str, Any]) -> bool:
    (mine, bound), (theirs, limit) = strong, weak
    if mine[0] != theirs[0]:
        return False
    if isinstance(bound, str) != isinstance(limit, str) or (
        isinstance(bound, str) and len(bound) != len(limit)
    ):
        return False  # two spellings of a time: which comes first is not for their letters to say
    strict = mine in "<>"
    if bound == limit:
        return strict or theirs not in "<>"
    return bool(bound > limit if mine[0] == ">" else bound < limit)


def _within(strong: tuple[int | None, int | None], weak: tuple[int | None, int | None]) -> bool:
    least = weak[0] is None or (strong[0] is not None and strong[0] >= weak[0])
    return least and (weak[1] is None or (strong[1] is not None and strong[1] <= weak[1]))


def _by_path(contract: Contract, kept: set[str]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for rule in record_rules(contract):
        if _property(rule) in kept:
            found[rule.path] = (*found.get(rule.path, ()), rule)
    return found


def _partner(rule: Rule, others: Iterable[Rule]) -> Rule | None:
    """The rule of the other contract that stands in this one's place."""
    alike = [other for other in others if type(other.check) is type(rule.check)]
    return next((other for other in alike if other.name == rule.name), alike[0] if alike else None)


def _subjects(contract: Contract) -> Subjects:
    """What each quality rule is called among the changes, by its name and property."""
    return {(rule.name, rule.property): f"rule: {name}" for name, rule in named_rules(contract).items()}


def _subject(rule: Rule, subjects: Subjects) -> str:
    return subjects.get((rule.name, rule.path), _property(rule))


def _property(rule: Rule) -> str:
    """The property that a rule is about, or about whose items or values it is."""
    return rule.path.replace(ITEMS, "").replace(VALUES, "")


def _aspect(rule: Rule) -> str:
    return "required" if isinstance(rule.check, Required) else "guarantee"


def _loosened(rule: Rule, now: Rule | None, subject: str) -> Reason:
    rest = f"; it says now: {now.sentence}" if now else ""
    sentence = f"Events need no longer keep to «{rule.sentence}»{rest}. Readers could rely on it."
    after = str(now.check) if now else ""
    return Reason(Bump.MAJOR, subject, _aspect(rule), str(rule.check), after, BOTH, sentence)


def _tightened(rule: Rule, was: Rule | None, subject: str) -> Reason:
    rest = f", before: «{was.sentence}»" if was else ""
    sentence = f"Events must now keep to «{rule.sentence}»{rest}. What does not is refused when published."
    before = str(was.check) if was else ""
    return Reason(Bump.MINOR, subject, _aspect(rule), before, str(rule.check), PUBLISHER, sentence)
