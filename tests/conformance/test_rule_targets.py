"""One rule, many engines: what the guard says of an event, closures, CEL, SQL and Great Expectations say too.

`python -m tests.agreement` does the same for as long as told; docs/reference/rules.md has the table.
"""

from __future__ import annotations

import re

import pytest

from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set, rule_targets
from mesh.rules import cel
from mesh.rules.inexpressible import Inexpressible
from tests.agreement.cases import TEXTS, case
from tests.agreement.comparing import compare
from tests.agreement.engines import ENGINES
from tests.unit.contract_kit import contract_of, field


def test_every_engine_agrees_with_the_guard_on_every_event() -> None:
    found = compare(seed=1, rules=0, values=2)
    assert [str(one) for one in found.differences] == []
    assert set(found.judged) == set(ENGINES)
    assert min(found.judged.values()) > 2_000


def test_what_an_engine_cannot_express_has_a_reason() -> None:
    contract = contract_of(case(seed=1, rules=0, values=0).properties)
    texts = [t for target in rule_targets(contract, avro_schema(contract)) for t in (target.cel, target.sql)]
    reasons = {text.why for text in texts if isinstance(text, Inexpressible)}
    assert len(reasons) == 5
    assert all(len(why) > 20 for why in reasons)


@pytest.mark.parametrize("text", [text for text in TEXTS if text is not None])
def test_a_text_means_itself_in_cel_and_holds_no_semicolon(text: str) -> None:
    import celpy

    literal = cel.text(text)
    environment = celpy.Environment()
    assert environment.program(environment.compile(literal)).evaluate({}) == text
    assert ";" not in literal


def test_names_in_a_rule_set_are_those_that_registries_take() -> None:
    contract = contract_of(case(seed=2, rules=2, values=0).properties)
    names = [rule["name"] for rule in rule_set(contract, avro_schema(contract))["domainRules"]]
    assert len(set(names)) == len(names) > 100
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", name) for name in names)


def test_rules_of_one_long_name_stay_apart_in_a_rule_set() -> None:
    quality = [
        {"name": "x" * 80, "metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": p}} for p in "ab"
    ]
    contract = contract_of([field("code", quality=quality)])
    names = [rule["name"] for rule in rule_set(contract, avro_schema(contract))["domainRules"]]
    assert names == ["x" * 64, "x" * 62 + "-2"]


def test_a_contract_without_rules_has_an_empty_rule_set() -> None:
    contract = contract_of([field("code")])
    assert rule_set(contract, avro_schema(contract)) == {}
