"""The registry's state: what each record of the control log leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_platform.registry import errors, state
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Outcome
from mesh_platform.registry.state import RegistryState
from tests.unit.registry_twin import ClosedGate, RegistryTwin

SUBJECT = "operations.departures.v1-value"


def schema(*fields: str, **more: Any) -> str:
    made = [{"name": name, "type": ["null", "string"], "default": None} for name in fields]
    return json.dumps({"type": "record", "name": "operations.Departure", "fields": made, **more})


REQUIRED = json.dumps({"type": "record", "name": "Departure", "fields": [{"name": "gate", "type": "string"}]})


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


def register(registry: RegistryTwin, text: str, subject: str = SUBJECT, **more: Any) -> Any:
    return registry.send(state.REGISTER, {"subject": subject, "schema": text, **more})


def code_of(outcome: Outcome) -> int:
    assert isinstance(outcome, Refusal), outcome
    return outcome.error_code


def test_ids_count_from_one_in_log_order(registry: RegistryTwin) -> None:
    assert [register(registry, schema("a"))["id"], register(registry, schema("a", "b"))["id"]] == [1, 2]


def test_the_same_schema_in_two_subjects_has_one_id(registry: RegistryTwin) -> None:
    assert register(registry, schema("a"))["id"] == register(registry, schema("a"), subject="other")["id"]


def test_registering_again_changes_nothing(registry: RegistryTwin) -> None:
    first = register(registry, schema("a"))
    assert register(registry, schema("a")) == first
    assert len(registry.state.subjects.versions(SUBJECT)) == 1


def test_an_older_version_registered_again_keeps_its_number(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    register(registry, schema("a", "b"))
    assert register(registry, schema("a"))["version"] == 1


def test_metadata_makes_another_id(registry: RegistryTwin) -> None:
    plain = register(registry, schema("a"))
    tagged = register(registry, schema("a"), metadata={"properties": {"owner": "ops"}})
    assert (tagged["id"], tagged["version"]) == (plain["id"] + 1, 2)


def test_metadata_left_out_is_taken_over_from_the_version_before(registry: RegistryTwin) -> None:
    register(registry, schema("a"), metadata={"properties": {"owner": "ops"}})
    assert register(registry, schema("a", "b"))["metadata"] == {"properties": {"owner": "ops"}}


def test_an_id_is_never_given_to_another_schema(registry: RegistryTwin) -> None:
    first = register(registry, schema("a"))["id"]
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT, "permanent": True})
    assert register(registry, schema("b"))["id"] != first


def test_a_schema_deleted_for_good_gets_its_id_back(registry: RegistryTwin) -> None:
    first = register(registry, schema("a"))["id"]
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT, "permanent": True})
    assert registry.state.subjects.content(first) is None
    assert register(registry, schema("a"))["id"] == first


def test_a_soft_deleted_schema_comes_back_as_the_next_version(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    registry.send(state.DELETE_VERSION, {"subject": SUBJECT, "version": "latest"})
    assert register(registry, schema("a"))["version"] == 2
    assert [version.version for version in registry.state.subjects.versions(SUBJECT)] == [2]


def test_an_incompatible_schema_is_refused_and_changes_nothing(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    refusal = register(registry, REQUIRED)
    assert (refusal.status, refusal.error_code) == (409, 409)
    assert "Field 'gate' is new and has no default" in refusal.message
    assert "{oldSchemaVersion: 1}" in refusal.message
    assert len(registry.state.subjects.versions(SUBJECT)) == 1


def test_only_live_versions_are_compared(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    registry.send(state.DELETE_VERSION, {"subject": SUBJECT, "version": "1"})
    assert register(registry, REQUIRED)["version"] == 2


def test_a_compatibility_group_starts_afresh(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"subject": SUBJECT, "compatibilityGroup": "major"})
    register(registry, schema("a"), metadata={"properties": {"major": "1"}})
    assert register(registry, REQUIRED, metadata={"properties": {"major": "2"}})["version"] == 2
    assert code_of(register(registry, REQUIRED, metadata={"properties": {"major": "1"}})) == 409


def test_the_gate_refuses_before_compatibility_is_asked() -> None:
    registry = RegistryTwin(ClosedGate("other", "not covered; next: mesh propose"))
    refusal = register(registry, schema("a"))
    assert refusal == Refusal(403, 40301, "not covered; next: mesh propose")


def test_what_is_there_already_does_not_pass_the_gate_again() -> None:
    gate = ClosedGate(SUBJECT, "not covered")
    registry = RegistryTwin(gate)
    first = register(registry, schema("a"))
    gate.subject = "closed now"
    assert register(registry, schema("a")) == first


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"schema": "{"}, 42201),
        ({"schema": ""}, 42201),
        ({"schema": 7}, 42201),
        ({}, 42201),
        ({"schema": '"int"', "schemaType": "XML"}, 42201),
        ({"schema": '"int"', "schemaType": "JSON"}, 42201),
        ({"schema": '"int"', "schemaType": "PROTOBUF"}, 42201),
        ({"schema": '"int"', "references": [{"name": "x", "subject": "y", "version": 1}]}, 42201),
        ({"schema": '"int"', "metadata": {"properties": {"a": 1}}}, 42201),
        ({"schema": '"int"', "metadata": []}, 42201),
        ({"schema": '"int"', "ruleSet": {"domainRules": [{}]}}, 42210),
        ({"schema": '"int"', "ruleSet": []}, 42210),
        ({"schema": '"int"', "id": "1"}, 42201),
        ({"schema": '"int"', "version": 2}, 42201),
        ({"schema": '"int"', "id": 9}, 42205),
        ({"schema": '"int"', "subject": "__GLOBAL"}, 42208),
        ({"schema": '"int"', "subject": "a\tb"}, 42208),
        ({"schema": '"int"', "subject": ":.__GLOBAL:x"}, 42208),
        ({"schema": '"int"', "subject": ":*:x"}, 42208),
        ({"schema": '"int"', "subject": ":.::.eu:x"}, 42208),
        ({"schema": '"int"', "subject": None}, 42208),
    ],
)
def test_a_bad_registration_is_an_answer_not_an_exception(
    registry: RegistryTwin, body: dict[str, Any], code: int
) -> None:
    assert code_of(registry.send(state.REGISTER, {"subject": SUBJECT, **body})) == code
    assert registry.state.subjects.names() == []


def test_the_default_context_may_be_written_out(registry: RegistryTwin) -> None:
    assert register(registry, '"int"', subject=":.:x")["subject"] == "x"


def test_an_unsafe_schema_is_refused_with_our_reason(registry: RegistryTwin) -> None:
    assert "MESH-A011" in register(registry, '{"type":"array","items":"null"}').message


def test_a_version_may_be_demanded_when_it_is_the_next(registry: RegistryTwin) -> None:
    assert register(registry, schema("a"), version=1)["version"] == 1
    assert register(registry, schema("a", "b"), version=2)["version"] == 2


def test_import_mode_takes_ids_and_versions_as_given(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    made = register(registry, schema("a"), id=70, version=4)
    assert (made["id"], made["version"]) == (70, 4)


def test_import_mode_refuses_an_id_of_another_schema(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    register(registry, schema("a"), id=70)
    assert code_of(register(registry, schema("b"), id=70)) == 42205


def test_ids_go_on_after_imported_ones(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})
    register(registry, schema("a"), id=70)
    assert register(registry, schema("b"), subject="other")["id"] == 71


def test_import_mode_needs_an_empty_subject_unless_forced(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    body = {"subject": SUBJECT, "mode": "IMPORT"}
    assert code_of(registry.send(state.SET_MODE, body)) == 42205
    assert registry.send(state.SET_MODE, {**body, "force": True}) == {"mode": "IMPORT"}


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (state.DELETE_SUBJECT, {"subject": "nobody"}, 40401),
        (state.DELETE_SUBJECT, {"subject": SUBJECT, "permanent": True}, 40405),
        (state.DELETE_VERSION, {"subject": "nobody", "version": "1"}, 40401),
        (state.DELETE_VERSION, {"subject": SUBJECT, "version": "7"}, 40402),
        (state.DELETE_VERSION, {"subject": SUBJECT, "version": "0"}, 42202),
        (state.DELETE_VERSION, {"subject": SUBJECT, "version": "x"}, 42202),
        (state.DELETE_VERSION, {"subject": SUBJECT, "version": "2147483648"}, 42202),
        (state.DELETE_VERSION, {"subject": SUBJECT, "version": "1", "permanent": True}, 40407),
        (state.SET_CONFIG, {"compatibility": "SIDEWAYS"}, 42203),
        (state.SET_CONFIG, {"validateNewSchemas": False}, 42203),
        (state.SET_MODE, {"mode": "SLEEP"}, 42204),
        (state.SET_MODE, {}, 42204),
        (state.DELETE_CONFIG, {"subject": SUBJECT}, 40401),
        (state.DELETE_MODE, {"subject": SUBJECT}, 40401),
        ("registry.unheard-of", {}, 400),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(
    registry: RegistryTwin, kind: str, body: dict[str, Any], code: int
) -> None:
    register(registry, schema("a"))
    assert code_of(registry.send(kind, body)) == code


def test_deleting_softly_twice_is_refused(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    assert registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT}) == [1]
    assert code_of(registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})) == 40404
    assert code_of(registry.send(state.DELETE_VERSION, {"subject": SUBJECT, "version": "1"})) == 40406


def test_deleting_a_subject_for_good_forgets_its_settings(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    registry.send(state.SET_CONFIG, {"subject": SUBJECT, "compatibility": "NONE"})
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})
    registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT, "permanent": True})
    assert SUBJECT not in registry.state.settings.configs


@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
def test_a_read_only_registry_refuses_every_change(registry: RegistryTwin, mode: str) -> None:
    register(registry, schema("a"))
    registry.send(state.SET_MODE, {"mode": mode})
    assert code_of(register(registry, schema("b"))) == 42205
    assert code_of(registry.send(state.DELETE_SUBJECT, {"subject": SUBJECT})) == 42205
    assert code_of(registry.send(state.DELETE_VERSION, {"subject": SUBJECT, "version": "1"})) == 42205
    assert code_of(registry.send(state.SET_CONFIG, {"compatibility": "NONE"})) == 42205


def test_a_subjects_mode_wins_over_read_only_but_not_over_the_override(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"mode": "READONLY"})
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "READWRITE"})
    assert register(registry, schema("a"))["id"] == 1
    registry.send(state.SET_MODE, {"mode": "READONLY_OVERRIDE"})
    assert code_of(register(registry, schema("a", "b"))) == 42205


def test_settings_left_out_stay_and_null_removes(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"subject": SUBJECT, "compatibility": "full", "normalize": True})
    answer = registry.send(state.SET_CONFIG, {"subject": SUBJECT, "compatibility": None})
    assert answer == {"compatibility": "BACKWARD", "normalize": True}


def test_normalising_ignores_the_order_of_free_attributes(registry: RegistryTwin) -> None:
    first = register(registry, schema("a", x=1, y=2))
    assert register(registry, schema("a", y=2, x=1), normalize=True) == first


def test_a_replay_of_the_log_leads_to_the_same_state(registry: RegistryTwin) -> None:
    register(registry, schema("a"))
    register(registry, REQUIRED)
    registry.send(state.DELETE_VERSION, {"subject": SUBJECT, "version": "1"})
    register(registry, REQUIRED)
    registry.send(state.SET_CONFIG, {"compatibility": "NONE"})
    again = RegistryState()
    for record in registry.records:
        again.apply(record)
    assert again.subjects == registry.state.subjects
    assert again.settings == registry.state.settings


def test_every_code_has_the_status_it_begins_with() -> None:
    rows = [row for row in vars(errors).values() if isinstance(row, errors.Code)]
    assert len(rows) > 20
    assert all(str(row.error_code).startswith(str(row.status)) for row in rows)
