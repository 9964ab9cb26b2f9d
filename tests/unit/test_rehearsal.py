"""Contracts asserted, handlers rehearsed: what a test of a user says, and when it fails."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from mesh.contract.model import Contract
from mesh.testing import assert_contract, rehearse
from mesh.testing.rehearsal import batches
from tests.unit.contract_kit import contract_of, field

AMOUNT = field("amount", "number", required=True, logicalTypeOptions={"minimum": 0})
ID = field("order_id", required=True, primaryKey=True)
NOTE = field("note")
FIRST = contract_of([ID, AMOUNT], contract_id="shop.orders.v1")
NOW = contract_of([ID, AMOUNT, NOTE], contract_id="shop.orders.v1", version="1.1.0")


def failure(events: Any, contract: Contract = NOW) -> str:
    with pytest.raises(AssertionError) as failed:
        assert_contract(events, contract)
    return str(failed.value)


def test_events_that_keep_a_contract_pass() -> None:
    assert_contract([{"order_id": "A-1", "amount": 1.0}], NOW)
    assert_contract(pa.table({"order_id": ["A-1"], "amount": [1.0], "note": ["x"]}), NOW)


def test_no_events_keep_every_contract() -> None:
    assert_contract([], NOW)


def test_a_failing_event_is_told_with_its_rule_its_value_and_itself() -> None:
    told = failure([{"order_id": "A-1", "amount": 1.0}, {"order_id": "A-2", "amount": -5.0}])
    assert told.splitlines() == [
        "1 of 2 events do not keep shop.orders.v1 1.1.0",
        "  event 1: amount is >= 0, and is -5.0 ('amount is in range')",
        '    {"order_id": "A-2", "amount": -5.0}',
    ]


def test_an_event_that_does_not_fit_the_schema_is_told_by_its_field() -> None:
    assert "event 0: field 'amount'" in failure([{"order_id": "A-1", "amount": "much"}])
    assert "event 0:" in failure([{"amount": 1.0}])


def test_only_the_first_failing_events_are_told_and_the_others_counted() -> None:
    told = failure([{"order_id": f"A-{n}", "amount": -1.0} for n in range(9)])
    assert told.startswith("9 of 9 events")
    assert told.endswith("and 4 more")


def taken(seen: list[Any], given: Any = None, **more: Any) -> list[Any]:
    options = {"given": given} if given else {}
    rehearse(seen.append, NOW, versions=[FIRST], count=3, **options, **more).require()
    return seen


def test_a_handler_meets_every_version_in_todays_schema() -> None:
    assert {tuple(event) for event in taken([])} == {("order_id", "amount", "note")}
    report = rehearse(lambda _event: None, NOW, versions=[FIRST])
    assert [step.name for step in report.steps[:2]] == ["events of 1.1.0", "events of 1.0.0"]


def test_a_handler_never_meets_what_a_subscription_sets_aside() -> None:
    assert all(event["amount"] >= 0 for event in taken([]))
    report = rehearse(lambda _event: None, NOW, versions=[])
    broken = {
        step.name: step.set_aside for step in report.steps if "breaks" in step.name or "value" in step.name
    }
    assert broken["an event that breaks 'amount is in range'"] == 1
    assert broken["a value without a frame, among events"] == 1


def test_a_tombstone_is_no_event() -> None:
    report = rehearse(lambda _event: None, NOW, versions=[], count=4)
    (step,) = [step for step in report.steps if step.name == "tombstones among events"]
    assert (step.given, step.set_aside) == (4, 0)


def test_a_handler_may_take_batches() -> None:
    assert {type(one).__name__ for one in taken([], batches)} == {"Batch"}


def test_what_a_handler_cannot_take_fails_with_the_step_and_its_error() -> None:
    def shout(order: dict[str, Any]) -> None:
        order["note"].upper()

    report = rehearse(shout, NOW, versions=[FIRST])
    assert not report.passed
    with pytest.raises(AssertionError, match=r"events of 1\.0\.0: AttributeError: 'NoneType'"):
        report.require()


def test_a_handler_that_forgets_that_events_come_again_fails() -> None:
    seen: set[str] = set()

    def once(order: dict[str, Any]) -> None:
        if order["order_id"] in seen:
            raise ValueError("seen before")
        seen.add(order["order_id"])

    failed = [step.name for step in rehearse(once, NOW, versions=[]).steps if not step.passed]
    assert "the same events again, as after a crash" in failed


def test_a_report_is_a_table_for_people_and_for_notebooks() -> None:
    report = rehearse(lambda _event: None, NOW, versions=[FIRST])
    assert "events of 1.0.0" in repr(report)
    assert "<td>events of 1.0.0</td>" in report._repr_html_()
    assert report.require() is report
