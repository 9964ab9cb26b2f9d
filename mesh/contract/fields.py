"""What changed between two versions of a contract, in fields and not in lines of YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mesh.contract.model import Contract, Property, QualityRule

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference; `before` and `after` are words for people, empty when there is none."""

    kind: Kind
    subject: str  #: a property name, `rule: <name>`, `SLA: <name>` or `topic`
    before: str
    after: str


def changes(old: Contract, new: Contract) -> tuple[FieldChange, ...]:
    """All differences that a reader of the product could notice, in the order of the new contract."""
    return tuple([*_properties(old, new), *_rules(old, new), *_service_levels(old, new), *_topic(old, new)])


def describe(prop: Property) -> str:
    """A property's type and constraints in one line."""
    words = [prop.logical_type, "required" if prop.required else "optional"]
    if prop.primary_key is not None:
        words.append("key")
    words += [f"{name} {value}" for name, value in sorted(prop.options.items())]
    if prop.enum:
        words.append("one of " + ", ".join(str(value) for value in prop.enum))
    if prop.classification:
        words.append(prop.classification)
    return ", ".join(words)


def _properties(old: Contract, new: Contract) -> Iterator[FieldChange]:
    before = {p.name: p for p in old.properties}
    after = {p.name: p for p in new.properties}
    for name, prop in after.items():
        if name not in before:
            yield FieldChange("added", name, "", describe(prop))
        elif describe(before[name]) != describe(prop):
            yield FieldChange("changed", name, describe(before[name]), describe(prop))
        elif before[name].description != prop.description:
            yield FieldChange("changed", f"{name} (description)", before[name].description, prop.description)
    for name, prop in before.items():
        if name not in after:
            yield FieldChange("removed", name, describe(prop), "")


def _in_words(rule: QualityRule) -> str:
    subject = rule.metric or rule.engine or rule.kind
    return f"{subject} {rule.operator} {rule.threshold} {rule.unit} ({rule.severity})".strip()


def _rules(old: Contract, new: Contract) -> Iterator[FieldChange]:
    before = {(r.property, r.name): _in_words(r) for r in old.quality}
    after = {(r.property, r.name): _in_words(r) for r in new.quality}
    yield from _texts("rule: ", {k[1]: v for k, v in before.items()}, {k[1]: v for k, v in after.items()})


def _service_levels(old: Contract, new: Contract) -> Iterator[FieldChange]:
    before = {s.property: f"{s.value} {s.unit}".strip() for s in old.service_levels}
    after = {s.property: f"{s.value} {s.unit}".strip() for s in new.service_levels}
    yield from _texts("SLA: ", before, after)


def _topic(old: Contract, new: Contract) -> Iterator[FieldChange]:
    if old.settings != new.settings:
        yield FieldChange("changed", "topic", str(old.settings), str(new.settings))
    if old.status != new.status:
        yield FieldChange("changed", "status", old.status, new.status)


def _texts(prefix: str, before: dict[str, str], after: dict[str, str]) -> Iterator[FieldChange]:
    for name, text in after.items():
        if name not in before:
            yield FieldChange("added", prefix + name, "", text)
        elif before[name] != text:
            yield FieldChange("changed", prefix + name, before[name], text)
    for name, text in before.items():
        if name not in after:
            yield FieldChange("removed", prefix + name, text, "")
