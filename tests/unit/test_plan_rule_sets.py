"""Rule sets go with schemas: planned when they are missing or other, registered, and seen by drift."""

from __future__ import annotations

from dataclasses import astuple, replace

from mesh.apply import apply
from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from mesh.declaration import Declaration
from mesh.plan.actual import SubjectFacts, VersionFacts
from mesh.plan.changes import RegisterSchema, RegisterSchemaAndRules
from mesh.plan.drift import drift
from mesh.rules.ruleset import count, normal
from tests.unit.contract_kit import contract
from tests.unit.plan_kit import SUBJECT, applied, approved, desired, plan
from tests.unit.twins import WorldTwin

STRICTER = ("minimum: -60", "minimum: -30")
RULES = rule_set(contract(), avro_schema(contract()))
OTHER = {"domainRules": [{"name": "other", "kind": "CONDITION", "type": "CEL", "mode": "WRITE"}]}


def holding(*versions: VersionFacts) -> WorldTwin:
    """The sample applied, then its subject changed behind the mesh's back."""
    twin = applied()
    twin.registry.found[SUBJECT] = SubjectFacts("BACKWARD", versions)
    return twin


def carried_out(wanted: Declaration, twin: WorldTwin) -> list[str]:
    verbs = [change.verb for change in plan(wanted, twin).changes]
    list(apply(plan(wanted, twin), twin.world))
    return verbs


def rows(twin: WorldTwin) -> list[tuple[str, ...]]:
    return [astuple(row) for row in drift(desired(), twin.world.survey(desired(), ["ops"]))]


def test_apply_registers_the_rule_set_with_the_schema() -> None:
    (version,) = applied().registry.found[SUBJECT].versions
    assert version.rule_set == RULES


def test_a_plan_says_how_many_rules_go_with_the_schema() -> None:
    (step,) = [s for s in plan(desired(), WorldTwin()).changes if isinstance(s, RegisterSchemaAndRules)]
    assert step.detail == "ops.Flights, 3 rules for its clients"


def test_a_rule_that_changed_alone_is_registered_with_the_same_schema() -> None:
    twin = applied()
    wanted = approved(twin, STRICTER)
    assert carried_out(wanted, twin) == ["register schema and rules"]
    first, second = twin.registry.found[SUBJECT].versions
    assert first.schema == second.schema
    assert first.rule_set != second.rule_set
    assert plan(wanted, twin).changes == ()


def test_a_schema_registered_without_its_rules_gets_them() -> None:
    schema = avro_schema(contract())
    twin = holding(VersionFacts(schema, {}))
    assert carried_out(desired(), twin) == ["register schema and rules"]
    assert twin.registry.found[SUBJECT].versions[-1] == VersionFacts(schema, RULES)


def test_a_registry_that_keeps_no_rule_sets_is_asked_for_the_schema_alone() -> None:
    twin = holding(VersionFacts(avro_schema(contract())))
    assert plan(desired(), twin).changes == ()
    assert rows(twin) == []


def test_how_a_registry_spells_a_rule_set_makes_no_difference() -> None:
    spelled = [{**rule, "tags": None, "params": {}, "onSuccess": None} for rule in RULES["domainRules"]]
    held = {"migrationRules": [], "domainRules": spelled, "encodingRules": None}
    twin = holding(VersionFacts(avro_schema(contract()), held))
    assert plan(desired(), twin).changes == ()


def test_rules_that_are_gone_from_a_contract_are_taken_from_the_registry() -> None:
    twin, schema = WorldTwin(), avro_schema(contract())
    twin.platform.approve(contract().document.text)
    known = twin.platform.held_contracts["ops.flights.v1"]
    twin.platform.held_contracts["ops.flights.v1"] = replace(known, rule_set={})
    twin.registry.found[SUBJECT] = SubjectFacts("BACKWARD", (VersionFacts(schema, RULES),))
    (step,) = [s for s in plan(desired(), twin).changes if isinstance(s, RegisterSchema)]
    assert isinstance(step, RegisterSchemaAndRules)
    assert step.rule_set == {}
    assert step.detail == "ops.Flights, no rules for its clients"


def test_what_governance_approved_is_registered_in_its_words() -> None:
    twin = applied()
    known = twin.platform.held_contracts["ops.flights.v1"]
    twin.platform.held_contracts["ops.flights.v1"] = replace(known, rule_set=OTHER)
    assert carried_out(desired(), twin) == ["register schema and rules"]
    assert twin.registry.found[SUBJECT].versions[-1].rule_set == OTHER


def test_a_rule_set_changed_by_hand_is_drift() -> None:
    schema = avro_schema(contract())
    ((state, subject, what, declared, live),) = rows(holding(VersionFacts(schema, OTHER)))
    assert (state, subject, what) == ("differs", SUBJECT, "rule set")
    assert declared.startswith("3 rules, ")
    assert live.startswith("1 rule, ")


def test_a_rule_set_taken_away_by_hand_is_missing() -> None:
    ((state, _, what, declared, live),) = rows(holding(VersionFacts(avro_schema(contract()), {})))
    assert (state, what, live) == ("missing", "rule set", "")
    assert declared.startswith("3 rules, ")


def test_a_plan_is_stale_once_only_a_rule_set_has_changed() -> None:
    schema = avro_schema(contract())
    one, two = (plan(desired(), holding(VersionFacts(schema, rules))).base for rules in (RULES, OTHER))
    assert one != two


def test_a_normal_rule_set_is_left_alone_and_normal_again() -> None:
    assert normal(normal(RULES)) == normal(RULES)
    assert count(RULES) == count(normal(RULES)) == 3
    assert normal(None) == normal({"domainRules": []}) == {}
