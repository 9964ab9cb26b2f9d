"""Events with one fault: the contract's guard names exactly the rule that was to be broken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.errors import UsageError
from mesh.fake import Faults, events
from mesh.fake.events import Fake
from mesh.rules.closures import compile_closures
from mesh.rules.masks import compile_masks
from tests.unit.contract_kit import contract_of, field
from tests.unit.test_fake_events import CONTRACTS, contracts, example

IMPLIED = {"carrier", "code", "destination", "faa", "flight_id", "local_hour", "route", "tail_number"}
NESTED = contract_of(
    [
        field("id", primaryKey=True),
        field(
            "stops",
            "array",
            required=True,
            logicalTypeOptions={"minItems": 1, "maxItems": 3},
            items={
                "logicalType": "object",
                "properties": [
                    {"name": "city", "logicalType": "string", "logicalTypeOptions": {"minLength": 2}},
                    {"name": "minutes", "logicalType": "integer", "logicalTypeOptions": {"maximum": 90}},
                ],
            },
        ),
        field("tags", "array", items={"logicalType": "string"}, logicalTypeOptions={"uniqueItems": True}),
        field(
            "labels",
            "map",
            map={
                "key": {"logicalType": "string"},
                "value": {"logicalType": "integer", "logicalTypeOptions": {"minimum": 1}},
            },
        ),
        field(
            "price",
            "number",
            logicalTypeOptions={"exclusiveMinimum": 0, "multipleOf": 0.05},
            customProperties=[{"property": "precision", "value": 9}, {"property": "scale", "value": 2}],
        ),
        field("due", "date", logicalTypeOptions={"minimum": "2026-01-01"}),
        field("vip", "boolean", enum=[{"value": True}]),
    ]
)


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_each_rule_is_broken_alone_or_implied_by_another(contract_id: str) -> None:
    contract = example().contracts[contract_id]
    made = dict(Faults(contract, 5, example().contracts.values()).each())
    guard = compile_closures(record_rules(contract), Fake(contract).port.codec.arrow_schema)

    for name, event in made.items():
        if event is None:
            # A pattern of a fixed length says what the length says.
            assert name.removesuffix(" has its length") in IMPLIED
        else:
            assert {rule.name for rule in guard.check(event)} == {name}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contract=contracts())
def test_faults_of_any_contract_are_those_that_were_asked_for(contract: Contract) -> None:
    guard = compile_closures(record_rules(contract), Fake(contract).port.codec.arrow_schema)

    for name, event in Faults(contract, 2).each():
        if event is not None:
            assert {rule.name for rule in guard.check(event)} == {name}


def test_faults_reach_into_lists_maps_and_objects() -> None:
    made = dict(Faults(NESTED, 1).each())

    assert list(made) == [rule.name for rule in record_rules(NESTED)]
    assert None not in made.values()


def test_the_guard_over_batches_names_the_same_rule() -> None:
    faults, codec = Faults(NESTED, 1), Fake(NESTED).port.codec
    from mesh.codec import to_batch

    guard = compile_masks(record_rules(NESTED), codec.arrow_schema)
    for name, event in faults.each():
        if event is not None and faults.carried(event):
            assert [rule.name for rule in guard.check(to_batch([event], codec)).failures] == [name]


def test_only_the_place_of_the_rule_differs() -> None:
    (broken,) = Faults(NESTED, 1).broken("price is a multiple", 1)
    (whole,) = Fake(NESTED, 1, nulls=0.0).events(1)

    assert {name for name in whole if whole[name] != broken[name]} == {"price"}


def test_a_fault_is_made_as_often_as_asked() -> None:
    assert len(Faults(NESTED, 1).broken("due is in range", 7)) == 7


@pytest.mark.parametrize(
    ("prop", "rule", "code"),
    [
        (field("n", logicalTypeOptions={"maxLength": 3}), "n has it length", "MESH-U130"),
        (
            field("n", logicalTypeOptions={"minLength": 2, "pattern": "^[a-z]{2}$"}),
            "n has its length",
            "MESH-U131",
        ),
    ],
)
def test_a_rule_that_is_not_there_or_not_alone_is_refused(prop: dict[str, Any], rule: str, code: str) -> None:
    contract = contract_of([field("id", primaryKey=True), prop])

    with pytest.raises(UsageError) as caught:
        Faults(contract).broken(rule, 1)
    assert caught.value.error_code == code


def test_an_event_without_a_required_value_is_none_that_avro_carries() -> None:
    contract = contract_of([field("id", primaryKey=True), field("n", required=True)])
    (broken,) = Faults(contract).broken("n is required", 1)

    assert not Faults(contract).carried(broken)
    assert Faults(contract).carried(events(contract, 1)[0])
