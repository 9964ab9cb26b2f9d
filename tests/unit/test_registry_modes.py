"""Modes of the registry, its contexts and subjects: who may change what."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_platform.registry import state
from tests.unit.registry_kit import SUBJECT, code_of, delete, erase, record, register
from tests.unit.registry_twin import RegistryTwin


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


def set_mode(registry: RegistryTwin, mode: object, subject: str | None = SUBJECT, **more: Any) -> Any:
    return registry.send(state.SET_MODE, {"subject": subject, "mode": mode, **more})


def delete_mode(registry: RegistryTwin, subject: str | None = SUBJECT, **more: Any) -> Any:
    return registry.send(state.DELETE_MODE, {"subject": subject, **more})


def in_force(registry: RegistryTwin, subject: str = SUBJECT) -> str:
    return registry.state.settings.effective_mode(subject).value


@pytest.mark.parametrize("mode", ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"])
def test_a_mode_is_set_in_any_case_and_answered_in_capitals(registry: RegistryTwin, mode: str) -> None:
    assert set_mode(registry, mode.lower()) == {"mode": mode}
    assert in_force(registry) == mode


@pytest.mark.parametrize("mode", ["SLEEPING", None, "", 7])
def test_a_mode_that_is_none_is_refused(registry: RegistryTwin, mode: object) -> None:
    assert code_of(set_mode(registry, mode)) == 42204


@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
def test_a_read_only_subject_takes_no_schema_no_deletion_and_no_settings(
    registry: RegistryTwin, mode: str
) -> None:
    register(registry, record("a"))
    registry.send(state.SET_CONFIG, {"subject": SUBJECT, "normalize": True})
    set_mode(registry, mode)
    refused = register(registry, record("a", "b"))
    assert code_of(refused) == 42205
    assert refused.message == f"Subject {SUBJECT} in context . is in read-only mode"
    assert code_of(delete(registry, SUBJECT)) == 42205
    assert code_of(delete(registry, SUBJECT, "1")) == 42205
    assert code_of(registry.send(state.SET_CONFIG, {"subject": SUBJECT, "normalize": False})) == 42205
    assert code_of(registry.send(state.DELETE_CONFIG, {"subject": SUBJECT})) == 42205


def test_a_read_only_registry_keeps_its_settings(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY", None)
    assert code_of(registry.send(state.SET_CONFIG, {"subject": None, "compatibility": "NONE"})) == 42205
    assert code_of(registry.send(state.DELETE_CONFIG, {"subject": None})) == 42205


def test_a_subjects_mode_wins_over_the_registrys(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY", None)
    set_mode(registry, "READWRITE")
    assert register(registry, record("a"))["version"] == 1
    assert code_of(register(registry, record("a"), subject="other")) == 42205


def test_an_override_of_the_registry_wins_over_every_subject(registry: RegistryTwin) -> None:
    set_mode(registry, "READWRITE")
    set_mode(registry, "READONLY_OVERRIDE", None)
    assert code_of(register(registry, record("a"))) == 42205


def test_a_contexts_mode_is_that_of_its_subjects_only(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY", ":.eu:")
    refused = register(registry, record("a"), subject=":.eu:s")
    assert refused.message == "Subject :.eu:s in context .eu is in read-only mode"
    assert register(registry, record("a"), subject="s")["version"] == 1
    set_mode(registry, "READWRITE", ":.eu:s")
    assert register(registry, record("a"), subject=":.eu:s")["version"] == 1


def test_importing_needs_a_subject_without_live_versions(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    assert code_of(set_mode(registry, "IMPORT")) == 42205
    delete(registry, SUBJECT)
    assert set_mode(registry, "IMPORT") == {"mode": "IMPORT"}


def test_importing_into_a_subject_minds_no_other(registry: RegistryTwin) -> None:
    register(registry, record("a"), subject="other")
    assert set_mode(registry, "IMPORT") == {"mode": "IMPORT"}


def test_importing_into_a_context_minds_its_own_subjects_only(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    assert set_mode(registry, "IMPORT", ":.eu:") == {"mode": "IMPORT"}
    register(registry, record("a"), subject=":.us:s")
    assert code_of(set_mode(registry, "IMPORT", ":.us:")) == 42205


def test_force_imports_beside_what_is_there(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    assert set_mode(registry, "IMPORT", force=True) == {"mode": "IMPORT"}


def test_importing_needs_ids_and_keeps_ids_and_versions(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    assert code_of(register(registry, record("a"))) == 42205
    found = register(registry, record("a"), id=70, version=3)
    assert (found["id"], found["version"]) == (70, 3)


def test_importing_asks_for_no_compatibility(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    register(registry, record("a"), id=1, version=1)
    assert register(registry, '"string"', id=2, version=2)["version"] == 2


def test_an_imported_id_stands_for_one_schema(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    register(registry, record("a"), id=1, version=1)
    assert code_of(register(registry, record("b"), id=1, version=2)) == 42205


def test_importing_again_changes_nothing_where_a_schema_stands_twice(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    history = [(record("a"), 1, 1), (record("b"), 2, 2), (record("a"), 1, 3)]
    first = [register(registry, text, id=one, version=number) for text, one, number in history]
    assert [found["version"] for found in first] == [1, 2, 3]
    assert [register(registry, text, id=one, version=number) for text, one, number in history] == first


def test_a_schema_is_imported_beside_itself_with_metadata(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    register(registry, record("a"), id=1, version=1, metadata={"properties": {"owner": "ops"}})
    assert register(registry, record("a"), id=2, version=2)["id"] == 2


def test_an_imported_schema_has_one_id(registry: RegistryTwin) -> None:
    set_mode(registry, "IMPORT")
    register(registry, record("a"), id=1, version=1)
    assert code_of(register(registry, record("a"), id=2, version=2)) == 42207


def test_an_id_is_given_to_schemas_that_are_imported_only(registry: RegistryTwin) -> None:
    assert code_of(register(registry, record("a"), id=70)) == 42205


def test_a_forwarded_registry_takes_schemas_with_their_ids_only(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    set_mode(registry, "FORWARD", None)
    assert code_of(register(registry, record("a", "b"))) == 42205
    assert register(registry, record("a", "b"), id=9, version=2)["id"] == 9


def test_only_the_registry_is_forwarded(registry: RegistryTwin) -> None:
    assert code_of(set_mode(registry, "FORWARD")) == 42205
    assert code_of(set_mode(registry, "FORWARD", ":.eu:")) == 42205


def test_a_mode_is_taken_back_and_answered(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY")
    assert delete_mode(registry) == {"mode": "READONLY"}
    assert in_force(registry) == "READWRITE"


def test_the_registrys_mode_goes_back_to_read_write(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY", None)
    assert delete_mode(registry, None) == {"mode": "READONLY"}
    assert in_force(registry) == "READWRITE"


def test_a_mode_that_is_not_set_is_not_there_to_be_deleted(registry: RegistryTwin) -> None:
    assert code_of(delete_mode(registry)) == 40401


def test_a_contexts_mode_leaves_those_of_its_subjects_unless_recursive(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY", ":.eu:")
    set_mode(registry, "READONLY", ":.eu:s")
    set_mode(registry, "READONLY", ":.us:s")
    delete_mode(registry, ":.eu:")
    assert in_force(registry, ":.eu:s") == "READONLY"
    assert delete_mode(registry, ":.eu:", recursive=True) == {"mode": "READWRITE"}
    assert (in_force(registry, ":.eu:s"), in_force(registry, ":.us:s")) == ("READWRITE", "READONLY")


def test_a_subjects_mode_is_taken_back_alone(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY")
    set_mode(registry, "READONLY", "other")
    delete_mode(registry, recursive=True)
    assert in_force(registry, "other") == "READONLY"


def test_every_mode_of_the_registry_is_taken_back_at_once(registry: RegistryTwin) -> None:
    set_mode(registry, "READONLY")
    set_mode(registry, "READONLY", ":.eu:")
    delete_mode(registry, None, recursive=True)
    assert registry.state.settings.modes == {}


def test_a_mode_goes_with_its_subject(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    set_mode(registry, "READWRITE")
    erase(registry)
    assert registry.state.settings.modes == {}
