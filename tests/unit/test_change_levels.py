"""Which version a change of a contract needs, kind by kind, and whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh.change import Bump, Change, Difference, contract_difference
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.schema import parse_schema
from tests.unit.contract_kit import contract_of, field

A, TIME = field("a", required=True), field("t", "timestamp")


def difference(old: Contract, new: Contract) -> Difference:
    return contract_difference(old, new)


def of(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Difference:
    return difference(contract_of(before), contract_of(after))


def level(before: dict[str, Any], after: dict[str, Any]) -> str:
    return str(of([A, before], [A, after]).level)


def custom(**values: Any) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in values.items()]


def number(**options: Any) -> dict[str, Any]:
    return field("b", "integer", logicalTypeOptions=options) if options else field("b", "integer")


def text(**options: Any) -> dict[str, Any]:
    return field("b", logicalTypeOptions=options) if options else field("b")


def listed(*values: Any, **more: Any) -> dict[str, Any]:
    return field("b", enum=[{"value": value} for value in values], **more)


ONE = {"validValues": [1]}


def measured(unit: str) -> dict[str, Any]:
    return field("b", customProperties=custom(unit=unit))


def ruled(**rule: Any) -> dict[str, Any]:
    return field("b", "integer", quality=[{"name": "r", "metric": "invalidValues", "mustBe": 0, **rule}])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (field("b"), field("b", "integer"), "major"),
        (number(format="i32"), number(format="i64"), "major"),
        (number(format="u8"), number(format="i16"), "major"),
        (field("b", "timestamp"), field("b", "timestamp", logicalTypeOptions={"timezone": False}), "major"),
        (field("b", "date"), field("b", "date", logicalTypeOptions={"format": "yyyy"}), "minor"),
        (
            field("b", "number", customProperties=custom(precision=9, scale=2)),
            field("b", "number", customProperties=custom(precision=9, scale=3)),
            "major",
        ),
        (field("b", required=True), field("b"), "major"),
        (field("b"), field("b", required=True), "major"),
        (number(minimum=0), number(minimum=-1), "major"),
        (number(minimum=0), number(), "major"),
        (number(minimum=0), number(minimum=1), "minor"),
        (number(), number(minimum=1), "minor"),
        (number(minimum=0), number(exclusiveMinimum=0), "minor"),
        (number(exclusiveMinimum=0), number(minimum=0), "major"),
        (number(minimum=0, maximum=9), number(minimum=1, maximum=10), "major"),
        (number(multipleOf=2), number(multipleOf=4), "minor"),
        (number(multipleOf=4), number(multipleOf=2), "major"),
        (text(maxLength=3), text(maxLength=4), "major"),
        (text(maxLength=3), text(maxLength=2), "minor"),
        (text(pattern="^a"), text(pattern="^b"), "major"),
        (text(), text(pattern="^b"), "minor"),
        (text(), text(format="email"), "minor"),
        (text(format="email"), text(), "major"),
        (listed("x"), listed("x", "y"), "major"),
        (listed("x", "y"), listed("x"), "minor"),
        (listed("x", "y"), listed("y", "x"), "patch"),
        (field("b"), listed("x"), "minor"),
        (listed("x", customProperties=custom(avroType="enum")), listed("x"), "major"),
        (ruled(arguments={"validValues": [1]}), ruled(arguments={"validValues": [1, 2]}), "major"),
        (ruled(arguments={"validValues": [1]}), field("b", "integer"), "major"),
        (
            ruled(arguments={"validValues": [1]}),
            ruled(arguments={"validValues": [1]}, severity="warning"),
            "major",
        ),
        (ruled(mustBe=5, arguments={"validValues": [1]}), field("b", "integer"), "minor"),
        (field("b", "integer"), ruled(mustBe=5, arguments={"validValues": [1]}), "minor"),
        (field("b", quality=[{"name": "r", "type": "text"}]), field("b"), "patch"),
        (field("b", unique=True), field("b"), "major"),
        (field("b"), field("b", unique=True), "minor"),
        (field("b", classification="public"), field("b", classification="restricted"), "minor"),
        (field("b"), field("b", deprecated=True), "minor"),
        (
            field("b", customProperties=custom(unit="m")),
            field("b", customProperties=custom(unit="ft")),
            "major",
        ),
        (field("b"), measured("ft"), "patch"),
        (field("b"), field("b", description="B."), "patch"),
        (field("b"), field("b", physicalName="B"), "patch"),
        (field("b"), field("b", examples=["x"]), "patch"),
        (field("b"), field("b", businessName="B"), "patch"),
        (field("b"), field("b"), "none"),
    ],
    ids=str,
)
def test_a_changed_property_needs(before: dict[str, Any], after: dict[str, Any], expected: str) -> None:
    assert level(before, after) == expected


def test_an_added_optional_property_is_minor() -> None:
    assert of([A], [A, field("b")]).level is Bump.MINOR


def test_an_added_required_property_is_major_unless_it_has_a_default() -> None:
    assert of([A], [A, field("b", required=True)]).level is Bump.MAJOR
    filled = field("b", required=True, customProperties=custom(avroDefault="x"))
    assert of([A], [A, filled]).level is Bump.MINOR


@pytest.mark.parametrize("required", [True, False])
def test_a_removed_property_is_major(required: bool) -> None:
    assert of([A, field("b", required=required)], [A]).level is Bump.MAJOR


def test_a_dropped_optional_property_that_was_deprecated_is_minor() -> None:
    assert of([A, field("b", deprecated=True)], [A]).level is Bump.MINOR
    assert of([A, field("b", required=True, deprecated=True)], [A]).level is Bump.MAJOR


def test_a_property_renamed_by_alias_is_told_as_renamed_on_both_names() -> None:
    found = of([A, field("b")], [A, field("c", customProperties=custom(avroAliases=["b"]))])
    assert {change.subject: change.reasons[0].aspect for change in found.changes} == {
        "b": "renamed",
        "c": "renamed",
    }
    assert found.level is Bump.MAJOR


def test_a_renaming_inside_an_object_is_told_by_its_dotted_names() -> None:
    before = field("o", "object", properties=[field("x")])
    after = field("o", "object", properties=[field("y", customProperties=custom(avroAliases=["x"]))])
    assert {change.subject for change in of([before], [after]).changes} == {"o.x", "o.y"}


def test_a_promise_said_elsewhere_with_the_same_strength_is_a_patch() -> None:
    before = field("b", "integer", enum=[{"value": 1}])
    after = ruled(arguments={"validValues": [1]})
    found = of([before], [after])
    assert found.level <= Bump.MINOR
    assert not any(reason.aspect == "guarantee" for change in found.changes for reason in change.reasons)


def sla(*levels: dict[str, Any]) -> Contract:
    return contract_of([A], slaProperties=list(levels))


def latency(value: Any, unit: str = "h") -> dict[str, Any]:
    return {"property": "latency", "value": value, "unit": unit}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([latency(1)], [latency(2)], "weaker"),
        ([latency(1)], [latency(30, "m")], "stronger"),
        ([latency(60, "m")], [latency(1, "h")], "another one"),
        ([latency(1)], [], "no longer promised"),
        ([], [latency(1)], "from now on"),
        (
            [{"property": "availability", "value": 99.5, "unit": "percent"}],
            [{"property": "availability", "value": 99, "unit": "percent"}],
            "weaker",
        ),
        (
            [{"property": "es", "value": "2030-01-01"}],
            [{"property": "es", "value": "2029-01-01"}],
            "weaker",
        ),
        ([{"property": "re", "value": "forever"}], [{"property": "re", "value": 1, "unit": "y"}], "weaker"),
    ],
)
def test_a_changed_service_level_is_minor_and_says_which_way(before: Any, after: Any, said: str) -> None:
    found = difference(sla(*before), sla(*after))
    assert found.level is Bump.MINOR
    assert any(said in reason.sentence for change in found.changes for reason in change.reasons)


def topic(**settings: Any) -> Contract:
    return contract_of([field("a", primaryKey=True)], custom=settings)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (topic(partitions=2), topic(partitions=3), "minor"),
        (topic(partitions=3), topic(partitions=2), "major"),
        (topic(partitions=2, cleanupPolicy="compact"), topic(partitions=3, cleanupPolicy="compact"), "major"),
        (topic(cleanupPolicy="compact"), topic(), "major"),
        (topic(retention="P400D"), topic(retention="P300D"), "minor"),
        (topic(compatibility="FULL"), topic(compatibility="NONE"), "minor"),
        (contract_of([A, TIME]), contract_of([A, TIME], custom={"eventTime": "t"}), "major"),
        (contract_of([A]), contract_of([{**A, "primaryKey": True}]), "major"),
        (contract_of([A]), contract_of([A], status="deprecated"), "minor"),
        (contract_of([A], status="draft"), contract_of([A]), "patch"),
        (contract_of([A]), contract_of([A], team={"name": "T", "members": [{"username": "u"}]}), "patch"),
        (contract_of([A]), contract_of([A], support=[{"channel": "c"}]), "patch"),
        (contract_of([A]), contract_of([A], description={"purpose": "P"}), "patch"),
        (contract_of([A]), contract_of([A], tags=["t"]), "patch"),
        (contract_of([A, field("b")]), contract_of([field("b"), A]), "patch"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_of_the_whole_contract_needs(old: Contract, new: Contract, expected: str) -> None:
    assert str(difference(old, new).level) == expected


def test_a_schema_beside_the_contract_that_says_something_else_is_minor() -> None:
    contract = contract_of([A])
    refined = parse_schema(avro_schema(contract).text.replace('"name":"a"', '"name":"a","aliases":["z"]'))
    (change,) = difference(contract, replace(contract, refined=refined)).changes
    assert (change.subject, change.level) == ("the Avro schema", Bump.MINOR)


def test_shorter_retention_says_that_events_are_deleted() -> None:
    (change,) = difference(topic(), topic(retention="P1D")).changes
    assert "deleted for good" in change.reasons[0].sentence


def test_a_rule_that_refuses_more_concerns_the_publisher_alone() -> None:
    (change,) = of([A, number()], [A, number(minimum=1)]).changes
    assert change.reasons[0].concerns == ("publisher",)
    assert (change.reasons[0].before, change.reasons[0].after) == ("", "is >= 1")


def test_the_gravest_change_comes_first() -> None:
    found = of([A, field("b"), field("z")], [A, field("b", description="B."), field("c")])
    assert [str(change.level) for change in found.changes] == ["major", "minor", "patch"]


def test_a_change_survives_the_way_through_a_record() -> None:
    for change in of([A, field("b"), number(minimum=0)][:2], [A, number(minimum=1)]).changes:
        assert Change.from_data(change.as_data()) == change


def test_an_older_record_has_changes_without_reasons() -> None:
    old = {"kind": "added", "subject": "b", "before": "", "after": "string"}
    assert Change.from_data(old).level is Bump.NONE


def test_a_comment_is_no_change() -> None:
    from tests.unit.contract_kit import CONTRACT, contract

    assert difference(contract(), contract((CONTRACT, f"# new\n{CONTRACT}"))).level is Bump.NONE
