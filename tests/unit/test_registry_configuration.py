"""The configuration of the registry, its contexts and subjects: what each field does to what is taken in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_platform.registry import state
from mesh_platform.registry.config import Config, changed_config
from tests.unit.registry_kit import SUBJECT, code_of, erase, record, register
from tests.unit.registry_twin import RegistryTwin

BREAKING = json.dumps(
    {"type": "record", "name": "operations.Departure", "fields": [{"name": "gate", "type": "int"}]}
)
OWNER = {"properties": {"owner": "ops"}}
RULE = {
    "name": "named",
    "kind": "CONDITION",
    "mode": "WRITE",
    "type": "CEL",
    "expr": "true",
    "disabled": False,
}
EVERY_FIELD: dict[str, Any] = {
    "compatibility": "FULL",
    "alias": "other",
    "normalize": True,
    "validateFields": True,
    "validateNewSchemas": True,
    "validateRules": False,
    "compatibilityGroup": "major",
    "compatibilityPolicy": "STRICT",
    "defaultMetadata": OWNER,
    "overrideMetadata": {"tags": {"a": ["PII"]}, "sensitive": ["key"]},
    "defaultRuleSet": {"domainRules": [RULE]},
    "overrideRuleSet": {"migrationRules": [{**RULE, "mode": "UPGRADE"}]},
}


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


def configure(registry: RegistryTwin, subject: str | None = SUBJECT, **fields: Any) -> Any:
    return registry.send(state.SET_CONFIG, {"subject": subject, **fields})


def level(registry: RegistryTwin, subject: str) -> str | None:
    return registry.state.settings.effective(subject).level


# What is kept


def test_every_field_is_kept_and_answered(registry: RegistryTwin) -> None:
    assert configure(registry, **EVERY_FIELD) == EVERY_FIELD


def test_settings_are_read_back_from_their_own_answer(registry: RegistryTwin) -> None:
    configure(registry, **EVERY_FIELD)
    kept = registry.state.settings.configs[SUBJECT]
    assert changed_config(Config(), kept.answer("compatibility")) == kept
    assert changed_config(Config(), kept.answer("compatibilityLevel")) == kept


@pytest.mark.parametrize("field", EVERY_FIELD)
def test_a_field_left_out_stays_as_it_was(registry: RegistryTwin, field: str) -> None:
    configure(registry, **EVERY_FIELD)
    assert configure(registry, **{field: EVERY_FIELD[field]}) == EVERY_FIELD


@pytest.mark.parametrize("field", sorted(EVERY_FIELD.keys() - {"compatibility"}))
def test_null_takes_a_field_back(registry: RegistryTwin, field: str) -> None:
    configure(registry, **EVERY_FIELD)
    assert configure(registry, **{field: None}) == {k: v for k, v in EVERY_FIELD.items() if k != field}


def test_a_subject_whose_last_field_is_taken_back_has_no_settings(registry: RegistryTwin) -> None:
    configure(registry, normalize=True)
    configure(registry, normalize=None)
    assert SUBJECT not in registry.state.settings.configs


def test_the_level_may_be_spelled_as_get_spells_it(registry: RegistryTwin) -> None:
    assert configure(registry, compatibilityLevel="full")["compatibility"] == "FULL"


def test_an_empty_change_answers_the_level_in_force(registry: RegistryTwin) -> None:
    configure(registry, None, compatibility="FULL")
    assert configure(registry) == {"compatibility": "FULL"}


def test_deleting_settings_answers_what_they_were(registry: RegistryTwin) -> None:
    configure(registry, compatibility="NONE", normalize=True)
    before = registry.send(state.DELETE_CONFIG, {"subject": SUBJECT})
    assert before == {"compatibilityLevel": "NONE", "normalize": True}
    assert level(registry, SUBJECT) == "BACKWARD"


def test_the_registry_without_settings_is_backward(registry: RegistryTwin) -> None:
    configure(registry, None, compatibility="NONE")
    registry.send(state.DELETE_CONFIG, {"subject": None})
    assert level(registry, SUBJECT) == "BACKWARD"


def test_the_registry_always_has_a_level(registry: RegistryTwin) -> None:
    configure(registry, None, compatibility="NONE")
    assert configure(registry, None, compatibility=None) == {"compatibility": "BACKWARD"}


def test_settings_go_with_the_subject(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    configure(registry, compatibility="NONE")
    erase(registry)
    assert level(registry, SUBJECT) == "BACKWARD"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"compatibility": "SIDEWAYS"}, 42203),
        ({"compatibility": 7}, 42203),
        ({"normalize": "yes"}, 42203),
        ({"validateFields": 1}, 42203),
        ({"validateRules": "true"}, 42203),
        ({"validateNewSchemas": False}, 42203),
        ({"compatibilityGroup": ["major"]}, 42203),
        ({"compatibilityPolicy": "KIND"}, 42203),
        ({"compatibilityPolicy": "LENIENT"}, 42203),
        ({"defaultMetadata": []}, 42203),
        ({"overrideMetadata": {"properties": {"a": 1}}}, 42203),
        ({"defaultRuleSet": "rules"}, 42210),
        ({"overrideRuleSet": {"domainRules": [{**RULE, "mode": "UPGRADE"}]}}, 42210),
        ({"alias": SUBJECT}, 42203),
        ({"alias": 3}, 42203),
        ({"alias": "__GLOBAL"}, 42208),
    ],
)
def test_a_field_that_cannot_be_is_refused_and_nothing_changes(
    registry: RegistryTwin, fields: dict[str, Any], code: int
) -> None:
    assert code_of(configure(registry, **fields)) == code
    assert registry.state.settings.configs == {}


def test_only_a_subject_can_have_an_alias(registry: RegistryTwin) -> None:
    assert code_of(configure(registry, None, alias="other")) == 42203
    assert code_of(configure(registry, ":.eu:", alias="other")) == 42203


# Whose settings count


def test_a_subject_takes_from_its_context_what_it_does_not_set(registry: RegistryTwin) -> None:
    configure(registry, ":.eu:", compatibility="NONE", normalize=True)
    configure(registry, ":.eu:s", normalize=False)
    found = registry.state.settings.effective(":.eu:s")
    assert (found.level, found.normalize) == ("NONE", False)


def test_a_context_takes_from_the_registry_what_it_does_not_set(registry: RegistryTwin) -> None:
    configure(registry, None, compatibility="FULL")
    configure(registry, ":.eu:", normalize=True)
    assert level(registry, ":.eu:s") == "FULL"


def test_a_contexts_settings_are_nobody_elses(registry: RegistryTwin) -> None:
    configure(registry, ":.eu:", compatibility="NONE")
    assert (level(registry, "s"), level(registry, ":.us:s")) == ("BACKWARD", "BACKWARD")


def test_the_default_context_has_the_registrys_settings(registry: RegistryTwin) -> None:
    configure(registry, ":.:", compatibility="NONE")
    assert level(registry, SUBJECT) == "NONE"


# Metadata and rule sets


def test_default_metadata_fill_what_a_schema_leaves_out(registry: RegistryTwin) -> None:
    configure(registry, defaultMetadata={"properties": {"owner": "ops", "tier": "1"}})
    found = register(registry, record("a"), metadata={"properties": {"tier": "2"}})
    assert found["metadata"] == {"properties": {"owner": "ops", "tier": "2"}}


def test_override_metadata_win_over_those_of_a_schema(registry: RegistryTwin) -> None:
    configure(registry, overrideMetadata={"properties": {"tier": "1"}, "sensitive": ["tier"]})
    found = register(registry, record("a"), metadata={"properties": {"tier": "2"}, "sensitive": ["key"]})
    assert found["metadata"] == {"properties": {"tier": "1"}, "sensitive": ["key", "tier"]}


def test_a_paths_tags_are_replaced_as_a_whole(registry: RegistryTwin) -> None:
    configure(registry, overrideMetadata={"tags": {"a": ["PII"]}})
    found = register(registry, record("a"), metadata={"tags": {"a": ["X"], "b": ["Z", "Y", "Y"]}})
    assert found["metadata"] == {"tags": {"a": ["PII"], "b": ["Y", "Z"]}}


def test_a_default_rule_is_replaced_by_one_of_its_name(registry: RegistryTwin) -> None:
    own = {**RULE, "expr": "false"}
    configure(registry, defaultRuleSet={"domainRules": [RULE, {**RULE, "name": "other"}]})
    found = register(registry, record("a"), ruleSet={"domainRules": [own]})
    assert found["ruleSet"] == {"domainRules": [{**RULE, "name": "other"}, own]}


def test_the_day_from_which_rules_count_is_overridden_too(registry: RegistryTwin) -> None:
    configure(registry, defaultRuleSet={"domainRules": [RULE], "enableAt": "2026-01-01"})
    assert register(registry, record("a"), ruleSet={})["ruleSet"]["enableAt"] == "2026-01-01"
    found = register(registry, record("a", "b"), ruleSet={"enableAt": "2026-02-02"})
    assert found["ruleSet"] == {"domainRules": [RULE], "enableAt": "2026-02-02"}


def test_an_override_rule_wins_over_one_of_its_name(registry: RegistryTwin) -> None:
    configure(registry, overrideRuleSet={"domainRules": [RULE]})
    found = register(registry, record("a"), ruleSet={"domainRules": [{**RULE, "expr": "false"}]})
    assert found["ruleSet"] == {"domainRules": [RULE]}


def test_rules_left_out_are_taken_over_from_the_version_before(registry: RegistryTwin) -> None:
    register(registry, record("a"), ruleSet={"domainRules": [RULE]})
    assert register(registry, record("a", "b"))["ruleSet"] == {"domainRules": [RULE]}


def test_empty_metadata_and_rule_sets_end_the_inheritance(registry: RegistryTwin) -> None:
    register(registry, record("a"), metadata=OWNER, ruleSet={"domainRules": [RULE]})
    found = register(registry, record("a", "b"), metadata={}, ruleSet={})
    assert (found["metadata"], found["ruleSet"]) == ({}, {})


def test_nothing_is_taken_over_from_a_deleted_version(registry: RegistryTwin) -> None:
    register(registry, record("a"), metadata=OWNER)
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})
    assert "metadata" not in register(registry, record("a", "b"))


def test_registering_again_under_an_override_changes_nothing(registry: RegistryTwin) -> None:
    configure(
        registry, overrideMetadata={"properties": {"tier": "1"}}, defaultRuleSet={"domainRules": [RULE]}
    )
    first = register(registry, record("a"), metadata=OWNER, ruleSet={})
    assert register(registry, record("a"), metadata=OWNER, ruleSet={}) == first


def test_metadata_that_differ_in_order_only_are_the_same(registry: RegistryTwin) -> None:
    first = register(registry, record("a"), metadata={"sensitive": ["b", "a"], "tags": {}})
    assert register(registry, record("a"), metadata={"sensitive": ["a", "b", "a"]}) == first


def test_an_imported_schema_is_taken_as_it_is(registry: RegistryTwin) -> None:
    configure(registry, defaultMetadata=OWNER)
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    assert "metadata" not in register(registry, record("a"), id=7, version=3)


# What may follow


def test_a_breaking_schema_may_begin_a_group_of_its_own(registry: RegistryTwin) -> None:
    configure(registry, compatibilityGroup="major")
    register(registry, record("gate"), metadata={"properties": {"major": "1"}})
    assert register(registry, BREAKING, metadata={"properties": {"major": "2"}})["version"] == 2


def test_within_its_group_a_breaking_schema_is_refused(registry: RegistryTwin) -> None:
    configure(registry, compatibilityGroup="major")
    register(registry, record("gate"), metadata={"properties": {"major": "1"}})
    register(registry, record("other"), metadata={"properties": {"major": "2"}})
    assert code_of(register(registry, BREAKING, metadata={"properties": {"major": "1"}})) == 409


def test_schemas_of_no_group_are_a_group(registry: RegistryTwin) -> None:
    configure(registry, compatibilityGroup="major")
    register(registry, record("gate"))
    assert code_of(register(registry, BREAKING)) == 409


def test_a_reserved_field_cannot_be_used(registry: RegistryTwin) -> None:
    configure(registry, validateFields=True)
    refused = register(registry, record("a", "b"), metadata={"properties": {"confluent:reserved": "b, c"}})
    assert code_of(refused) == 409
    assert "conflicts with the reserved field b." in refused.message


def test_a_reservation_cannot_be_dropped(registry: RegistryTwin) -> None:
    configure(registry, validateFields=True)
    register(registry, record("a"), metadata={"properties": {"confluent:reserved": "b,c"}})
    refused = register(registry, record("a"), metadata={"properties": {"confluent:reserved": "b"}})
    assert code_of(refused) == 409
    assert "has reserved field c removed" in refused.message


def test_fields_are_reserved_at_every_level(registry: RegistryTwin) -> None:
    configure(registry, validateFields=True, compatibility="NONE")
    refused = register(registry, record("a"), metadata={"properties": {"confluent:reserved": "a"}})
    assert code_of(refused) == 409
    assert refused.message.endswith("{validateFields: 'true', compatibility: 'NONE'}]")


def test_reservations_count_only_where_they_are_validated(registry: RegistryTwin) -> None:
    found = register(registry, record("a"), metadata={"properties": {"confluent:reserved": "a"}})
    assert found["version"] == 1


def test_the_refusal_of_an_incompatible_schema_has_the_details_clients_read(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    message = register(registry, BREAKING).message
    assert message.startswith(
        "Schema being registered is incompatible with an earlier schema for "
        f"subject \"{SUBJECT}\", details: [{{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:"
    )
    assert "additionalInfo:'gate'}, {oldSchemaVersion: 1}, {oldSchema: '{" in message
    assert message.endswith("'}, {validateFields: 'false', compatibility: 'BACKWARD'}]")


# Aliases


def test_a_registration_under_an_alias_goes_to_its_subject(registry: RegistryTwin) -> None:
    configure(registry, "old", alias=SUBJECT)
    assert register(registry, record("a"), subject="old")["subject"] == SUBJECT
    assert registry.state.subjects.versions("old") == []


def test_the_subject_of_an_alias_decides_what_may_follow(registry: RegistryTwin) -> None:
    configure(registry, "old", alias=SUBJECT, compatibility="NONE")
    register(registry, record("a"))
    assert code_of(register(registry, BREAKING, subject="old")) == 409


def test_aliases_do_not_chain(registry: RegistryTwin) -> None:
    configure(registry, "older", alias="old")
    configure(registry, "old", alias=SUBJECT)
    assert register(registry, record("a"), subject="older")["subject"] == "old"


def test_an_alias_is_seen_from_its_context(registry: RegistryTwin) -> None:
    assert configure(registry, ":.eu:old", alias="new")["alias"] == ":.eu:new"
    assert configure(registry, ":.eu:old", alias=":.us:new")["alias"] == ":.us:new"


def test_deleting_under_an_alias_does_not_delete_its_subject(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    configure(registry, "old", alias=SUBJECT)
    assert code_of(registry.send(state.DELETE_SUBJECT, {"subject": "old"})) == 40401
    assert len(registry.state.subjects.live(SUBJECT)) == 1
