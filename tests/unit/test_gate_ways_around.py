"""Ways around the gate, each closed: settings that change what is stored, other names, other modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_platform.governance.gate import ContractGate
from mesh_platform.registry import state
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.warrant import Warrant
from mesh_platform.rights import EVERY_RIGHT, Right, held
from tests.unit.registry_twin import RegistryTwin
from tests.unit.test_gate import FIRST, SECOND, SUBJECT, yielded
from tests.unit.test_governance_state import Chamber

OTHER = json.dumps({"type": "record", "name": "Flights", "namespace": "ops", "fields": []})
ADMIN = Warrant(EVERY_RIGHT, open=False)
STEWARD = Warrant(held([Right.REGISTER, Right.SET_POLICY]), open=False)
TEAM = Warrant(held([Right.REGISTER]), open=True)
MINE = {
    "domainRules": [{"name": "mine", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}]
}


@pytest.fixture
def registry() -> RegistryTwin:
    """A registry in which one contract owns a subject; nothing is registered yet."""
    chamber = Chamber()
    chamber.declare("one", **yielded(FIRST))
    return RegistryTwin(ContractGate(chamber.state))


def send(registry: RegistryTwin, kind: str, subject: str | None, warrant: Warrant, **body: Any) -> Any:
    return registry.send(kind, {"subject": subject, "warrant": warrant.as_data(), **body})


def register(registry: RegistryTwin, subject: str = SUBJECT, warrant: Warrant = ADMIN, **body: Any) -> Any:
    approved = yielded(FIRST)
    given = {"schema": approved["schema"], "ruleSet": approved["rule_set"], **body}
    return send(registry, state.REGISTER, subject, warrant, **given)


def code(outcome: Any) -> int:
    return outcome.error_code if isinstance(outcome, Refusal) else 0


def test_what_was_approved_comes_in(registry: RegistryTwin) -> None:
    assert register(registry)["version"] == 1


def test_an_alias_leads_to_the_gate_of_what_it_names(registry: RegistryTwin) -> None:
    send(registry, state.SET_CONFIG, "side-door", ADMIN, alias=SUBJECT)
    assert code(register(registry, "side-door", schema=OTHER)) == 40301
    assert register(registry, "side-door")["subject"] == SUBJECT


@pytest.mark.parametrize("setting", ["overrideRuleSet", "defaultRuleSet"])
def test_a_rule_set_out_of_the_settings_is_not_the_approved_one(registry: RegistryTwin, setting: str) -> None:
    assert code(send(registry, state.SET_CONFIG, SUBJECT, STEWARD, **{setting: MINE})) == 0
    assert code(register(registry, ruleSet=None if setting == "defaultRuleSet" else MINE)) == 40301


def test_a_rule_set_of_the_version_before_is_not_that_of_another_schema() -> None:
    chamber = Chamber()
    chamber.declare("one", **yielded(FIRST))
    second = RegistryTwin(ContractGate(chamber.state))
    register(second)
    assert code(register(second, schema=yielded(SECOND)["schema"], ruleSet=None)) == 40301


def test_the_default_context_written_out_is_the_same_subject(registry: RegistryTwin) -> None:
    assert code(register(registry, f":.:{SUBJECT}", schema=OTHER)) == 40301


def test_import_mode_brings_nothing_else_into_an_owned_subject(registry: RegistryTwin) -> None:
    send(registry, state.SET_MODE, SUBJECT, ADMIN, mode="IMPORT")
    assert code(register(registry, schema=OTHER, id=7, version=1)) == 40301
    assert register(registry, id=7, version=1)["id"] == 7


def test_only_an_administrator_imports_what_no_contract_owns_into_a_server(registry: RegistryTwin) -> None:
    send(registry, state.SET_MODE, "moving-in", ADMIN, mode="IMPORT")
    assert code(register(registry, "moving-in", STEWARD, id=7, version=1)) == 40301
    assert register(registry, "moving-in", ADMIN, id=7, version=1)["id"] == 7
    send(registry, state.SET_MODE, "moving-in", ADMIN, mode="READWRITE")
    assert code(register(registry, "moving-in", ADMIN, schema=OTHER)) == 40301


def test_an_owned_subject_is_not_emptied_version_by_version(registry: RegistryTwin) -> None:
    register(registry)
    for kind, more in ((state.DELETE_SUBJECT, {}), (state.DELETE_VERSION, {"version": "1"})):
        assert code(send(registry, kind, SUBJECT, TEAM, permanent=False, **more)) == 40302
    assert len(registry.state.subjects.live(SUBJECT)) == 1


def test_a_replay_decides_the_same_whatever_rights_are_today(registry: RegistryTwin) -> None:
    register(registry)
    send(registry, state.SET_CONFIG, SUBJECT, STEWARD, compatibility="NONE")
    send(
        registry, state.SET_CONFIG, SUBJECT, Warrant(held([Right.REGISTER]), open=True), compatibility="FULL"
    )
    chamber = Chamber()
    chamber.declare("one", **yielded(FIRST))
    again = RegistryTwin(ContractGate(chamber.state))
    for record in registry.records:
        again.send(record.kind, record.body)
    assert again.state.settings.configs == registry.state.settings.configs
    assert again.state.subjects.versions(SUBJECT)[0].id == registry.state.subjects.versions(SUBJECT)[0].id
