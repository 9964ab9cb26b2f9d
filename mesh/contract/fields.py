"""What changed between two versions of a contract, in fields and not in lines of YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mesh.contract import durations
from mesh.contract.model import Contract, Property, QualityRule, ServiceLevel
from mesh.contract.words import flat, words
from mesh.contract.yaml import plain

Kind = Literal["added", "removed", "changed"]
_SHAPING = (
    "avroAliases",
    "avroDefault",
    "avroEnumDefault",
    "avroLogicalType",
    "avroName",
    "avroNoDefault",
    "avroNull",
    "avroOrder",
    "avroSize",
    "avroType",
    "avroTypeAliases",
    "precision",
    "scale",
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference; `before` and `after` are words for people, empty when there is none."""

    kind: Kind
    subject: str  #: what changed, for people: a property, `rule: <name>`, `SLA: <name>`, `topic settings`, …
    before: str
    after: str
    field: str = ""  #: the top-level property whose events look different; empty for all else


def changes(old: Contract, new: Contract) -> tuple[FieldChange, ...]:
    """All differences that a reader of the product could notice, in the order of the new contract."""
    found = [*_properties(old, new), *_rules(old, new), *_service_levels(old, new), *_topic(old, new)]
    found += _words(old, new)
    before, after = list(_flat(old.properties)), list(_flat(new.properties))
    if before != after and sorted(before) == sorted(after):
        found.append(FieldChange("changed", "order of properties", ", ".join(before), ", ".join(after)))
    return tuple(found)


def describe(prop: Property) -> str:
    """A property's type and constraints in one line."""
    words = [_kind(prop), "required" if prop.required else "optional"]
    if prop.primary_key is not None:
        words.append("key")
    words += [f"{name} {value}" for name, value in sorted(prop.options.items())]
    words += [f"{name} {prop.custom[name]}" for name in _SHAPING if name in prop.custom]
    if prop.enum:
        words.append("one of " + ", ".join(str(value) for value in prop.enum))
    if prop.classification:
        words.append(prop.classification)
    return ", ".join(words)


def properties_of(contract: Contract) -> dict[str, Property]:
    """Every property by its dotted name, each before what it holds; items and map values count as none."""
    return _flat(contract.properties)


def deprecated(contract: Contract) -> frozenset[str]:
    """The dotted names of properties that the contract marks as deprecated (ODCS 3.2)."""
    properties = plain(contract.document.data)["schema"][0].get("properties", ())
    return frozenset(name for name, item in flat(properties).items() if item.get("deprecated") is True)


def shape(prop: Property) -> str:
    """A property's type, with all that shapes it."""
    parts = [_kind(prop)]
    parts += [f"format {prop.options['format']}"] if "format" in prop.options else []
    parts += [
        f"{name} {prop.custom[name]}" for name in ("avroType", "precision", "scale") if name in prop.custom
    ]
    return ", ".join(parts)


def _kind(prop: Property) -> str:
    inner = prop.items or prop.values
    if inner is not None:
        return f"{prop.logical_type} of ({describe(inner)})"
    return prop.logical_type


def _properties(old: Contract, new: Contract) -> Iterator[FieldChange]:
    before, after = _flat(old.properties), _flat(new.properties)
    for name, prop in after.items():
        top = name.partition(".")[0]
        if name not in before:
            yield FieldChange("added", name, "", describe(prop), top)
        elif describe(before[name]) != describe(prop):
            yield FieldChange("changed", name, describe(before[name]), describe(prop), top)
    for name, prop in before.items():
        if name not in after:
            yield FieldChange("removed", name, describe(prop), "", name.partition(".")[0])


def _flat(properties: tuple[Property, ...], prefix: str = "") -> dict[str, Property]:
    """Properties by dotted name, each before what it holds."""
    found: dict[str, Property] = {}
    for prop in properties:
        name = prefix + prop.name
        found[name] = prop
        inner: Property | None = prop
        while inner is not None:
            found |= _flat(inner.properties, f"{name}.")
            inner = inner.items or inner.values
    return found


