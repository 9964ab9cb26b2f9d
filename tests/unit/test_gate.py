"""The gate: what a subject takes, who may delete from it and who may loosen it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.compatibility import Level
from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from mesh.schema import parse_schema
from mesh_platform.governance.gate import ContractGate
from mesh_platform.registry.config import Config
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.model import Content, Reference
from mesh_platform.registry.warrant import UNLIMITED, Warrant, warrant_of
from mesh_platform.rights import EVERY_RIGHT, Right, held
from tests.unit.contract_kit import CONTRACT, contract, contract_of
from tests.unit.contract_kit import field as prop
from tests.unit.test_governance_state import ID, TOPIC, Chamber, facts, sha

SUBJECT = f"{TOPIC}-value"
FIRST, SECOND = contract(), contract_of([prop("a", required=True)])
TEAM = Warrant(held([Right.REGISTER]), open=True)
STEWARD = Warrant(held([Right.REGISTER, Right.SET_POLICY]), open=False)
CLOSED = Warrant(EVERY_RIGHT, open=False)


def yielded(made: Any, **more: Any) -> dict[str, Any]:
    """What the log is told of a contract."""
    schema = avro_schema(made)
    return {"schema": schema.text, "rule_set": rule_set(made, schema), "level": made.compatibility, **more}


def gated(*versions: Mapping[str, Any]) -> ContractGate:
    """A gate over one contract with these versions, all approved."""
    chamber = Chamber()
    chamber.declare("one", **versions[0])
    for number, version in enumerate(versions[1:], start=1):
        base = sha(chamber.text_in_force())
        verdict = {"compatible": True}
        chamber.send(
            "proposal.open", facts(f"text{number}", base_sha256=base, reason="", verdict=verdict, **version)
        )
        chamber.decide(number, text=f"text{number}")
    return ContractGate(chamber.state)


def content(made: Any, rules: Any = "its own", text: str | None = None) -> Content:
    schema = avro_schema(made)
    said = rule_set(made, schema) if rules == "its own" else rules
    return Content(Kind.AVRO, text or schema.text, rule_set=said)


@pytest.fixture(scope="module")
def gate() -> ContractGate:
    return gated(yielded(FIRST), yielded(SECOND))


def test_every_approved_schema_comes_through_with_its_rules(gate: ContractGate) -> None:
    assert gate.check(SUBJECT, content(FIRST), TEAM) is None
    assert gate.check(SUBJECT, content(SECOND), TEAM) is None


def test_any_other_schema_is_refused_and_told_where_to_propose() -> None:
    said = gated(yielded(SECOND)).check(SUBJECT, content(FIRST), CLOSED)
    assert said is not None
    assert said.startswith("MESH-R403")
    assert ID in said
    assert said.endswith("run: mesh propose f.yaml")


@pytest.mark.parametrize(
    "rules",
    [
        None,
        {},
        {"domainRules": []},
        {"domainRules": [{"name": "delay-is-in-range", "type": "CEL", "expr": "true"}]},
    ],
)
def test_an_approved_schema_with_other_rules_is_refused(gate: ContractGate, rules: Any) -> None:
    said = gate.check(SUBJECT, content(FIRST, rules), TEAM)
    assert said is not None
    assert "its rule set is not the one that was approved" in said
    assert "mesh apply" in said


def test_one_rule_less_is_another_rule_set(gate: ContractGate) -> None:
    rules = rule_set(FIRST, avro_schema(FIRST))["domainRules"]
    assert gate.check(SUBJECT, content(FIRST, {"domainRules": rules[1:]}), TEAM) is not None


def test_the_schema_of_one_version_with_the_rules_of_another_is_refused(gate: ContractGate) -> None:
    assert gate.check(SUBJECT, content(FIRST, rule_set(SECOND, avro_schema(SECOND))), TEAM) is not None


def test_what_clients_add_and_says_nothing_does_not_count(gate: ContractGate) -> None:
    rules = rule_set(FIRST, avro_schema(FIRST))["domainRules"]
    padded = [{**rule, "tags": [], "params": {}, "onSuccess": None, "disabled": False} for rule in rules]
    said = {"migrationRules": [], "domainRules": padded, "enableAt": None}
    assert gate.check(SUBJECT, content(FIRST, said), TEAM) is None


def test_a_normalized_spelling_is_the_same_schema(gate: ContractGate) -> None:
    text = parse_schema(avro_schema(FIRST).text).normal_text()
    assert gate.check(SUBJECT, content(FIRST, text=text), TEAM) is None


def test_another_kind_or_a_reference_is_never_what_a_contract_covers(gate: ContractGate) -> None:
    text, rules = avro_schema(FIRST).text, rule_set(FIRST, avro_schema(FIRST))
    assert gate.check(SUBJECT, Content(Kind.JSON, text, rule_set=rules), TEAM) is not None
    referring = Content(Kind.AVRO, text, (Reference("other", "other", 1),), rule_set=rules)
    assert gate.check(SUBJECT, referring, TEAM) is not None


def test_what_was_approved_before_rule_sets_were_takes_any() -> None:
    old = gated({"schema": avro_schema(FIRST).text})
    assert old.check(SUBJECT, content(FIRST), TEAM) is None
    assert old.check(SUBJECT, content(FIRST, None), TEAM) is None


def test_keys_of_a_product_take_no_schema(gate: ContractGate) -> None:
    said = gate.check(f"{TOPIC}-key", content(FIRST), UNLIMITED)
    assert said is not None
    assert ID in said


UNOWNED = ["somebody.else.v1-value", "somebody.else.v1-key", TOPIC, f"{TOPIC}-other", "anything", ""]


@pytest.mark.parametrize("subject", [*UNOWNED, f":.elsewhere:{SUBJECT}"])
def test_subjects_of_nobody_follow_the_profile(gate: ContractGate, subject: str) -> None:
    assert gate.check(subject, content(FIRST), TEAM) is None
    said = gate.check(subject, content(FIRST), CLOSED)
    assert said is not None
    assert "belongs to no contract" in said


def test_a_contract_that_is_let_go_owns_its_subject_no_more() -> None:
    chamber = Chamber()
    chamber.declare(CONTRACT.replace("status: active", "status: retired"), **yielded(SECOND))
    gate = ContractGate(chamber.state)
    assert gate.check(SUBJECT, content(FIRST), TEAM) is not None
    chamber.send("contract.remove", {"contract_id": ID})
    assert gate.check(SUBJECT, content(FIRST), TEAM) is None


def test_schemas_of_a_contract_are_deleted_by_who_sets_policy(gate: ContractGate) -> None:
    said = gate.deletion(SUBJECT, TEAM, permanent=False)
    assert said is not None
    assert "set-policy" in said
    assert ID in said
    assert gate.deletion(SUBJECT, STEWARD, permanent=False) is None
    assert gate.deletion("nobodys", TEAM, permanent=False) is None


@pytest.mark.parametrize("subject", [SUBJECT, "nobodys"])
def test_only_an_administrator_deletes_for_good(gate: ContractGate, subject: str) -> None:
    said = gate.deletion(subject, STEWARD, permanent=True)
    assert said is not None
    assert "admin" in said
    assert gate.deletion(subject, CLOSED, permanent=True) is None


NOW = Config(level=Level.BACKWARD)


@pytest.mark.parametrize(
    ("level", "loosens"),
    [
        (Level.NONE, True),
        (Level.FORWARD, True),
        (Level.FORWARD_TRANSITIVE, True),
        (None, True),
        (Level.BACKWARD, False),
        (Level.BACKWARD_TRANSITIVE, False),
        (Level.FULL, False),
        (Level.FULL_TRANSITIVE, False),
    ],
)
def test_the_level_of_a_contract_is_a_floor(gate: ContractGate, level: Level | None, loosens: bool) -> None:
    said = gate.settings(SUBJECT, NOW, Config(level=level), TEAM)
    assert (said is not None) is loosens
    assert gate.settings(SUBJECT, NOW, Config(level=level), STEWARD) is None
    assert gate.settings("nobodys", NOW, Config(level=level), TEAM) is None


def test_a_level_that_was_stricter_than_the_contract_may_come_back_to_it(gate: ContractGate) -> None:
    assert gate.settings(SUBJECT, Config(level=Level.FULL_TRANSITIVE), NOW, TEAM) is None


def test_other_settings_of_an_owned_subject_are_policy(gate: ContractGate) -> None:
    after = Config(level=Level.BACKWARD, group="major")
    assert gate.settings(SUBJECT, NOW, after, TEAM) is not None
    assert gate.settings(SUBJECT, NOW, after, STEWARD) is None


@pytest.mark.parametrize("subject", [None, "", ":.elsewhere:"])
def test_settings_of_everything_are_policy(gate: ContractGate, subject: str | None) -> None:
    assert gate.settings(subject, NOW, NOW, TEAM) is not None
    assert gate.settings(subject, NOW, NOW, STEWARD) is None


def test_a_warrant_is_read_as_it_was_written() -> None:
    for warrant in (TEAM, STEWARD, CLOSED, UNLIMITED):
        assert warrant_of({"warrant": warrant.as_data()}) == warrant


def test_a_record_from_before_warrants_was_allowed_everything() -> None:
    assert warrant_of({}) == UNLIMITED


@pytest.mark.parametrize("written", [None, "all", {}, {"rights": "admin"}, {"rights": ["root"]}, []])
def test_a_warrant_that_cannot_be_read_allows_nothing(written: Any) -> None:
    assert warrant_of({"warrant": written}) == Warrant(frozenset(), open=False)
