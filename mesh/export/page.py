"""What a page about a contract says, in which order; how it looks is Markdown's or HTML's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.contract import durations
from mesh.contract.fields import describe
from mesh.contract.model import Contract, Property, QualityRule


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, paragraphs, and a table with a head."""

    title: str
    paragraphs: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A title and sections."""

    title: str
    sections: tuple[Section, ...]


def page_of(contract: Contract) -> Page:
    """Everything that a reader of the product wants to know, empty parts left out."""
    return Page(contract.name, tuple(s for s in _sections(contract) if s.paragraphs or s.rows))


def _sections(contract: Contract) -> Iterator[Section]:
    words = ("Purpose", contract.purpose), ("Usage", contract.usage), ("Limitations", contract.limitations)
    yield Section("Facts", head=("fact", "value"), rows=tuple(_facts(contract)))
    for title, text in words:
        yield Section(title, paragraphs=_paragraphs(text))
    yield Section(
        "Properties",
        head=("property", "type", "description", "examples"),
        rows=tuple(_properties(contract.properties, "")),
    )
    yield Section(
        "Quality rules",
        head=("rule", "on", "says", "severity"),
        rows=tuple(
            (rule.name, rule.property or "the events", _rule(rule), rule.severity)
            for rule in contract.quality
        ),
    )
    yield Section(
        "Service levels",
        head=("level", "value", "description"),
        rows=tuple(
            (level.property, f"{level.value} {level.unit}".strip(), _one_line(level.description))
            for level in contract.service_levels
        ),
    )
    yield Section(
        "Team",
        paragraphs=(contract.team_name,) if contract.team_name else (),
        head=("member", "name", "role"),
        rows=tuple((member.username, member.name, member.role) for member in contract.team),
    )
    yield Section(
        "Support",
        head=("channel", "where", "description"),
        rows=tuple(
            (str(s.get("channel", "")), str(s.get("url", "")), _one_line(str(s.get("description", ""))))
            for s in contract.support
        ),
    )


def _facts(contract: Contract) -> Iterator[tuple[str, str]]:
    settings = contract.settings
    yield "contract", contract.id
    yield "version", str(contract.version)
    yield "status", contract.status
    yield "domain", contract.domain
    yield "topic", contract.topic
    yield "partitions", str(settings.partitions)
    yield "kept", f"{durations.words(settings.retention_ms)}, {settings.cleanup_policy}"
    yield "key", ", ".join(contract.key) or "none"
    yield "event time", contract.event_time or "the time of publishing"
    yield "compatibility", contract.compatibility
    if contract.tags:
        yield "tags", ", ".join(contract.tags)


def _properties(properties: Sequence[Property], prefix: str) -> Iterator[tuple[str, ...]]:
    for prop in properties:
        name = prefix + prop.name
        examples = ", ".join(str(example) for example in prop.examples)
        yield name, describe(prop), _one_line(prop.description), examples
        inner: Property | None = prop
        while inner is not None:
            yield from _properties(inner.properties, f"{name}.")
            inner = inner.items or inner.values


def _rule(rule: QualityRule) -> str:
    said = _one_line(rule.description)
    if said:
        return said
    words = [rule.metric or rule.engine or rule.kind]
    if rule.operator:
        words.append(f"{rule.operator} {rule.threshold} {rule.unit}")
    return " ".join(words)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part for part in (_one_line(part) for part in text.split("\n\n")) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
