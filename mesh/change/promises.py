"""What is promised over time: quality measured over windows of events, and service levels.

A weakened one needs a minor, not a major (ADR 0017): no reader's code fails, and a second topic would not
bring the promise back. Readers are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.change.bump import Bump
from mesh.change.model import BOTH, READER, Reason
from mesh.contract import durations
from mesh.contract.model import QualityRule, ServiceLevel
from mesh.contract.record_rules import is_record_rule

_SYNONYMS = {
    "av": "availability",
    "th": "throughput",
    "er": "errorrate",
    "ga": "generalavailability",
    "es": "endofsupport",
    "el": "endoflife",
    "re": "retention",
    "fy": "frequency",
    "ly": "latency",
    "td": "timetodetect",
    "tn": "timetonotify",
    "tr": "timetorepair",
}
_LOWER_IS_BETTER = {
    *("latency", "errorrate", "frequency", "timetodetect", "timetonotify", "timetorepair"),
    "generalavailability",
}
_HIGHER_IS_BETTER = {"availability", "throughput", "retention", "endofsupport", "endoflife"}


def rule_reasons(subject: str, old: QualityRule | None, new: QualityRule | None) -> Iterator[Reason]:
    """Reasons for a rule that is measured over windows; those of single events are guarantees."""
    rules = [rule for rule in (old, new) if rule is not None]
    if all(is_record_rule(rule) for rule in rules):
        return
    what = f"The rule {subject.removeprefix('rule: ')!r}"
    before, after = (_limit(rule) for rule in (old, new))
    if all(rule.kind == "text" for rule in rules):
        sentence = f"{what} is text for people, and changed."
        yield Reason(Bump.PATCH, subject, "rule", before, after, BOTH, sentence)
        return
    how = "is new" if old is None else "is gone" if new is None else "asks for something else now"
    sentence = f"{what} {how}" + (
        ": nobody measures it any more." if new is None else ": it is measured, and refuses no event."
    )
    yield Reason(Bump.MINOR, subject, "rule", before, after, READER, sentence)


def level_reason(subject: str, old: ServiceLevel | None, new: ServiceLevel | None) -> Reason:
    """The reason for a service level that was added, removed or changed."""
    what = f"The service level {subject.removeprefix('SLA: ')}"
    before, after = (f"{level.value} {level.unit}".strip() if level else "" for level in (old, new))
    if old is None or new is None:
        how = "is promised from now on" if old is None else "is no longer promised"
    else:
        better = _better(old, new)
        word = {True: "stronger", False: "weaker", None: "another one"}[better]
        how = f"was {before} and is now {after}: the promise is {word}"
    return Reason(Bump.MINOR, subject, "service level", before, after, READER, f"{what} {how}.")


def canonical(name: str) -> str:
    """The name of a service level without its spelling: `Ly` and `Latency` are `latency`."""
    word = name.lower().replace("_", "")
    return _SYNONYMS.get(word, word)


def _limit(rule: QualityRule | None) -> str:
    if rule is None:
        return ""
    return f"{rule.operator} {rule.threshold} {rule.unit}" if rule.operator else rule.engine or rule.kind


def _better(old: ServiceLevel, new: ServiceLevel) -> bool | None:
    """Whether the new level promises more; None when that cannot be told."""
    name = canonical(new.property)
    before, after = _size(old), _size(new)
    if name not in _LOWER_IS_BETTER | _HIGHER_IS_BETTER or before == after or type(before) is not type(after):
        return None
    if isinstance(before, str) and len(before) != len(str(after)):
        return None
    more: bool = after > before  # type: ignore[operator]
    return more == (name in _HIGHER_IS_BETTER)


def _size(level: ServiceLevel) -> float | str | None:
    """A value that can be compared: a span of time, a number, or a date as text."""
    value: Any = level.value
    if canonical(level.property) == "retention" and value == "forever":
        return float("inf")
    span = durations.from_unit(value, level.unit) if level.unit else durations.milliseconds(value)
    if span is not None and span >= 0:
        return float(span)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, str) and value[:4].isdigit() else None