def _words(old: Contract, new: Contract) -> Iterator[FieldChange]:
    for word in words(plain(old.document.data), plain(new.document.data)):
        kind: Kind = "changed" if word.before and word.after else "added" if word.after else "removed"
        top = "" if " " in word.owner else word.owner.partition(".")[0]
        subject = f"{word.owner} ({word.key})"
        yield FieldChange("changed" if top else kind, subject, word.before, word.after, top)
    for subject, before, after in _sayings(old, new):
        yield FieldChange("changed", subject, before, after)


def _sayings(old: Contract, new: Contract) -> Iterator[tuple[str, str, str]]:
    """Descriptions and dimensions of rules and service levels that both contracts have."""
    rules = named_rules(old)
    for name, rule in named_rules(new).items():
        if name in rules:
            was = rules[name]
            yield from _said(f"rule: {name}", "description", was.description, rule.description)
            yield from _said(f"rule: {name}", "dimension", was.dimension, rule.dimension)
    levels = named_levels(old)
    for name, level in named_levels(new).items():
        if name in levels:
            yield from _said(f"SLA: {name}", "description", levels[name].description, level.description)


def _said(owner: str, key: str, before: str, after: str) -> Iterator[tuple[str, str, str]]:
    if before != after:
        yield f"{owner} ({key})", before, after


def _rules(old: Contract, new: Contract) -> Iterator[FieldChange]:
    yield from _texts("rule: ", _rule_texts(old), _rule_texts(new))


def _rule_texts(contract: Contract) -> dict[str, str]:
    return {name: _in_words(rule) for name, rule in named_rules(contract).items()}


def named_rules(contract: Contract) -> dict[str, QualityRule]:
    """Rules by name; a name that several properties use carries the property."""
    times = Counter(rule.name for rule in contract.quality)
    return {
        rule.name if times[rule.name] == 1 else f"{rule.name} of {rule.property}": rule
        for rule in contract.quality
    }


def _in_words(rule: QualityRule) -> str:
    words = [rule.metric or rule.engine or rule.kind]
    words += [f"{name} {value}" for name, value in sorted(rule.arguments.items())]
    words += [str(part) for part in (rule.implementation, rule.query) if part]
    if rule.operator:
        words.append(f"{rule.operator} {rule.threshold} {rule.unit}")
    return f"{' '.join(words)} ({rule.severity})"


def _service_levels(old: Contract, new: Contract) -> Iterator[FieldChange]:
    yield from _texts("SLA: ", _level_texts(old), _level_texts(new))


def _level_texts(contract: Contract) -> dict[str, str]:
    levels = named_levels(contract).items()
    return {name: f"{level.value} {level.unit}".strip() for name, level in levels}


def named_levels(contract: Contract) -> dict[str, ServiceLevel]:
    """Service levels by name; one of a single element carries the element."""
    return {
        f"{level.property} of {level.element}" if level.element else level.property: level
        for level in contract.service_levels
    }


def _topic(old: Contract, new: Contract) -> Iterator[FieldChange]:
    before, after = _settings(old), _settings(new)
    for name, text in after.items():
        if before[name] != text:
            yield FieldChange("changed", name, before[name], text)


def _settings(contract: Contract) -> dict[str, str]:
    settings = contract.settings
    return {
        "topic name": contract.topic,
        "topic settings": f"{settings.partitions} partitions, {settings.cleanup_policy}, "
        f"kept {durations.words(settings.retention_ms)}",
        "record key": " | ".join(contract.key),
        "event time": contract.event_time or "",
        "compatibility mode": contract.compatibility,
        "contract status": contract.status,
    }


def _texts(prefix: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FieldChange]:
    for name, text in after.items():
        if name not in before:
            yield FieldChange("added", prefix + name, "", text)
        elif before[name] != text:
            yield FieldChange("changed", prefix + name, before[name], text)
    for name, text in before.items():
        if name not in after:
            yield FieldChange("removed", prefix + name, text, "")
