"""What the standard asks and its JSON schema cannot say: code, place, reason and way out of each."""

from __future__ import annotations

import pytest

from mesh import limits
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, Finding, Location
from tests.unit.contract_flaws import CASES, HOLDS, TEXT
from tests.unit.contract_kit import FILE, findings_of, replaced


def found(*pairs: tuple[str, str]) -> tuple[Finding, ...]:
    """All findings of the text with some parts replaced, warnings too."""
    text = replaced(TEXT, *pairs)
    return findings_of(text) or read_contract(text.encode(), FILE).findings


def place_of(words: str, text: str) -> Location:
    """Where words stand that stand in the text once."""
    before, found, _ = text.partition(words)
    assert found
    assert text.count(words) == 1
    return Location(FILE, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def test_the_sample_has_nothing_to_find() -> None:
    assert found() == ()


@pytest.mark.parametrize(("old", "new", "expected", "there", "message"), CASES)
def test_what_the_schema_cannot_say_is_found_where_it_stands(
    old: str, new: str, expected: str, there: str, message: str
) -> None:
    (finding,) = found((old, new))
    assert f"{finding.code} {finding.severity}" == expected
    assert finding.where == place_of(there, replaced(TEXT, (old, new)))
    assert message in finding.message + finding.why
    assert finding.why
    assert finding.fix


@pytest.mark.parametrize(("old", "new"), HOLDS)
def test_what_the_standard_allows_is_not_found_fault_with(old: str, new: str) -> None:
    assert found((old, new)) == ()


def test_a_valid_file_that_is_no_contract_of_the_mesh_is_told_so() -> None:
    (finding,) = found(("\nid: ops.flights.v1", "\nid: my-flights"))
    assert finding.code == "MESH-C036"
    assert "the file is valid ODCS" in finding.why


def test_warnings_do_not_keep_a_contract_from_being_used() -> None:
    text = replaced(TEXT, ("classification: public", "classification: open"))
    contract = read_contract(text.encode(), FILE)
    assert [finding.code for finding in contract.findings] == ["MESH-C092"]


@pytest.mark.parametrize("more", [0, 1])
def test_of_very_many_findings_so_many_are_told_as_somebody_may_read(more: int) -> None:
    many = limits.FINDINGS + more
    values = ", ".join(["7"] * many)
    told = found(("examples: [UA]", f"examples: [{values}]"))
    assert len(told) == limits.FINDINGS


def test_an_error_behind_very_many_warnings_is_an_error() -> None:
    values = ", ".join(["7"] * (limits.FINDINGS + 1))
    text = replaced(TEXT, ("examples: [UA]", f"examples: [{values}]"), ("{value: b}", "{value: a, label: x}"))
    with pytest.raises(DeclarationError) as caught:
        read_contract(text.encode(), FILE)
    assert caught.value.error_code == "MESH-C090"
