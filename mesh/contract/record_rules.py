"""The record rules of a contract: what each single event must satisfy to be published.

From `required`, `enum`, `logicalTypeOptions`, and quality rules that say the same: library metrics on a
property with `mustBe: 0` and severity error whose verdict needs one event only. All other quality rules
need a window of events and go to Great Expectations or DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mesh.contract.model import Contract, Property, QualityRule
from mesh.contract.yaml import Path
from mesh.errors import Location
from mesh.rules.model import (
    ITEMS,
    VALUES,
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

_BOUNDS: Final = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A record rule, and where each part of its check stands in the contract."""

    rule: Rule
    parts: tuple[tuple[Location, Check], ...]
    quality: QualityRule | None = None


def record_rules(contract: Contract) -> tuple[Rule, ...]:
    """All rules that hold for each event, in the order of the contract."""
    return tuple(written.rule for written in written_rules(contract))


def written_rules(contract: Contract) -> tuple[Written, ...]:
    """The same with their places."""
    of_quality: dict[str, list[QualityRule]] = {}
    for quality in contract.quality:
        if quality.property is not None and is_record_rule(quality):
            of_quality.setdefault(quality.property, []).append(quality)
    found: list[Written] = []
    for index, prop in enumerate(contract.properties):
        place = _Place(contract, of_quality, ("schema", 0, "properties", index), prop.name)
        found += _of_property(prop, place)
    return tuple(found)


def is_record_rule(rule: QualityRule) -> bool:
    """Whether one event is enough to judge a quality rule, and a single failure refuses it."""
    exact = rule.operator == "mustBe" and rule.threshold == 0 and rule.severity == "error"
    if not exact or rule.property is None:
        return False
    if rule.metric == "invalidValues":
        return bool(rule.arguments) and set(rule.arguments) <= {"validValues", "pattern"}
    return rule.metric == "nullValues"


@dataclass(frozen=True, slots=True)
class _Place:
    """A property's place in the contract and in the event."""

    contract: Contract
    quality: Mapping[str, list[QualityRule]]
    at: Path
    path: str

    def inside(self, path: str, *keys: str | int) -> _Place:
        return _Place(self.contract, self.quality, (*self.at, *keys), path)

    def where(self, *keys: str | int) -> Location:
        return self.contract.document.at(*self.at, *keys)


def _of_property(prop: Property, place: _Place) -> Iterator[Written]:
    for word, check, keys in _checks(prop):
        rule = Rule(
            name=f"{place.path} {word}",
            path=place.path,
            check=check,
            severity="error",
            description=prop.description,
        )
        yield Written(rule, tuple((place.where(*key), part) for key, part in keys))
    yield from _inside(prop, place)
    for quality in place.quality.get(place.path, ()):
        yield from _of_quality(quality, place.path)


def _inside(prop: Property, place: _Place) -> Iterator[Written]:
    for index, nested in enumerate(prop.properties):
        yield from _of_property(nested, place.inside(f"{place.path}.{nested.name}", "properties", index))
    for step, inner, keys in ((ITEMS, prop.items, ("items",)), (VALUES, prop.values, ("map", "value"))):
        if inner is not None:
            yield from _of_property(_present(inner), place.inside(f"{place.path}{step}", *keys))


def _present(inner: Property) -> Property:
    """An item or value as it is judged: Avro lets none be null, so nobody needs to ask."""
    return replace(inner, required=False, primary_key=None)


_Keyed = tuple[tuple[tuple[str, ...], Check], ...]


def _checks(prop: Property) -> Iterator[tuple[str, Check, _Keyed]]:
    """Each check of a property with its words, and the keys that its parts stand under."""
    options = prop.options

    def under(check: Check, *names: str) -> _Keyed:
        present = [name for name in names if name in options]
        return ((("logicalTypeOptions", present[0]), check),)

    if prop.required or prop.primary_key is not None:
        yield "is required", Required(), ((("required",), Required()),)
    if prop.enum and prop.custom.get("avroType") != "enum":
        yield "is one of its values", OneOf(tuple(prop.enum)), tuple(_values(prop))
    bounds = {spelled: options[name] for name, spelled in _BOUNDS.items() if options.get(name) is not None}
    if bounds:
        keyed = {_BOUNDS[name]: ("logicalTypeOptions", name) for name in _BOUNDS}
        parts = tuple((keyed[spelled], Range(**{spelled: bound})) for spelled, bound in bounds.items())
        yield "is in range", Range(**bounds), parts
    if "multipleOf" in options:
        multiple = MultipleOf(options["multipleOf"])
        yield "is a multiple", multiple, under(multiple, "multipleOf")
    if "minLength" in options or "maxLength" in options:
        length = Length(options.get("minLength"), options.get("maxLength"))
        yield "has its length", length, under(length, "minLength", "maxLength")
    if "pattern" in options:
        pattern = Pattern(options["pattern"])
        yield "matches its pattern", pattern, under(pattern, "pattern")
    if "minItems" in options or "maxItems" in options:
        count = ItemCount(options.get("minItems"), options.get("maxItems"))
        yield "has its number of items", count, under(count, "minItems", "maxItems")
    if options.get("uniqueItems"):
        yield "has distinct items", UniqueItems(), under(UniqueItems(), "uniqueItems")


def _values(prop: Property) -> Iterator[tuple[tuple[Any, ...], Check]]:
    for index, value in enumerate(prop.enum):
        yield ("enum", index), OneOf((value,))


def _of_quality(quality: QualityRule, path: str) -> Iterator[Written]:
    checks: list[Check] = []
    if quality.metric == "nullValues":
        checks.append(Required())
    if "validValues" in quality.arguments:
        checks.append(OneOf(tuple(quality.arguments["validValues"])))
    if "pattern" in quality.arguments:
        checks.append(Pattern(quality.arguments["pattern"]))
    for check in checks:
        rule = Rule(
            name=quality.name, path=path, check=check, severity="error", description=quality.description
        )
        yield Written(rule, ((quality.where, check),), quality)
