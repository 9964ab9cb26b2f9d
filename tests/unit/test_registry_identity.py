"""What makes two schemas one: ids, versions and guids."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest

from mesh import limits
from mesh_platform.registry import state
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.model import Content, Reference
from tests.unit.registry_kit import SUBJECT, code_of, delete, erase, record, register
from tests.unit.registry_twin import RegistryTwin


@pytest.fixture
def registry() -> RegistryTwin:
    return RegistryTwin()


def field(**more: Any) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": "string", **more}]})


@pytest.mark.parametrize(
    "spelling",
    [
        json.dumps(json.loads(field(default="x")), indent=4),
        '{"fields":[{"default":"x","type":"string","name":"f"}],"name":"R","type":"record"}',
    ],
)
def test_white_space_and_the_order_of_standard_attributes_make_no_other_schema(
    registry: RegistryTwin, spelling: str
) -> None:
    assert register(registry, spelling)["id"] == register(registry, field(default="x"))["id"]


@pytest.mark.parametrize("more", [{"doc": "text"}, {"default": "y"}, {"aliases": ["g"]}])
def test_docs_defaults_and_aliases_make_another_schema(registry: RegistryTwin, more: dict[str, Any]) -> None:
    plain = register(registry, field(default="x"))
    assert register(registry, field(**{"default": "x", **more}))["id"] == plain["id"] + 1


def test_an_inherited_namespace_and_the_same_one_written_out_are_one_schema(registry: RegistryTwin) -> None:
    inner = {"type": "record", "name": "Inner", "fields": []}
    outer = {"type": "record", "name": "a.Outer", "fields": [{"name": "f", "type": inner}]}
    inherited = register(registry, json.dumps(outer))
    inner["name"] = "a.Inner"
    assert register(registry, json.dumps(outer)) == inherited


def test_the_order_of_free_attributes_counts_unless_normalised(registry: RegistryTwin) -> None:
    first = register(registry, record("a", x=1, y=2))
    assert register(registry, record("a", y=2, x=1), subject="other")["id"] != first["id"]
    assert register(registry, record("a", y=2, x=1), normalize=True)["version"] == 1


def test_what_is_registered_normalised_is_stored_normalised(registry: RegistryTwin) -> None:
    one = register(registry, record("a", y=2, x=1), normalize=True)
    assert register(registry, record("a", x=1, y=2), subject="other", normalize=True)["id"] == one["id"]


def test_a_rule_set_makes_another_id(registry: RegistryTwin) -> None:
    plain = register(registry, record("a"))
    rule = {
        "name": "r",
        "kind": "CONDITION",
        "mode": "WRITE",
        "type": "CEL",
        "expr": "true",
        "disabled": False,
    }
    rules = {"domainRules": [rule]}
    ruled = register(registry, record("a"), ruleSet=rules)
    assert (ruled["id"], ruled["version"], ruled["ruleSet"]) == (plain["id"] + 1, 2, rules)


def test_a_schema_already_in_the_subject_is_answered_without_a_check(registry: RegistryTwin) -> None:
    registry.send(state.SET_CONFIG, {"compatibility": "NONE"})
    first = register(registry, field())
    register(registry, record("a", name="R"))
    registry.send(state.SET_CONFIG, {"compatibility": "FULL"})
    assert register(registry, field()) == first


@pytest.mark.parametrize(("level", "accepted"), [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False)])
def test_transitive_levels_compare_with_every_live_version(
    registry: RegistryTwin, level: str, accepted: bool
) -> None:
    registry.send(state.SET_CONFIG, {"compatibility": "NONE"})
    register(registry, '"string"')
    register(registry, '"int"')
    registry.send(state.SET_CONFIG, {"compatibility": level})
    assert isinstance(register(registry, '"long"'), dict) is accepted


def test_a_soft_deleted_schema_stays_readable_by_its_id(registry: RegistryTwin) -> None:
    made = register(registry, record("a"))
    delete(registry, SUBJECT)
    content = registry.state.subjects.content(made["id"])
    assert content is not None
    assert content.text == made["schema"]


def test_a_schema_that_comes_back_takes_the_place_of_its_soft_deleted_version(registry: RegistryTwin) -> None:
    first = register(registry, record("a"))
    register(registry, record("a", "b"))
    delete(registry, SUBJECT, "1")
    again = register(registry, record("a"))
    assert (again["id"], again["version"]) == (first["id"], 3)
    assert [version.version for version in registry.state.subjects.versions(SUBJECT)] == [2, 3]


def test_a_version_deleted_softly_twice_is_told_apart_from_one_that_never_was(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    register(registry, record("a", "b"))
    assert delete(registry, SUBJECT, "1") == 1
    assert code_of(delete(registry, SUBJECT, "1")) == 40406
    assert code_of(delete(registry, SUBJECT, "9")) == 40402


def test_latest_is_deleted_by_its_real_number(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    register(registry, record("a", "b"))
    assert delete(registry, SUBJECT, "latest") == 2


def test_deleting_a_subject_for_good_forgets_its_mode(registry: RegistryTwin) -> None:
    register(registry, record("a"))
    registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "READWRITE"})
    erase(registry)
    assert SUBJECT not in registry.state.settings.modes


@pytest.mark.parametrize(
    "name", ["ü/ä ?#%", ":colon", "a b", "dots.and-dashes_", "x" * limits.SUBJECT_LENGTH, "", "*"]
)
def test_subjects_may_hold_any_character(registry: RegistryTwin, name: str) -> None:
    assert register(registry, '"int"', subject=name)["subject"] == name


@pytest.mark.parametrize("name", ["a\x00", "a\x1fb", "\x7f", "\x85", "x" * (limits.SUBJECT_LENGTH + 1)])
def test_control_characters_and_endless_names_are_no_subject(registry: RegistryTwin, name: str) -> None:
    assert code_of(register(registry, '"int"', subject=name)) == 42208


def test_the_mode_is_asked_before_the_schema_is_parsed(registry: RegistryTwin) -> None:
    registry.send(state.SET_MODE, {"mode": "READONLY"})
    assert code_of(register(registry, "{")) == 42205


def test_the_schema_is_parsed_before_its_version_is_looked_at(registry: RegistryTwin) -> None:
    refusal = register(registry, "{", version=9)
    assert "Invalid schema" in refusal.message


def test_a_wrong_version_is_refused_before_compatibility_is_asked(registry: RegistryTwin) -> None:
    register(registry, '"string"')
    assert code_of(register(registry, '"int"', version=9)) == 42201


def test_a_version_is_compared_and_set(registry: RegistryTwin) -> None:
    assert register(registry, record("a"), version=-1)["version"] == 1
    assert code_of(register(registry, record("a", "b"), version=1)) == 42201
    assert register(registry, record("a", "b"), version=2)["version"] == 2


def test_the_client_that_lost_the_answer_gets_it_again(registry: RegistryTwin) -> None:
    first = register(registry, record("a"), version=1)
    assert register(registry, record("a"), version=1) == first


def test_a_schema_that_is_there_is_not_doubled_by_demanding_the_next_version(registry: RegistryTwin) -> None:
    first = register(registry, record("a"))
    assert register(registry, record("a"), version=2) == first
    assert code_of(register(registry, record("a"), version=7)) == 42201


def test_an_id_is_for_import_only_even_when_it_is_right(registry: RegistryTwin) -> None:
    made = register(registry, record("a"))
    assert code_of(register(registry, record("a"), id=made["id"])) == 42205


class TestImporting:
    @pytest.fixture(autouse=True)
    def import_mode(self, registry: RegistryTwin) -> None:
        registry.send(state.SET_MODE, {"subject": SUBJECT, "mode": "IMPORT"})

    def test_an_id_is_demanded(self, registry: RegistryTwin) -> None:
        assert code_of(register(registry, record("a"))) == 42205

    def test_compatibility_is_not_asked(self, registry: RegistryTwin) -> None:
        register(registry, '"string"', id=1)
        assert register(registry, '"int"', id=2)["version"] == 2

    def test_importing_again_changes_nothing(self, registry: RegistryTwin) -> None:
        first = register(registry, record("a"), id=7, version=3)
        assert register(registry, record("a"), id=7, version=3) == first

    def test_a_schema_of_the_subject_has_one_id(self, registry: RegistryTwin) -> None:
        register(registry, record("a"), id=7)
        assert code_of(register(registry, record("a"), id=8)) == 42207

    def test_a_taken_version_is_refused(self, registry: RegistryTwin) -> None:
        register(registry, record("a"), id=7, version=3)
        assert code_of(register(registry, record("b"), id=8, version=3)) == 42205

    def test_history_may_hold_a_schema_twice(self, registry: RegistryTwin) -> None:
        register(registry, record("a"), id=7, version=1)
        register(registry, record("a"), id=7, version=3)
        assert [version.version for version in registry.state.subjects.versions(SUBJECT)] == [1, 3]

    def test_the_highest_id_leaves_none_for_others(self, registry: RegistryTwin) -> None:
        register(registry, record("a"), id=2**31 - 1)
        assert code_of(register(registry, record("b"), subject="other")) == 42205
        assert register(registry, record("a"), subject="other")["id"] == 2**31 - 1


def guid(digest: bytes) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(digest, usedforsecurity=False).digest()))


@pytest.mark.parametrize(
    ("content", "hashed"),
    [
        (Content(Kind.AVRO, '"int"'), b'"int"'),
        (
            Content(Kind.AVRO, '"int"', (Reference("n", "s", 258),)),
            b'"int"ns\x00\x00\x01\x02',
        ),
        (
            Content(
                Kind.AVRO,
                '"int"',
                metadata={"properties": {"b": "2", "a": "1"}, "tags": {"x": ["q", "p"]}, "sensitive": ["s"]},
            ),
            b'"int"\x01xpqa1b2s',
        ),
        (
            Content(
                Kind.AVRO,
                '"int"',
                rule_set={
                    "domainRules": [
                        {"name": "n", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "e"},
                        {"name": "m", "doc": "d", "params": {"k": "v"}, "onFailure": "DLQ", "disabled": True},
                    ]
                },
            ),
            b'"int"\x01nCONDITIONWRITECELemdkvDLQ\x01',
        ),
    ],
)
def test_a_guid_is_made_of_text_references_metadata_and_rules(content: Content, hashed: bytes) -> None:
    assert content.guid == guid(hashed)


def test_a_guid_does_not_depend_on_subject_or_id(registry: RegistryTwin) -> None:
    one = register(registry, record("a"))
    registry.send(state.SET_MODE, {"subject": "other", "mode": "IMPORT"})
    other = register(registry, record("a"), subject="other", id=70)
    assert one["guid"] == other["guid"]


def test_a_schema_whose_guid_is_anothers_is_refused(registry: RegistryTwin) -> None:
    register(registry, record("a"), metadata={"properties": {"ab": "c"}})
    refusal = register(registry, record("a"), metadata={"properties": {"a": "bc"}})
    assert code_of(refusal) == 42201
    assert "guid" in refusal.message
