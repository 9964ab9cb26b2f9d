"""Drift: property, declared, live; and what could not be asked is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import pytest

from mesh.errors import UnreachableError
from mesh.plan.access import Grant, wanted_grants
from mesh.plan.actual import SubjectFacts
from mesh.plan.drift import drift
from tests.unit.contract_kit import CONTRACT, contract_text, declared, field, product_text, replaced
from tests.unit.plan_kit import SUBJECT, TOPIC, applied, desired, plan, renamed
from tests.unit.twins import WorldTwin


def rows(twin: WorldTwin) -> list[tuple[str, ...]]:
    return [astuple(row) for row in drift(desired(), twin.world.survey(desired(), ["ops"]))]


def test_what_was_just_applied_has_no_drift() -> None:
    assert rows(applied()) == []


def test_a_setting_changed_by_hand_is_named_with_both_values() -> None:
    twin = applied()
    twin.broker.alter_topic(TOPIC, {"retention.ms": "1"})
    assert rows(twin) == [("differs", TOPIC, "retention.ms", "34560000000", "1")]


def test_partitions_added_by_hand_are_drift() -> None:
    twin = applied()
    twin.broker.add_partitions(TOPIC, 9)
    assert rows(twin) == [("differs", TOPIC, "partitions", "3", "9")]


def test_a_setting_that_the_cluster_does_not_show_is_unknown() -> None:
    twin = applied()
    twin.broker.found[TOPIC] = type(twin.broker.found[TOPIC])(3, {"cleanup.policy": "delete"})
    assert rows(twin) == [("unknown", TOPIC, "retention.ms", "34560000000", "")]


def test_a_level_set_by_hand_is_drift() -> None:
    twin = applied()
    twin.registry.set_level(SUBJECT, "NONE")
    assert rows(twin) == [("differs", SUBJECT, "compatibility", "BACKWARD", "NONE")]


def test_a_schema_that_was_taken_away_is_missing() -> None:
    twin = applied()
    twin.registry.found[SUBJECT] = SubjectFacts("BACKWARD", ())
    (row,) = rows(twin)
    assert row[:3] == ("missing", SUBJECT, "schema")


def test_a_contract_in_force_that_is_another_one_is_drift() -> None:
    twin = applied()
    twin.platform.approve(replaced(CONTRACT, ("version: 1.0.0", "version: 1.1.0")))
    (row,) = rows(twin)
    assert row[:3] == ("differs", TOPIC, "contract")


def test_nothing_there_is_all_missing() -> None:
    found = rows(WorldTwin())
    assert {row[0] for row in found} == {"missing"}
    assert [row[1:3] for row in found] == [
        (TOPIC, "contract"),
        (TOPIC, "topic"),
        (f"{TOPIC}.dlq", "topic"),
        (SUBJECT, "subject"),
        ("ops.flights", "product"),
    ]


def test_a_product_changed_in_the_catalog_is_drift() -> None:
    twin = applied()
    known = twin.platform.held_products["ops.flights"]
    twin.platform.held_products["ops.flights"] = type(known)(known.full_name, "0" * 64)
    assert [row[:3] for row in rows(twin)] == [("differs", "ops.flights", "text")]


def test_what_nobody_declared_under_an_own_domain_is_drift() -> None:
    twin = applied()
    twin.broker.create_topic("ops.secret.v1", 1, {})
    assert rows(twin) == [("undeclared", "ops.secret.v1", "topic", "", "is there")]


def _silent(*_: object) -> None:
    raise UnreachableError("nobody answers")


@pytest.mark.parametrize(
    ("part", "silence", "unknown"),
    [
        ("broker", lambda twin: (twin.broker, "topics"), 2),
        ("registry", lambda twin: (twin.registry, "subjects"), 1),
        ("platform", lambda twin: (twin.platform, "contracts"), 2),
    ],
)
def test_a_part_that_does_not_answer_is_unknown_and_never_no_drift(
    part: str,
    silence: Callable[[WorldTwin], tuple[object, str]],
    unknown: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin = applied()
    monkeypatch.setattr(*silence(twin), _silent)
    actual = twin.world.survey(desired(), ["ops"])
    found = drift(desired(), actual)
    assert list(actual.unasked) == [part]
    assert [row.state for row in found] == ["unknown"] * unknown


def test_a_domain_may_write_and_read_its_own_and_read_what_its_ports_name() -> None:
    reader = declared(
        contract_text([field("a")]),
        product_text(),
        contract_text([field("a")], contract_id="fleet.aircraft.v1"),
        product_text("fleet.aircraft", reads=[TOPIC]),
    ).require()
    assert [str(grant) for grant in wanted_grants(reader)] == [
        "User:fleet may read group fleet.*",
        "User:fleet may read topic fleet.*",
        f"User:fleet may read topic {TOPIC}",
        "User:fleet may write topic fleet.*",
        f"User:fleet may write topic {TOPIC}.dlq",
        "User:ops may read group ops.*",
        "User:ops may read topic ops.*",
        "User:ops may write topic ops.*",
    ]


def test_grants_are_planned_where_there_is_an_authorizer() -> None:
    twin = applied()
    twin.broker.allowed = {Grant("User:ops", "write", "topic", "ops.", "prefixed")}
    made = plan(desired(), twin)
    assert [change.detail for change in made.changes] == [
        "User:ops may read group ops.*",
        "User:ops may read topic ops.*",
    ]
    assert made.notes == ()


def test_without_an_authorizer_the_plan_says_so_once() -> None:
    assert plan(renamed(), WorldTwin()).notes == ("the cluster shows no authorizer: ACLs are not planned",)


def test_a_grant_taken_away_is_drift() -> None:
    twin = applied()
    twin.broker.allowed = set(wanted_grants(desired())[1:])
    (row,) = rows(twin)
    assert row[:4] == ("missing", "ops.", "grant", "User:ops may read group ops.*")
