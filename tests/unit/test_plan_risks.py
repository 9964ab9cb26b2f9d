"""What a plan says about steps that may lose events, and whose consent they need."""

from __future__ import annotations

import pytest

from mesh.apply import apply
from mesh.errors import PlanError
from mesh.plan import Consent
from mesh.plan.actual import SubjectFacts, VersionFacts
from mesh.plan.changes import AlterTopic, Blocked, TakeOver
from mesh.plan.text import lines
from mesh.schema import parse_schema
from tests.unit.plan_kit import DAY_MS, EVERYTHING, SUBJECT, TOPIC, applied, approved, desired, plan
from tests.unit.twins import WorldTwin

SHORTER = ("value: P400D", "value: P7D")
COMPACTED = (
    "      - property: retention\n        value: P400D",
    "      - {property: cleanupPolicy, value: compact}\n      - {property: retention, value: P400D}",
)
DURABLE = ("value: P400D", "value: P400D\n      - {property: minInsyncReplicas, value: 2}")
SMALLER = ("value: P400D", "value: P400D\n      - {property: maxMessageBytes, value: 1000}")


def altered(*pairs: tuple[str, str], ages: tuple[int, ...] = (9, 8, 1), **live: str) -> AlterTopic:
    """The one step that a changed contract leads to, with events of these ages in days."""
    twin = applied()
    twin.broker.ages[TOPIC] = [age * DAY_MS for age in ages]
    twin.broker.alter_topic(TOPIC, {key.replace("_", "."): value for key, value in live.items()})
    (step,) = plan(approved(twin, *pairs), twin).changes
    assert isinstance(step, AlterTopic)
    return step


def test_a_shorter_retention_says_how_many_events_it_deletes() -> None:
    assert altered(SHORTER).losses == ("events older than 7 days will be deleted: now 2 of 3 events",)


def test_a_retention_for_the_first_time_deletes_too() -> None:
    assert altered(ages=(500, 1), retention_ms="-1").losses == (
        "events older than 400 days will be deleted: now 1 of 2 events",
    )


def test_compaction_switched_on_is_lossy() -> None:
    assert altered(COMPACTED).losses == (
        "compaction keeps the last event of each key: all earlier ones will be deleted",
    )


def test_a_longer_retention_loses_nothing() -> None:
    step = altered(("value: P400D", "value: P800D"))
    assert (step.mark, step.risk) == ("~", None)


def test_a_topic_without_events_has_none_to_lose() -> None:
    assert altered(SHORTER, ages=()).risk is None


def test_fewer_in_sync_replicas_are_explained_but_lose_nothing() -> None:
    step = altered(DURABLE, min_insync_replicas="3")
    assert (step.risk, step.detail) == (None, "min.insync.replicas: 3 → 2")
    assert step.notes == ("an acknowledged event will be on fewer replicas: it survives fewer lost brokers",)


def test_smaller_events_are_explained_but_lose_nothing() -> None:
    step = altered(SMALLER, max_message_bytes="2000")
    assert step.risk is None
    assert step.notes == ("larger events that publishers send will be refused; those that are there stay",)


def test_a_setting_that_the_contract_does_not_speak_of_is_the_clusters() -> None:
    twin = applied()
    twin.broker.alter_topic(TOPIC, {"min.insync.replicas": "2", "max.message.bytes": "5"})
    assert plan(desired(), twin).changes == ()


def test_a_list_that_the_broker_gives_back_in_another_order_is_the_same() -> None:
    policy = ("value: P400D", "value: P400D\n      - {property: cleanupPolicy, value: 'compact,delete'}")
    twin = applied(policy)
    twin.broker.alter_topic(TOPIC, {"cleanup.policy": "delete,compact"})
    assert plan(desired(policy), twin).changes == ()


def shrinking() -> tuple[WorldTwin, AlterTopic]:
    twin = applied()
    twin.broker.ages[TOPIC] = [9 * DAY_MS]
    approved(twin, SHORTER)
    return twin, altered(SHORTER)


@pytest.mark.parametrize("consent", [Consent(), Consent(kinds=["adopt"]), Consent(names=["ops.rides.v1"])])
def test_a_lossy_step_is_not_taken_without_its_own_consent(consent: Consent) -> None:
    twin, _ = shrinking()
    before = twin.world.actual(desired(SHORTER))
    with pytest.raises(PlanError) as caught:
        list(apply(plan(desired(SHORTER), twin), twin.world, consent))
    assert caught.value.error_code == "MESH-P024"
    assert "--confirm ops.flights.v1 or --allow-lossy" in caught.value.fix
    assert twin.world.actual(desired(SHORTER)) == before


@pytest.mark.parametrize("consent", [Consent(kinds=["lossy"]), Consent(names=[TOPIC])])
def test_consent_to_the_kind_or_to_the_topic_is_enough(consent: Consent) -> None:
    twin, _ = shrinking()
    list(apply(plan(desired(SHORTER), twin), twin.world, consent))
    assert plan(desired(SHORTER), twin).changes == ()


def test_a_topic_that_holds_events_and_was_nobodys_is_taken_over_knowingly() -> None:
    twin = WorldTwin()
    twin.broker.create_topic(TOPIC, 3, {"cleanup.policy": "delete", "retention.ms": str(400 * DAY_MS)})
    twin.broker.ages[TOPIC] = [1, 2]
    (step,) = [change for change in plan(desired(), twin).changes if isinstance(change, TakeOver)]
    assert (step.mark, step.detail) == ("!", "it exists and holds 2 events")
    list(apply(plan(desired(), twin), twin.world, EVERYTHING))
    assert plan(desired(), twin).changes == ()


def test_an_empty_topic_that_was_nobodys_is_simply_used() -> None:
    twin = WorldTwin()
    twin.broker.create_topic(TOPIC, 3, {})
    assert plan(desired(), twin).risks == ()


def test_a_subject_with_schemas_of_somebody_else_is_taken_over_knowingly() -> None:
    twin = WorldTwin()
    twin.registry.found[SUBJECT] = SubjectFacts(None, (VersionFacts(parse_schema('"string"')),))
    (risk,) = plan(desired(), twin).risks
    assert (risk.kind, risk.name) == ("adopt", SUBJECT)


def test_a_schema_that_changes_what_values_mean_is_blocked_though_registries_take_it() -> None:
    twin = applied()
    whole = ("logicalType: timestamp", "logicalType: integer\n        logicalTypeOptions: {format: i64}")
    (step,) = plan(approved(twin, whole), twin).changes
    assert isinstance(step, Blocked)
    assert step.what == "the schema changes what values mean"


def test_what_the_registry_would_refuse_is_blocked_in_the_plan() -> None:
    twin = applied()
    twin.registry.objections[SUBJECT] = "rule 7 of this registry"
    wider = (
        "      - name: departed_at",
        "      - {name: note, logicalType: string}\n      - name: departed_at",
    )
    (step,) = plan(approved(twin, wider), twin).changes
    assert isinstance(step, Blocked)
    assert (step.what, step.why) == ("the registry would refuse the schema", "rule 7 of this registry")


def test_people_see_the_loss_below_its_step() -> None:
    twin, _ = shrinking()
    shown = [str(line) for line in lines(plan(desired(SHORTER), twin))]
    assert shown[:3] == [
        "ops.flights",
        "  ! alter topic ops.flights.v1  retention.ms: 34560000000 → 604800000",
        "      events older than 7 days will be deleted: now 1 of 1 event",
    ]
    assert shown[-1] == "1 at risk"
