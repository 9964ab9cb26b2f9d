"""Every code of declarations is explained, and its examples are true: only the bad one yields it."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.declaration import SourceFile, declare
from mesh.diagnostics.catalogue import all_rules, families, require_rule
from mesh.diagnostics.fixes import FIXABLE
from mesh.errors import UsageError
from tests.reference.source import errors
from tests.unit.contract_kit import CONTRACT, FILE, PRODUCT, replaced

ENTRIES: dict[str, Any] = {code: entry for family in families() for code, entry in family.items()}
#: `made`: what the code is about needs more than one text, or megabytes; it has tests where it is raised.
SHOWN = sorted(code for code, entry in ENTRIES.items() if not entry.get("made"))
PORTS = "domains/ops/flights.odps.yaml"


def found_in(entry: dict[str, Any], example: str) -> set[str]:
    texts = {FILE: CONTRACT, PORTS: PRODUCT}
    file = PORTS if entry.get("for") == "product" else FILE
    texts[file] = replaced(texts[file], (entry["replace"], example)) if "replace" in entry else example
    if "replace" not in entry:
        del texts[PORTS]
    declared = declare(SourceFile(name, text.encode()) for name, text in texts.items())
    # The port of a contract that does not hold finds none; `also` names what else follows from the fault.
    follows = {"MESH-C061"} if file == FILE and not declared.contracts else set()
    return {finding.code for finding in declared.findings} - follows - set(entry.get("also", ()))


@pytest.mark.parametrize("code", SHOWN)
def test_a_bad_example_yields_exactly_its_code(code: str) -> None:
    assert found_in(ENTRIES[code], ENTRIES[code]["bad"]) == {code}


@pytest.mark.parametrize("code", SHOWN)
def test_a_good_example_does_not_yield_it(code: str) -> None:
    assert code not in found_in(ENTRIES[code], ENTRIES[code]["good"])


def test_every_code_of_declarations_is_explained() -> None:
    assert sorted(code for code in errors() if code.startswith("MESH-C") and code not in all_rules()) == []


def test_every_rule_is_a_code_that_somebody_raises() -> None:
    assert sorted(set(all_rules()) - set(errors())) == []


def test_names_are_slugs_and_name_one_rule() -> None:
    names = [rule.name for rule in all_rules().values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not name.replace("-", "").isalnum() or name != name.lower()] == []


def test_what_is_called_fixable_can_be_fixed() -> None:
    assert {rule.name for rule in all_rules().values() if rule.fixable} == FIXABLE


@pytest.mark.parametrize("asked", ["MESH-C022", "mesh-c022", "C022", "unknown-key"])
def test_a_rule_is_found_by_code_or_name(asked: str) -> None:
    assert require_rule(asked).code == "MESH-C022"


@pytest.mark.parametrize(
    ("asked", "suggested"), [("MESH-C0922", "MESH-C092"), ("unknwon-key", "unknown-key")]
)
def test_an_unknown_rule_is_asked_back(asked: str, suggested: str) -> None:
    with pytest.raises(UsageError, match="MESH-U100") as caught:
        require_rule(asked)
    assert f"did you mean {suggested}" in caught.value.what
