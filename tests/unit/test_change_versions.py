"""A version that is too low for what changed is an error, with what it needs and why."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.change import Bump, needed, version_finding, version_findings
from mesh.contract.model import Contract
from mesh.errors import Finding, UsageError
from mesh.versioning import Version
from tests.unit.contract_kit import contract_of, contract_text, declared, field, product_text

A = field("a", required=True)


def version(number: str, *properties: dict[str, Any], **more: Any) -> Contract:
    return contract_of([A, *properties], version=number, **more)


def only(old: Contract, new: Contract) -> Finding:
    (finding,) = version_finding(old, new)
    return finding


@pytest.mark.parametrize(
    ("before", "bump", "after"),
    [
        ("1.2.3", Bump.NONE, "1.2.3"),
        ("1.2.3", Bump.PATCH, "1.2.4"),
        ("1.2.3", Bump.MINOR, "1.3.0"),
        ("1.2.3", Bump.MAJOR, "2.0.0"),
        ("0.2.3", Bump.MAJOR, "0.3.0"),
    ],
)
def test_the_lowest_version_that_may_follow(before: str, bump: Bump, after: str) -> None:
    assert needed(Version.parse(before), bump) == Version.parse(after)


@pytest.mark.parametrize("number", ["1.1.0", "1.1.3", "1.2.0"])
def test_a_version_that_rises_far_enough_is_no_finding(number: str) -> None:
    assert version_finding(version("1.0.4"), version(number, field("b"))) == ()


@pytest.mark.parametrize("number", ["1.0.0", "1.0.4", "1.0.5"])
def test_a_version_that_rises_too_little_names_the_one_it_needs(number: str) -> None:
    finding = only(version("1.0.4"), version(number, field("b")))
    assert (finding.code, finding.severity) == ("MESH-C120", "error")
    assert "needs 1.1.0" in finding.message
    assert "b is new" in finding.why
    assert "version: 1.1.0" in finding.fix


def test_the_finding_stands_at_the_version() -> None:
    new = version("1.0.0", field("b"))
    assert only(version("1.0.0"), new).where == new.document.at("version")


def test_a_version_that_falls_is_a_finding_though_nothing_changed() -> None:
    assert only(version("1.1.0"), version("1.0.0")).code == "MESH-C120"


def test_what_breaks_needs_a_contract_of_its_own_whatever_the_version_says() -> None:
    finding = only(version("1.0.0", field("b")), version("1.9.0"))
    assert finding.code == "MESH-C121"
    assert "ops.flights.v2" in finding.fix


def test_in_major_zero_a_minor_may_break() -> None:
    def zero(number: str, *properties: dict[str, Any]) -> Contract:
        return contract_of([A, *properties], version=number, contract_id="ops.flights.v0")

    assert version_finding(zero("0.1.0", field("b")), zero("0.2.0")) == ()
    assert only(zero("0.1.0", field("b")), zero("0.1.1")).code == "MESH-C120"


def test_many_reasons_are_counted_beyond_the_first() -> None:
    added = [field(f"b{number}") for number in range(9)]
    assert only(version("1.0.0"), version("1.0.0", *added)).why.endswith("And 4 more.")


def texts(*contracts: str) -> Any:
    return declared(
        *contracts, product_text("ops.flights", *(f"ops.flights.v{i + 1}" for i in range(len(contracts))))
    )


def test_every_contract_of_a_declaration_is_looked_at() -> None:
    old, new = (texts(contract_text(properties)) for properties in ([A], [A, field("b")]))
    assert [finding.code for finding in version_findings(old, new)] == ["MESH-C120"]


@pytest.mark.parametrize(
    ("status", "codes"), [("active", ["MESH-C124"]), ("deprecated", ["MESH-C124"]), ("retired", [])]
)
def test_a_contract_in_use_does_not_go_in_silence(status: str, codes: list[str]) -> None:
    old, new = declared(contract_text([A], status=status)), declared(product_text("ops.other"))
    assert [finding.code for finding in version_findings(old, new)] == codes


def majors(**first: Any) -> list[str]:
    old = contract_text([A], **first)
    new = contract_text([A], contract_id="ops.flights.v2", version="2.0.0")
    return [finding.code for finding in texts(old, new).findings]


def ends(name: str = "endOfSupport") -> list[dict[str, Any]]:
    return [{"property": name, "value": "2030-01-01"}]


def test_an_earlier_major_says_that_it_ends_and_when() -> None:
    assert majors() == ["MESH-C122", "MESH-C123"]
    assert majors(status="deprecated") == ["MESH-C123"]
    assert majors(slaProperties=ends()) == ["MESH-C122"]


@pytest.mark.parametrize("name", ["endOfSupport", "EndOfLife", "es", "el"])
def test_a_migration_window_may_be_said_in_any_of_the_standards_words(name: str) -> None:
    assert majors(status="deprecated", slaProperties=ends(name)) == []


def test_a_retired_major_needs_no_window() -> None:
    assert majors(status="retired") == []


def test_a_major_that_is_only_proposed_ends_nothing() -> None:
    draft = contract_text([A], contract_id="ops.flights.v2", version="2.0.0", status="draft")
    assert texts(contract_text([A]), draft).findings == ()


def test_a_single_major_owes_no_window() -> None:
    assert texts(contract_text([A])).findings == ()


def test_a_bump_is_read_by_its_name() -> None:
    assert Bump.parse("Major") is Bump.MAJOR
    with pytest.raises(UsageError, match="MESH-U120"):
        Bump.parse("none")
