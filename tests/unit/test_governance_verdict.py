"""The verdict on a proposed contract: what changes, whether it breaks readers, and whom it touches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh import limits
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh_platform.governance.state import Subscription
from mesh_platform.governance.verdict import judge
from tests.unit.contract_kit import contract_of, field


def version(number: str, *properties: dict[str, Any], **more: Any) -> Contract:
    return contract_of(list(properties), version=number, **more)


A, B = field("a", required=True), field("b", "integer")
OLD = version("1.0.0", A, B)


def verdict(
    new: Contract, old: Contract = OLD, *, subscriptions: Any = (), readers: Any = None
) -> dict[str, Any]:
    return judge(old, new, [avro_schema(old)], subscriptions, readers or {})


def reading(group: str, *fields: str) -> Subscription:
    return Subscription("ops.flights", group, fields, "because", "t0")


def test_an_added_optional_property_is_compatible() -> None:
    found = verdict(version("1.1.0", A, B, field("c")))
    assert found["compatible"]
    assert [(c["kind"], c["subject"]) for c in found["changes"]] == [("added", "c")]


def test_a_verdict_travels_in_a_record() -> None:
    found = verdict(version("1.1.0", A, field("b", "date"), field("c")), subscriptions=[reading("g", "b")])
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "changed",
    [
        (A, B, field("c", required=True)),
        (A, field("b", "boolean")),
        (A, field("b", "timestamp")),
        (field("a", "boolean", required=True), B),
    ],
    ids=str,
)
def test_what_breaks_readers_is_incompatible_and_says_why(changed: tuple[dict[str, Any], ...]) -> None:
    found = verdict(version("1.1.0", *changed))
    assert not found["compatible"]
    assert all(found["problems"])


def test_a_change_cannot_bring_along_its_own_licence() -> None:
    loose = version("1.1.0", A, field("b", "boolean"), custom={"compatibility": "NONE"})
    assert not verdict(loose)["compatible"]


def test_a_looser_level_alone_is_a_change_that_governance_sees() -> None:
    found = verdict(version("1.1.0", A, B, custom={"compatibility": "NONE"}))
    assert found["compatible"]
    assert [c["subject"] for c in found["changes"]] == ["compatibility mode"]


def test_a_stricter_level_is_judged_at_once() -> None:
    found = verdict(
        version("1.1.0", A, custom={"compatibility": "FULL"}), version("1.0.0", A, field("b", required=True))
    )
    assert not found["compatible"]


def test_one_break_is_told_once_when_both_levels_forbid_it() -> None:
    found = verdict(
        version("1.1.0", A, B, field("c", required=True), custom={"compatibility": "BACKWARD_TRANSITIVE"})
    )
    assert len(found["problems"]) == len(set(found["problems"])) == 1


def test_a_changed_contract_needs_a_higher_version() -> None:
    found = verdict(version("1.0.0", A, B, field("c")))
    assert not found["compatible"]
    assert "needs 1.1.0 or higher" in found["problems"][0]


def test_a_lower_version_is_refused() -> None:
    old = version("1.2.0", A, B)
    assert "says version 1.1.0 after 1.2.0" in verdict(version("1.1.0", A, B), old)["problems"][0]


def test_a_change_inside_an_object_needs_a_higher_version_too() -> None:
    def holding(kind: str) -> Contract:
        return version("1.0.0", field("o", "object", properties=[field("x", kind, description="d")]))

    old = version("1.0.0", field("o", "object", properties=[field("x")]))
    assert not verdict(holding("string"), old)["compatible"]


def test_comments_may_change_within_a_version() -> None:
    text = f"# a comment\n{OLD.document.text}"
    assert verdict(read_contract(text.encode(), "f.odcs.yaml"))["compatible"]


@pytest.mark.parametrize(
    ("new", "needed"),
    [
        (version("1.0.1", A, B, field("c")), "1.1.0"),
        (version("1.0.0", A, B, tags=["new"]), "1.0.1"),
        (version("1.0.1", A, field("b", "integer", logicalTypeOptions={"minimum": 1})), "1.1.0"),
    ],
)
def test_a_version_that_rises_too_little_is_refused(new: Contract, needed: str) -> None:
    found = verdict(new)
    assert (found["compatible"], found["version"]["needed"]) == (False, needed)
    assert needed in found["fix"]


def test_a_weakened_guarantee_is_refused_though_the_schema_is_compatible() -> None:
    old = version("1.0.0", A, field("b", "integer", logicalTypeOptions={"minimum": 1}))
    found = verdict(version("1.1.0", A, B), old)
    assert (found["compatible"], found["version"]["level"]) == (False, "major")
    assert "Readers could rely on it" in found["problems"][0]


def test_a_weakened_service_level_is_told_and_may_be_approved() -> None:
    level = {"property": "latency", "value": 1, "unit": "h"}
    old, new = (
        version(number, A, B, slaProperties=[{**level, "value": value}])
        for number, value in (("1.0.0", 1), ("1.1.0", 2))
    )
    found = verdict(new, old)
    assert found["compatible"]
    assert "weaker" in found["changes"][0]["reasons"][0]["sentence"]


def test_a_comparison_that_is_too_complex_is_unknown_and_never_compatible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "COMPATIBILITY_STEPS", 4)
    found = verdict(version("1.1.0", A, B, field("c")))
    assert (found["outcome"], found["compatible"]) == ("unknown", False)


def affected(found: dict[str, Any]) -> dict[str, bool]:
    return {reader["name"]: reader["affected"] for reader in found["readers"]}


def test_only_readers_of_a_changed_field_are_affected() -> None:
    new = version("1.1.0", A, field("b", "integer", classification="internal"))
    found = verdict(new, subscriptions=[reading("of-b", "b"), reading("of-a", "a")])
    assert affected(found) == {"of-b (subscription)": True, "of-a (subscription)": False}


def test_a_reader_of_unknown_fields_is_affected_by_every_change() -> None:
    found = verdict(version("1.1.0", A), readers={"fleet.aircraft": []})
    assert affected(found) == {"fleet.aircraft (input port)": True}


def test_nobody_is_affected_by_an_added_field() -> None:
    found = verdict(
        version("1.1.0", A, B, field("c")), subscriptions=[reading("g", "a")], readers={"x.yy": []}
    )
    assert not any(affected(found).values())


def test_a_reader_of_a_field_named_status_is_not_affected_by_the_contracts_status() -> None:
    old = version("1.0.0", A, field("status"))
    new = version("1.1.0", A, field("status"), status="deprecated")
    assert affected(verdict(new, old, subscriptions=[reading("g", "status")])) == {"g (subscription)": False}


def test_without_retained_schemas_the_contract_in_force_is_judged_against() -> None:
    found = judge(OLD, version("1.1.0", A, field("b", "boolean")), [], [], {})
    assert (found["compatible"], found["judged_against"]) == (False, 0)
