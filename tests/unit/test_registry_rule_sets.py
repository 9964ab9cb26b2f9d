"""Rule sets and metadata of schemas: what is taken in, how it is spelled, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from mesh_platform.registry import state
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.metadata import merged, read_metadata, reserved
from mesh_platform.registry.rule_sets import invalid, read_rule_set
from tests.unit.contract_kit import contract_of, field
from tests.unit.registry_kit import SUBJECT, code_of, record, register
from tests.unit.registry_twin import RegistryTwin

RULE = {
    "name": "named",
    "kind": "CONDITION",
    "mode": "WRITE",
    "type": "CEL",
    "expr": "true",
    "disabled": False,
}
MIGRATION = {**RULE, "name": "up", "kind": "TRANSFORM", "mode": "UPGRADE", "type": "JSONATA"}
WHOLE = {
    "migrationRules": [MIGRATION],
    "domainRules": [
        {**RULE, "doc": "a name", "tags": ["A", "B"], "params": {"a": "1"}, "onFailure": "DLQ"},
        {**RULE, "name": "both", "mode": "WRITEREAD", "onSuccess": "NONE,ERROR", "onFailure": "ERROR"},
    ],
    "encodingRules": [{**RULE, "name": "sealed", "type": "ENCRYPT_PAYLOAD", "disabled": True}],
    "enableAt": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


def ruled(rule: dict[str, Any], part: str = "domainRules") -> Any:
    read = read_rule_set({part: [rule]})
    return read if isinstance(read, Refusal) else invalid(read)


def test_a_rule_set_is_kept_whole(registry: RegistryTwin) -> None:
    assert register(registry, record("a"), ruleSet=WHOLE)["ruleSet"] == WHOLE


def test_a_rule_set_is_answered_by_id_and_version_as_registered(registry: RegistryTwin) -> None:
    register(registry, record("a"), ruleSet=WHOLE)
    assert registry.state.subjects.versions(SUBJECT)[0].content.rule_set == WHOLE


def test_the_rules_of_a_contract_are_kept_word_for_word() -> None:
    contract = contract_of([field("code", required=True, logicalTypeOptions={"pattern": "^[A-Z]+$"})])
    made = rule_set(contract, avro_schema(contract))
    assert made["domainRules"]
    assert read_rule_set(made) == made
    assert invalid(made) is None


def test_what_a_rule_leaves_out_is_written_as_clients_take_it() -> None:
    assert read_rule_set({"domainRules": [{"name": "r", "type": "CEL", "tags": [], "doc": None}]}) == {
        "domainRules": [
            {"name": "r", "type": "CEL", "kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}
        ]
    }


def test_rule_sets_that_differ_in_what_is_empty_are_the_same(registry: RegistryTwin) -> None:
    first = register(registry, record("a"), ruleSet={"domainRules": [RULE]})
    again = {"migrationRules": [], "domainRules": [{**RULE, "tags": None, "params": {}}], "enableAt": None}
    assert register(registry, record("a"), ruleSet=again) == first


def test_the_order_of_a_rules_tags_does_not_count(registry: RegistryTwin) -> None:
    first = register(registry, record("a"), ruleSet={"domainRules": [{**RULE, "tags": ["B", "A", "B"]}]})
    assert first["ruleSet"]["domainRules"][0]["tags"] == ["A", "B"]
    assert register(registry, record("a"), ruleSet={"domainRules": [{**RULE, "tags": ["A", "B"]}]}) == first


def test_the_order_of_rules_counts(registry: RegistryTwin) -> None:
    other = {**RULE, "name": "other"}
    first = register(registry, record("a"), ruleSet={"domainRules": [RULE, other]})
    assert register(registry, record("a"), ruleSet={"domainRules": [other, RULE]})["id"] == first["id"] + 1


@pytest.mark.parametrize(
    "value",
    [
        "rules",
        [],
        7,
        {"domainRules": {}},
        {"domainRules": ["r"]},
        {"domainRules": [{**RULE, "expr": 1}]},
        {"domainRules": [{**RULE, "tags": "A"}]},
        {"domainRules": [{**RULE, "tags": [1]}]},
        {"domainRules": [{**RULE, "params": {"a": 1}}]},
        {"domainRules": [{**RULE, "disabled": "no"}]},
        {"enableAt": 1},
    ],
)
def test_what_has_not_the_shape_of_a_rule_set_is_refused(registry: RegistryTwin, value: object) -> None:
    assert code_of(register(registry, record("a"), ruleSet=value)) == 42210


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Missing rule name"),
        ({"name": None}, "Missing rule name"),
        ({"name": "two words"}, "Illegal rule name"),
        ({"name": "1st"}, "Illegal rule name"),
        ({"name": "a" * 65}, "Illegal rule name"),
        ({"name": "new\nline"}, "Illegal rule name"),
        ({"type": None}, "Missing rule type"),
        ({"kind": "WISH"}, "kind"),
        ({"mode": "UPGRADE"}, "WRITE, READ, WRITEREAD"),
        ({"mode": "SOMETIMES"}, "WRITE, READ, WRITEREAD"),
        ({"onFailure": "DLQ,ERROR"}, "too many actions"),
        ({"onSuccess": "NONE,NONE,NONE", "mode": "WRITEREAD"}, "too many actions"),
    ],
)
def test_a_rule_that_no_client_could_run_is_refused(
    registry: RegistryTwin, change: dict[str, Any], says: str
) -> None:
    refused = register(registry, record("a"), ruleSet={"domainRules": [{**RULE, **change}]})
    assert code_of(refused) == 42210
    assert says in refused.message


@pytest.mark.parametrize("name", ["a", "_", "is-named_2", "a" * 64, "größe"])
def test_a_rules_name_begins_with_a_letter_or_an_underscore(name: str) -> None:
    assert ruled({**RULE, "name": name}) is None


@pytest.mark.parametrize("mode", ["UPGRADE", "DOWNGRADE", "UPDOWN"])
def test_migration_rules_are_for_upgrades_and_downgrades(mode: str) -> None:
    assert ruled({**MIGRATION, "mode": mode}, "migrationRules") is None
    assert code_of(ruled({**RULE, "mode": "WRITE"}, "migrationRules")) == 42210


@pytest.mark.parametrize("part", ["domainRules", "encodingRules"])
def test_rules_of_events_are_for_writing_and_reading(part: str) -> None:
    for mode in ("WRITE", "READ", "WRITEREAD"):
        assert ruled({**RULE, "mode": mode}, part) is None
    assert code_of(ruled({**RULE, "mode": "UPDOWN"}, part)) == 42210


def test_two_rules_have_two_names_wherever_they_are(registry: RegistryTwin) -> None:
    rules = {"domainRules": [RULE], "encodingRules": [RULE]}
    refused = register(registry, record("a"), ruleSet=rules)
    assert refused.message == "Invalid rule set: Found rule with duplicate name 'named'"


def test_rules_may_be_taken_in_without_being_judged(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"subject": SUBJECT, "validateRules": False})
    rules = {"domainRules": [{**RULE, "name": "two words"}]}
    assert register(registry, record("a"), ruleSet=rules)["ruleSet"] == rules


def test_rules_that_are_imported_are_not_judged(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    rules = {"domainRules": [{**RULE, "name": "two words"}]}
    assert register(registry, record("a"), ruleSet=rules, id=4)["ruleSet"] == rules


@pytest.mark.parametrize(
    "value",
    [
        "text",
        [],
        0,
        False,
        {"tags": ["a"]},
        {"tags": {"a": "PII"}},
        {"tags": {"a": [1]}},
        {"properties": ["a"]},
        {"properties": {"a": None}},
        {"sensitive": "a"},
        {"sensitive": [1]},
    ],
)
def test_what_is_no_metadata_is_refused(registry: RegistryTwin, value: object) -> None:
    assert code_of(register(registry, record("a"), metadata=value)) == 42201


def test_metadata_have_no_empty_part_and_sets_in_order() -> None:
    read = read_metadata({"tags": {"p": ["B", "A", "B"]}, "properties": {}, "sensitive": ["z", "a"]})
    assert read == {"tags": {"p": ["A", "B"]}, "sensitive": ["a", "z"]}


def test_metadata_that_are_not_there_leave_the_others_as_they_are() -> None:
    assert merged(None, {"properties": {"a": "1"}}) == {"properties": {"a": "1"}}
    assert merged({"properties": {"a": "1"}}, None) == {"properties": {"a": "1"}}
    assert merged(None, None) is None


def test_reserved_fields_are_names_between_commas() -> None:
    assert reserved({"properties": {"confluent:reserved": " a,b , ,"}}) == {"a", "b"}
