"""Every version of the two standards that is supported, and what is said about the others."""

from __future__ import annotations

import pytest

from mesh.contract.conformity import ODCS, ODPS
from mesh.contract.reading import read_contract
from mesh.errors import DeclarationError, Finding
from mesh.product import read_product
from tests.unit.contract_kit import CONTRACT, FILE, PRODUCT, replaced


def contract_findings(*pairs: tuple[str, str]) -> tuple[Finding, ...]:
    try:
        return read_contract(replaced(CONTRACT, *pairs).encode(), FILE).findings
    except DeclarationError as error:
        return error.findings


def product_findings(*pairs: tuple[str, str]) -> tuple[Finding, ...]:
    try:
        return read_product(replaced(PRODUCT, *pairs).encode(), "a.odps.yaml").findings
    except DeclarationError as error:
        return error.findings


#: A logical type that 3.0 has as well.
DATE = "logicalType: timestamp", "logicalType: date"


def version(name: str) -> tuple[str, str]:
    return "apiVersion: v3.2.0", f"apiVersion: {name}"


@pytest.mark.parametrize("name", ODCS)
def test_a_contract_of_each_version_is_read(name: str) -> None:
    assert contract_findings(version(name), DATE) == ()


@pytest.mark.parametrize("name", ODPS)
def test_a_product_of_each_version_is_read(name: str) -> None:
    assert product_findings(("apiVersion: v1.1.0", f"apiVersion: {name}")) == ()


@pytest.mark.parametrize("name", ["v2.2.2", "v3.3.0", "3.2.0", "latest"])
def test_another_version_of_odcs_is_told_those_that_are_read(name: str) -> None:
    (finding,) = contract_findings(version(name))
    assert (finding.code, str(finding.where)) == ("MESH-C097", f"{FILE}:1:1")
    assert all(supported in finding.why for supported in ("v3.0.2", "v3.1.0", "v3.2.0"))


@pytest.mark.parametrize("name", ["v0.9.0", "v2.0.0"])
def test_another_version_of_odps_is_told_those_that_are_read(name: str) -> None:
    (finding,) = product_findings(("apiVersion: v1.1.0", f"apiVersion: {name}"))
    assert finding.code == "MESH-C097"
    assert "v1.0.0, v1.1.0" in finding.why


NEWER = "        logicalTypeOptions: {format: i32, minimum: -60}", "        enum: [{value: 1}]"


def test_a_file_that_only_a_newer_version_accepts_is_read_with_a_warning() -> None:
    (finding,) = contract_findings(version("v3.0.2"), DATE, NEWER)
    assert (finding.code, finding.severity, str(finding.where)) == ("MESH-C096", "warning", f"{FILE}:1:1")
    assert f"{FILE}:23:9" in finding.why
    assert "enum" in finding.why
    assert finding.fix == "write apiVersion: v3.2.0"


def test_a_product_that_only_the_newer_version_accepts_is_read_with_a_warning() -> None:
    (finding,) = product_findings(
        ("apiVersion: v1.1.0", "apiVersion: v1.0.0"), ("status: active", "status: active\ntype: aggregate")
    )
    assert finding.code == "MESH-C096"


@pytest.mark.parametrize("name", ["v3.0.2", "v3.1.0"])
def test_a_file_that_no_version_accepts_is_judged_by_its_own(name: str) -> None:
    (finding,) = contract_findings(version(name), DATE, ("domain: ops", "domain: ops\ndomian: x"))
    assert (finding.code, str(finding.where)) == ("MESH-C022", f"{FILE}:7:1")
    assert finding.why.startswith(f"odcs-{name} has no such key here")


def test_only_what_is_wrong_in_every_version_is_named() -> None:
    (finding,) = contract_findings(version("v3.0.2"), NEWER, ("domain: ops", "domain: ops\ndomian: x"))
    assert (finding.code, str(finding.where)) == ("MESH-C022", f"{FILE}:7:1")


def test_status_may_be_left_out_since_3_2() -> None:
    assert contract_findings(("status: active\n", "")) == ()
    (finding,) = contract_findings(version("v3.1.0"), ("status: active\n", ""))
    assert finding.code == "MESH-C096"


def test_an_exclusive_bound_of_3_0_is_read_as_a_bound() -> None:
    options = "minimum: -60", "minimum: -60, exclusiveMinimum: true"
    contract = read_contract(replaced(CONTRACT, version("v3.0.2"), DATE, options).encode(), FILE)
    delay = contract.property("delay")
    assert delay is not None
    assert delay.options == {"format": "i32", "exclusiveMinimum": -60}


def test_a_team_as_a_list_is_read_and_deprecated() -> None:
    team = "domain: ops", "domain: ops\nteam: [{username: ada, role: owner}]"
    (finding,) = contract_findings(team)
    assert (finding.code, str(finding.where)) == ("MESH-C093", f"{FILE}:7:1")
    contract = read_contract(replaced(CONTRACT, team).encode(), FILE)
    assert [member.username for member in contract.team] == ["ada"]


def test_a_rule_of_3_0_is_read_as_its_metric_and_deprecated() -> None:
    rule = "        logicalTypeOptions: {format", "        quality: [{rule: nullValues, mustBe: 0}]\n"
    pairs = version("v3.0.2"), DATE, (rule[0], rule[1] + rule[0])
    (finding,) = contract_findings(*pairs)
    assert (finding.code, finding.fix) == ("MESH-C093", "write metric: nullValues")
    (quality,) = read_contract(replaced(CONTRACT, *pairs).encode(), FILE).quality
    assert quality.metric == "nullValues"
