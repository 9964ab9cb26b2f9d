"""Record rules as window checks: the same rules that guard each event, measured over many.

What Great Expectations has no word for (multiples, numbers of items) is computed per row by the record
rule itself; the expectation then looks at that column of true and false.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract, QualityRule
from mesh.contract.record_rules import is_record_rule, record_rules
from mesh.contract.rule_types import event_of
from mesh.rules.compilation import place_of
from mesh.rules.model import ITEMS, VALUES, Length, OneOf, Pattern, Range, Required, Rule, steps_of
from mesh.rules.types import Exact, Real, Type, Whole
from mesh_platform.quality.frames import EXACT_DIGITS, EXACT_IN_FLOAT
from mesh_platform.quality.model import Expectation, WindowCheck
from mesh_platform.quality.places import Obstacle, possible_values, re2_accepts, require_property


def compile_record_checks(contract: Contract) -> list[WindowCheck]:
    """One check per record rule; those that are written as quality rules are left to them."""
    event = event_of(avro_schema(contract))
    written = {(q.name, q.property) for q in contract.quality if is_record_rule(q) and not of_many(q)}
    rules = record_rules(contract)
    return [
        _check(contract, rule, place_of(rule, event).type)
        for rule in rules
        if (rule.name, rule.path) not in written
    ]


def of_many(rule: QualityRule) -> bool:
    """Whether a quality rule is a record rule on the many values that one event has there."""
    return is_record_rule(rule) and (ITEMS in str(rule.property) or VALUES in str(rule.property))


def verdict_column(rule: Rule) -> str:
    """The name of the column that says of each row whether a record rule holds."""
    return rule.sentence


def _check(contract: Contract, rule: Rule, found: Type) -> WindowCheck:
    expectation: Expectation | None = None
    derived: Rule | None = None
    obstacle = ""
    try:
        expectation = _expectation(contract, rule, found)
        if expectation is None:
            derived = rule
            kwargs = {"column": verdict_column(rule), "value_set": [True]}
            expectation = Expectation("expect_column_values_to_be_in_set", kwargs)
    except Obstacle as why:
        obstacle = str(why)
    return WindowCheck(
        name=rule.name,
        property=rule.path,
        metric="nullValues" if isinstance(rule.check, Required) else "invalidValues",
        origin="record rule",
        severity=rule.severity,
        sentence=rule.sentence,
        expectations=(expectation,) if expectation else (),
        derived=derived,
        operator="mustBe",
        threshold=0,
        dimension="completeness" if isinstance(rule.check, Required) else "conformity",
        description=rule.description,
        obstacle=obstacle,
    )


def _expectation(contract: Contract, rule: Rule, found: Type) -> Expectation | None:
    """The rule in Great Expectations' words; None when it has none that mean exactly the same."""
    steps = steps_of(rule.path)
    if ITEMS in steps or VALUES in steps:
        return None  # a column has one value per row
    match rule.check:
        case Required():
            return _on(rule, "expect_column_values_to_not_be_null")
        case OneOf(values):
            if isinstance(found, Real | Exact):
                return None  # pandas compares the bits, and 0.0 has two spellings
            known = possible_values(require_property(contract, rule.path), values)
            return _on(rule, "expect_column_values_to_be_in_set", value_set=known)
        case Pattern(regex):
            return _on(rule, "expect_column_values_to_match_regex", regex=re2_accepts(regex))
        case Length(least, most):
            return _on(rule, "expect_column_value_lengths_to_be_between", min_value=least, max_value=most)
        case Range() as bounds if _one_interval(bounds) and _compares_exactly(bounds, found):
            return _on(rule, "expect_column_values_to_be_between", **dict(_bounds(bounds)))
    return None


def _on(rule: Rule, kind: str, **kwargs: object) -> Expectation:
    given = {name: value for name, value in kwargs.items() if value is not None}
    return Expectation(kind, {"column": rule.path, **given})


def _one_interval(bounds: Range) -> bool:
    """Whether there is one bound on a side, and the lower is not above the upper."""
    low = [b for b in (bounds.minimum, bounds.exclusive_minimum) if b is not None]
    high = [b for b in (bounds.maximum, bounds.exclusive_maximum) if b is not None]
    if len(low) > 1 or len(high) > 1:
        return False
    return not low or not high or _comparable(low[0]) <= _comparable(high[0])


def _compares_exactly(bounds: Range, found: Type) -> bool:
    """Whether pandas, which may compare as 64-bit floats, comes to the same."""
    match found:
        case Whole():
            return all(abs(_comparable(bound)) <= EXACT_IN_FLOAT for _, bound in bounds.bounds())
        case Real(bits):
            return bits == 64
        case Exact(precision, _):
            return precision <= EXACT_DIGITS
    return True


def _comparable(bound: Any) -> Any:
    if not isinstance(bound, str):
        return bound
    moment = datetime.fromisoformat(bound)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bounds(bounds: Range) -> Iterator[tuple[str, object]]:
    for symbol, bound in bounds.bounds():
        side = "min" if symbol in (">=", ">") else "max"
        yield f"{side}_value", bound
        if symbol in (">", "<"):
            yield f"strict_{side}", True
