"""What is called less than major breaks no reader: shown on generated contracts, schemas and events."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from mesh.change import Bump, contract_difference
from mesh.change.guarantees import implies
from mesh.compatibility import Level, verdict
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.errors import DeclarationError
from mesh.rules.closures import compile_closures
from mesh.rules.model import (
    Check,
    ItemCount,
    Length,
    MultipleOf,
    OneOf,
    Pattern,
    Range,
    Required,
    UniqueItems,
)
from tests.unit.contract_kit import contract_of, field

CALM = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
COLUMNS = pa.schema([("n", pa.int32()), ("t", pa.string())])
EVENTS = [{"n": n, "t": t} for n in (None, *range(-2, 7)) for t in (None, "", "a", "ab", "xyz", "🛫")]


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, least, most in (("inimum", -2, 1), ("aximum", 3, 6)):
        prefix = draw(st.sampled_from(["", "m", "exclusiveM"]))
        if prefix:
            options[prefix + name] = draw(st.integers(least, most))
    if draw(st.booleans()):
        options["multipleOf"] = draw(st.integers(1, 4))
    more: dict[str, Any] = {"logicalTypeOptions": {**options, "format": "i32"}}
    if draw(st.booleans()):
        more["enum"] = [{"value": value} for value in draw(st.sets(st.integers(2, 4), min_size=1))]
    return field("n", "integer", required=draw(st.booleans()), **more)


@st.composite
def texts(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, least, most in (("minLength", 0, 1), ("maxLength", 2, 3)):
        if draw(st.booleans()):
            options[name] = draw(st.integers(least, most))
    if draw(st.booleans()):
        options["pattern"] = draw(st.sampled_from(["^a", "b$"]))
    more: dict[str, Any] = {"logicalTypeOptions": options} if options else {}
    if draw(st.booleans()):
        allowed = draw(st.sets(st.sampled_from(["", "a", "ab"]), min_size=1))
        rule = {"name": "known", "metric": "invalidValues", "arguments": {"validValues": sorted(allowed)}}
        more["quality"] = [{**rule, "mustBe": 0}]
    return field("t", required=draw(st.booleans()), **more)


def declared(properties: Any) -> Contract:
    """A contract of these properties; one that contradicts itself is no example."""
    try:
        return contract_of(list(properties))
    except DeclarationError:
        reject()


def valid(contract: Contract) -> list[dict[str, Any]]:
    guard = compile_closures(record_rules(contract), COLUMNS)
    return [event for event in EVENTS if not guard.check(event)]


@CALM
@given(st.tuples(numbers(), numbers()) | st.tuples(texts(), texts()))
def test_below_a_major_every_new_event_keeps_the_old_guarantees(pair: Any) -> None:
    before, after = (declared([item]) for item in pair)
    assume(contract_difference(before, after).level < Bump.MAJOR)
    kept = valid(before)
    assert all(event in kept for event in valid(after))


@CALM
@given(st.tuples(numbers(), texts()), st.lists(st.integers(0, 3), max_size=3))
def test_below_a_major_both_schemas_read_each_other(old: Any, drops: list[int]) -> None:
    new = [dict(item) for item in old]
    for drop in drops:
        if drop == 0:
            new.append(field(f"x{len(new)}", required=drop in drops[1:]))
        elif drop == 1 and len(new) > 1:
            new.pop(0)
        elif drop == 2:
            new[-1] = {**new[-1], "required": not new[-1].get("required")}
        else:
            new.reverse()
    before, after = declared(old), declared(new)
    broken = verdict(avro_schema(after), [avro_schema(before)], Level.FULL).outcome != "passed"
    assert (contract_difference(before, after).level is Bump.MAJOR) or not broken


CHECKS = st.one_of(
    st.just(Required()),
    st.builds(OneOf, st.lists(st.sampled_from([0, 1, 2, True, "a"]), min_size=1, max_size=3).map(tuple)),
    st.builds(Pattern, st.sampled_from(["a", "b"])),
    st.builds(Length, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
    st.builds(ItemCount, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
    st.builds(MultipleOf, st.integers(1, 6)),
    st.just(UniqueItems()),
    st.builds(Range, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
)


@CALM
@given(CHECKS, CHECKS, CHECKS)
def test_implication_is_reflexive_and_transitive(one: Check, two: Check, three: Check) -> None:
    assert implies(one, one)
    if implies(one, two) and implies(two, three):
        assert implies(one, three)


@pytest.mark.parametrize(
    ("strong", "weak", "holds"),
    [
        (OneOf((1,)), OneOf((True, 1)), True),
        (OneOf((True,)), OneOf((1, 2)), False),
        (Range(minimum="2024-01-02"), Range(minimum="2024-01-01"), True),
        (Range(minimum="2024-01-02T00:00:00Z"), Range(minimum="2024-01-01"), False),
        (Range(minimum=1), Range(minimum="1"), False),
        (MultipleOf(0.5), MultipleOf(0.1), True),
        (Length(1, 1), ItemCount(1, 1), False),
    ],
)
def test_what_cannot_be_compared_is_not_taken_for_granted(strong: Check, weak: Check, holds: bool) -> None:
    assert implies(strong, weak) is holds


def test_a_rule_on_items_is_not_mixed_up_with_one_on_the_list() -> None:
    def listed(**items: Any) -> Contract:
        inner = {"logicalType": "array", "items": {"logicalType": "string"}, **items}
        return contract_of([field("b", "array", items=inner, logicalTypeOptions={"maxItems": 3})])

    old, new = listed(logicalTypeOptions={"maxItems": 3}), listed()
    assert contract_difference(old, new).level is Bump.MAJOR
