"""The record rules of a contract: what each single event must satisfy to be published.

From `required`, `enum`, `logicalTypeOptions`, and quality rules that say the same: library metrics on a
property with `mustBe: 0` and severity error whose verdict needs one event only. All other quality rules
need a window of events and go to Great Expectations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.contract.model import Contract, Property, QualityRule
from mesh.rules.model import (
    Check,
    ItemCount,
    Length,
    MultipleOf,
    OneOf,
    Pattern,
    Range,
    Required,
    Rule,
    UniqueItems,
)


def record_rules(contract: Contract) -> tuple[Rule, ...]:
    """All rules that hold for each event, in the order of the contract."""
    rules: list[Rule] = []
    for prop in contract.properties:
        rules += _of_property(prop, prop.name)
        for quality in contract.quality:
            if quality.property == prop.name and is_record_rule(quality):
                rules += _of_quality(quality, prop.name)
    return tuple(rules)


def is_record_rule(rule: QualityRule) -> bool:
    """Whether one event is enough to judge a quality rule, and a single failure refuses it."""
    exact = rule.operator == "mustBe" and rule.threshold == 0 and rule.severity == "error"
    if not exact or rule.property is None:
        return False
    if rule.metric == "invalidValues":
        return bool(rule.arguments) and set(rule.arguments) <= {"validValues", "pattern"}
    return rule.metric == "nullValues"


def _of_property(prop: Property, path: str) -> Iterator[Rule]:
    def rule(word: str, check: Check) -> Rule:
        return Rule(
            name=f"{path} {word}", path=path, check=check, severity="error", description=prop.description
        )

    options = prop.options
    if prop.required or prop.primary_key is not None:
        yield rule("is required", Required())
    if prop.enum and prop.custom.get("avroType") != "enum":
        yield rule("is one of its values", OneOf(tuple(prop.enum)))
    bounds = Range(
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        exclusive_minimum=options.get("exclusiveMinimum"),
        exclusive_maximum=options.get("exclusiveMaximum"),
    )
    if bounds != Range():
        yield rule("is in range", bounds)
    if "multipleOf" in options:
        yield rule("is a multiple", MultipleOf(options["multipleOf"]))
    if "minLength" in options or "maxLength" in options:
        yield rule("has its length", Length(options.get("minLength"), options.get("maxLength")))
    if "pattern" in options:
        yield rule("matches its pattern", Pattern(options["pattern"]))
    if "minItems" in options or "maxItems" in options:
        yield rule("has its number of items", ItemCount(options.get("minItems"), options.get("maxItems")))
    if options.get("uniqueItems"):
        yield rule("has distinct items", UniqueItems())
    for nested in prop.properties:
        yield from _of_property(nested, f"{path}.{nested.name}")


def _of_quality(quality: QualityRule, path: str) -> Iterator[Rule]:
    def rule(check: Check) -> Rule:
        words: Any = quality.description
        return Rule(name=quality.name, path=path, check=check, severity="error", description=words)

    if quality.metric == "nullValues":
        yield rule(Required())
        return
    if "validValues" in quality.arguments:
        yield rule(OneOf(tuple(quality.arguments["validValues"])))
    if "pattern" in quality.arguments:
        yield rule(Pattern(quality.arguments["pattern"]))
